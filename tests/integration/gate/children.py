"""What tests run in processes of their own: a run that is killed at a step, and runs beside each other."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestration.contracts import ToolResult
from orchestration.errors import EffectRefused, PermitRefused
from orchestration.gate import gate, perform
from orchestration.gate.gate import Gate
from orchestration.gate.keys import signing_key
from orchestration.gate.perform import Effect
from orchestration.gate.rules import Rules
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work import act as acting
from orchestration.work import outbox
from orchestration.work import undo as undoing
from orchestration.work.undo_call import Hands
from tests.integration.gate.callers import LocalErp
from tests.unit.gate.case import bounded, rules

KILLED = 41

STEPS: dict[str, tuple[object, str, str]] = {
    "while the first decision is written": (gate, "record", "before"),
    "with decisions written and not committed": (gate.Gate, "_answers", "after"),
    "with all decided": (acting, "_decided", "after"),
    "before the intent is written": (perform.entries_effects, "all_intended", "before"),
    "with the intent written and not committed": (perform.entries_effects, "all_intended", "after"),
    "with one intent committed": (gate.Gate, "perform", "after"),
    "with every intent committed": (gate.Gate, "perform_batch", "after"),
    "with a call begun": (outbox, "_begun", "after"),
    "before the first call": (LocalErp, "call", "before"),
    "with the effect there and its answer lost": (LocalErp, "call", "after"),
    "before the outcome is written": (outbox.entries_effects, "settled", "before"),
    "with the outcome written and not committed": (outbox.entries_effects, "settled", "after"),
    "with one outcome committed": (outbox, "_settle", "after"),
    "with everything done": (acting, "report", "before"),
}
"""Where a run is killed: a function, and before or after its first call."""


def told(store_url: str | None, target: Callable[..., None], *arguments: Any) -> None:
    """Call a function in a process that was started before the test said where its store is."""
    os.environ.pop("PRECEDE_STORE_URL", None)
    if store_url is not None:
        os.environ["PRECEDE_STORE_URL"] = store_url
    target(*arguments)


def run_and_die(home: Path, step: str) -> None:
    """Act for finance, and be gone at a step."""
    where, name, when = STEPS[step]
    real: Callable[..., Any] = getattr(where, name)

    def dying(*arguments: Any, **named: Any) -> Any:
        if when == "after":
            real(*arguments, **named)
        os._exit(KILLED)

    setattr(where, name, dying)
    _act(home)


def run(home: Path) -> None:
    """Act for finance to the end."""
    _act(home)


def perform_all(home: Path, actions: list[str], seed: int) -> None:
    """Perform every action in an order of one's own; exits with the number of effects that were this process's."""
    settings = Settings(home=home)
    store = open_store(settings)
    random.Random(seed).shuffle(actions)  # noqa: S311  an order, not a secret
    mine = 0
    with Gate(store, settings, rules(), holds=lambda _pin: True) as opened:
        for action in actions:
            try:
                mine += isinstance(opened.perform(action, datetime.now(UTC)), Effect)
            except PermitRefused:
                continue
    store.close()
    os._exit(mine)


def _act(home: Path) -> None:
    settings = Settings(home=home)
    store = open_store(settings)
    Gate(
        store, settings, rules(), holds=lambda _pin: True
    ).close()  # the key is there before the ERP asks for its public half
    acting.act(store, settings, "finance", tools=LocalErp(home), rules=rules(), holds=lambda _pin: True)
    store.close()


def bounded_rules() -> Rules:
    """Rules under which eight processes together may have eleven effects, of which finance may pay for three."""
    rate = {"per": "action_type", "at_most": 11, "within": "1h"}
    often = {"per_batch": 99, "per_entity_per_day": 9, "per_contact_point_per_day": 9, "rates": [rate]}
    return bounded(
        rules(),
        finance=often | {"per_day": 4, "money_per_day": {"amount": 400, "currency": "GBP"}},
        collections=often,
    )


def decide_and_perform(home: Path, store_url: str, batch_id: str, now: datetime) -> None:
    """Decide a batch under those bounds and perform what was allowed, over and over."""
    os.environ["PRECEDE_STORE_URL"] = store_url
    settings = Settings(home=home)
    store = open_store(settings)
    with Gate(store, settings, bounded_rules(), holds=lambda _pin: True) as opened:
        opened.decide(batch_id, now)
        with suppress(PermitRefused):  # another of them used it, and goes on with the batch
            opened.perform_batch(batch_id, now)
    store.close()


class SlowErp(LocalErp):
    """The ERP's tool, which takes its time."""

    def call(self, *arguments: Any, **named: Any) -> ToolResult:
        result = super().call(*arguments, **named)
        time.sleep(0.01)
        return result


def deliver_slowly(home: Path) -> None:
    """Deliver whatever waits."""
    store = open_store(Settings(home=home))
    outbox.deliver(store, SlowErp(home), lambda: datetime.now(UTC))
    store.close()


def take_back(home: Path, action: str) -> None:
    """Take an effect back; exits with 0 where this process did, and with 3 where it was refused."""
    settings = Settings(home=home)
    store = open_store(settings)
    hands = Hands(LocalErp(home), lambda: datetime.now(UTC), longest_wait=0.0)
    order = undoing.Order(action, "olga", "It went to the wrong person.")
    try:
        undoing.undo(store, order, rules().action_types, signing_key(settings.keys), hands)
    except EffectRefused:
        os._exit(3)
    os._exit(0)

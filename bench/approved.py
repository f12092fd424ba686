"""Proposals that the gate held for a person and that were all approved, of debtors of the bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from orchestration.approval import answer
from orchestration.approval.current import Held
from orchestration.approval.queue import APPROVED
from orchestration.approval.waiting import waiting
from orchestration.canonical import digest
from orchestration.gate.gate import Gate
from orchestration.gate.graphs import Graphs
from orchestration.gate.rules import Rules, load_rules
from orchestration.identity.person import Person, Role
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store

REVIEWER: Final = Person("Ada Okafor", frozenset({Role.REVIEWER}), "token")
_AGENT: Final = "finance"
_BATCH: Final = "bench"


class Approved:
    """The proposals and the gate that looks at them; close it after use."""

    def __init__(self, store: Store, settings: Settings, numbers: Sequence[int], now: datetime) -> None:
        self.store, self.settings = store, settings
        self._gate = self._opened(load_rules(settings))
        self._propose(numbers, now)
        self._gate.decide(_BATCH, now)
        means = _Unasked(self._gate.rules, Graphs(settings.home, self._gate.rules.action_types))
        with store.begin() as connection:
            for row in waiting(connection):
                answer.show(connection, REVIEWER, {"action": row["action"], "decision": row["decision_id"]}, now)
                answer.approve(connection, row["action"], REVIEWER, means, now)

    def close(self) -> None:
        """Let the graph go."""
        self._gate.close()

    def look(self, now: datetime) -> None:
        """Hold everything that is held against what is so now."""
        self._gate.recheck(_AGENT, now)

    def change_policy(self) -> None:
        """Let the agent's policies be others, which would decide the same."""
        self._gate.close()
        rules = load_rules(self.settings)
        other = replace(rules.policies[_AGENT], digest=digest("another"))
        self._gate = self._opened(replace(rules, policies={**rules.policies, _AGENT: other}))

    def live(self, now: datetime, numbers: Sequence[int] | None = None) -> int:
        """How many approvals can be used, of some debtors or of all."""
        approval, held = tables.approval, tables.held
        usable = (approval.c.voided_at.is_(None), approval.c.consumed_at.is_(None), approval.c.expires_at > now)
        query = (
            select(approval.c.action)
            .join(held, held.c.action == approval.c.action)
            .where(held.c.state == APPROVED, *usable)
        )
        with self.store.read() as connection:
            found = set(connection.execute(query).scalars())
        return len(found if numbers is None else found & set(map(_action, numbers)))

    def _opened(self, rules: Rules) -> Gate:
        return Gate(self.store, self.settings, rules, holds=lambda _pin: True)

    def _propose(self, numbers: Sequence[int], now: datetime) -> None:
        with self.store.begin() as connection:
            snapshot_id = connection.execute(select(tables.pointer.c.snapshot_id)).scalar_one()
            batch = {"batch_id": _BATCH, "agent": _AGENT, "snapshot_id": snapshot_id, "state": "answered"}
            batch |= {"business_date": date(2026, 11, 2), "created_at": now, "row_count": len(numbers)}
            connection.execute(insert(tables.batch).values(batch))
            connection.execute(insert(tables.trigger_row), [_row(number) for number in numbers])
            connection.execute(insert(tables.proposal), [_proposal(number, now) for number in numbers])
            _give_credential(connection, now)


class _Unasked(Held):
    """Approves without looking at the graph again: the proposals were decided on it a moment ago."""

    def against(self, connection: Connection, row: Mapping[str, Any], now: datetime) -> list[str]:  # noqa: ARG002  as it is asked
        return []


def _give_credential(connection: Connection, now: datetime) -> None:
    given = {"credential_id": "cred_bench", "agent": _AGENT, "batch_id": _BATCH, "ended": "answered", "ended_at": now}
    given |= {"scopes": ["propose:send_payment_reminder"], "issued_at": now, "expires_at": now + timedelta(hours=1)}
    connection.execute(insert(tables.agent_credential).values(given))


def _action(number: int) -> str:
    return f"act_{number:09d}"


def _row(number: int) -> dict[str, Any]:
    values = {"invoice": f"erp:transaction:{number}", "stage": 1}
    row: dict[str, Any] = {
        "row_id": f"{_BATCH}-{number}",
        "batch_id": _BATCH,
        "entity_id": f"org_{number}",
        "values": values,
    }
    return {**row, "digest": digest(values), "answer": "proposed"}


def _proposal(number: int, now: datetime) -> dict[str, Any]:
    said = {
        "organisation": f"org_{number}",
        "invoice": f"erp:transaction:{number}",
        "person": f"per_{number}",
        "mailbox": f"{number}@debtor.example",
        "stage": 1,
    }
    row: dict[str, Any] = {
        "action": _action(number),
        "batch_id": _BATCH,
        "row_id": f"{_BATCH}-{number}",
        "agent": _AGENT,
    }
    row |= {"action_type": "send_payment_reminder", "entity_id": f"org_{number}", "arguments": said}
    return {**row, "rationale": "It is overdue.", "proposed_at": now, "digest": digest(said)}

"""Ways to an effect without a permit, with somebody else's, or with one's own twice; and calls past the gate."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, update

from attack.acting import came, finish, noticed, stands
from attack.ground import Ground
from attack.suite import Group
from orchestration.contracts import SignedPermit, ToolResult
from orchestration.errors import PrecedeError
from orchestration.gate.keys import CREDENTIAL, signing_key
from orchestration.gate.perform import Effect
from orchestration.gate.permits import read, sign
from orchestration.store import tables
from orchestration.work.tools import ToolSession, load_servers
from tests.integration.gate.callers import LocalErp
from tests.integration.gate.world import World

GROUP: Final = Group("permits")
HOUR: Final = timedelta(hours=1)
QUICK: Final = ("own-key", "other-recipient", "expired")


def _allowed(ground: Ground) -> tuple[World, list[str]]:
    """Three actions with a permit each, none of them performed."""
    world = ground.world()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    return world, actions


def _permit(world: World, action: str) -> SignedPermit:
    row = world.rows("permit", action=action)[0]
    return SignedPermit(payload=row["payload"], signature=row["signature"])


def _signed_anew(world: World, action: str, key: Ed25519PrivateKey, **changes: Any) -> SignedPermit:
    own = signing_key(world.settings.keys)
    return sign(read(_permit(world, action), own.public_key()).model_copy(update=changes), key)


def _call(world: World, action: str, permit: SignedPermit, at: datetime | None = None, **changes: Any) -> str:
    """Call the ERP's own code past the gate, and say what stands there then."""
    said = read(_permit(world, action), signing_key(world.settings.keys).public_key())
    arguments = {**said.tool_arguments, **changes.pop("arguments", {})}
    erp = LocalErp(world.settings.home).erp
    result = erp.write_payment_reminder(
        arguments, changes.pop("effect_key", said.effect_key), permit, lambda: at or world.now
    )
    return _told(world, result)


def _told(world: World, result: ToolResult) -> str:
    return "effect" if world.reminders() else f"refused: {result.state.value}"


Try = Callable[[World, str], str]
CALLS: Mapping[str, tuple[str, Try]] = {
    "no-signature": (
        "a permit without a signature",
        lambda world, one: _call(world, one, _permit(world, one).model_copy(update={"signature": ""})),
    ),
    "not-base64": (
        "something that is no permit",
        lambda world, one: _call(world, one, SignedPermit(payload="let me in", signature="please")),
    ),
    "own-key": (
        "a permit signed with a key of one's own",
        lambda world, one: _call(world, one, _signed_anew(world, one, Ed25519PrivateKey.generate())),
    ),
    "credential-key": (
        "a permit signed with the key of credentials",
        lambda world, one: _call(world, one, _signed_anew(world, one, signing_key(world.settings.keys, CREDENTIAL))),
    ),
    "payload-edited": (
        "a permit whose recipient was edited after it was signed",
        lambda world, one: _call(world, one, _edited(_permit(world, one)), arguments={"recipient": "eve@evil.example"}),
    ),
    "other-recipient": (
        "a permit for another recipient",
        lambda world, one: _call(world, one, _permit(world, one), arguments={"recipient": "eve@evil.example"}),
    ),
    "other-stage": (
        "a permit for another stage",
        lambda world, one: _call(world, one, _permit(world, one), arguments={"stage": 2}),
    ),
    "stage-that-is-true": (
        "`true` for the stage 1 that the permit names",
        lambda world, one: _call(world, one, _permit(world, one), arguments={"stage": True}),
    ),
    "argument-more": (
        "an argument that the permit does not name",
        lambda world, one: _call(world, one, _permit(world, one), arguments={"cc": "eve@evil.example"}),
    ),
    "other-effect-key": (
        "a permit for another effect key",
        lambda world, one: _call(world, one, _permit(world, one), effect_key="reminder:erp:transaction:1:9"),
    ),
    "expired": (
        "a permit that expired",
        lambda world, one: _call(world, one, _permit(world, one), at=world.now + HOUR),
    ),
    "not-yet-valid": (
        "a permit before its time, by a clock set back",
        lambda world, one: _call(world, one, _permit(world, one), at=world.now - HOUR),
    ),
    "of-another-tool": (
        "a permit of another tool, signed with the right key",
        lambda world, one: _call(
            world, one, _signed_anew(world, one, signing_key(world.settings.keys), tool="write_vat_number")
        ),
    ),
    "of-another-server": (
        "a permit of another server, signed with the right key",
        lambda world, one: _call(
            world, one, _signed_anew(world, one, signing_key(world.settings.keys), tool_server="crm")
        ),
    ),
}


def _edited(permit: SignedPermit) -> SignedPermit:
    said = json.loads(base64.b64decode(permit.payload))
    said["tool_arguments"]["recipient"] = "eve@evil.example"
    return permit.model_copy(update={"payload": base64.b64encode(json.dumps(said).encode()).decode()})


def _direct(attempt: Try) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, actions = _allowed(ground)
        return attempt(world, actions[0])

    return run


for _name, (_what, _attempt) in CALLS.items():
    _told_as = f"call the ERP's tool past the gate with {_what}"
    GROUP.add(f"tool-{_name}", _told_as, "refused: failed", _direct(_attempt), quick=_name in QUICK)


@GROUP.attack("tool-with-a-sound-permit-twice", expected="once")
def twice_at_the_tool(ground: Ground) -> str:
    """call the ERP's tool past the gate with a sound permit, and again after the gate did"""
    world, actions = _allowed(ground)
    permit = _permit(world, actions[0])
    _call(world, actions[0], permit)
    finish(world)
    _call(world, actions[0], permit, at=world.now + HOUR)
    keys = [row[0] for row in world.reminders()]
    return "once" if sorted(keys) == sorted(set(keys)) and len(keys) == len(actions) else f"otherwise: {len(keys)}"


@GROUP.attack("used-twice", expected="refused: PermitRefused", quick=True)
def used_twice(ground: Ground) -> str:
    """perform the same action twice"""
    world, actions = _allowed(ground)
    with world.gate() as gate:
        if not isinstance(gate.perform(actions[0], world.now), Effect):
            return "otherwise: not even once"
        return _refused(lambda: gate.perform(actions[0], world.now))


@GROUP.attack("of-a-denied-action", expected="refused: PermitRefused")
def of_a_denied_action(ground: Ground) -> str:
    """perform an action that was denied"""
    world = ground.world()
    world.debtors[0].disputed = True
    world.publish()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        return _refused(lambda: gate.perform(actions[0], world.now))


@GROUP.attack("of-another-action", expected="denied: permit_of_another")
def of_another_action(ground: Ground) -> str:
    """put another action's permit in the place of one's own"""
    world, actions = _allowed(ground)
    other = _permit(world, actions[1])
    world.edit("permit", {"action": actions[0]}, payload=other.payload, signature=other.signature)
    return came(world, actions[0])


@GROUP.attack("longer-by-its-row", expected="denied: permit_of_another")
def longer(ground: Ground) -> str:
    """let the store's row say that a permit lasts longer than was signed"""
    world, actions = _allowed(ground)
    world.edit("permit", {"action": actions[0]}, expires_at=world.now + 99 * HOUR)
    return came(world, actions[0])


@GROUP.attack("payload-edited-in-the-store", expected="denied: permit_forged")
def edited_in_the_store(ground: Ground) -> str:
    """edit a permit's recipient in the store"""
    world, actions = _allowed(ground)
    world.edit("permit", {"action": actions[0]}, payload=_edited(_permit(world, actions[0])).payload)
    return came(world, actions[0])


@GROUP.attack("unused-again", expected="noticed")
def unused_again(ground: Ground) -> str:
    """mark a used permit as unused, remove its effect from the outbox, and act once more"""
    world, _actions = _allowed(ground)
    finish(world)
    before = world.reminders()
    with world.store.begin() as connection:
        connection.execute(update(tables.permit).values(consumed_at=None))
        connection.execute(delete(tables.outbox))
    finish(world)
    return "effect" if len(world.reminders()) != len(before) else noticed(world, "tells the intent of action")


@GROUP.attack("outbox-edited", expected="once")
def outbox_edited(ground: Ground) -> str:
    """edit the recipient of an effect that waits in the outbox"""
    world, actions = _allowed(ground)
    with world.gate() as gate:
        gate.perform(actions[0], world.now)
    row = world.rows("outbox", action=actions[0])[0]
    world.edit(
        "outbox", {"action": actions[0]}, tool_arguments={**row["tool_arguments"], "recipient": "eve@evil.example"}
    )
    finish(world)
    return "effect" if "eve@evil.example" in str(world.reminders()) else _seen(world, "intent")


def _seen(world: World, part: str) -> str:
    return "once" if noticed(world, part) == "noticed" else "unnoticed"


@GROUP.attack("outbox-inserted", expected="noticed")
def outbox_inserted(ground: Ground) -> str:
    """put an effect into the outbox past the gate, with the permit of another"""
    world, actions = _allowed(ground)
    with world.store.begin() as connection:
        permit = world.rows("permit", action=actions[1])[0]["permit_id"]
        values = {"invoice": "1", "customer": "1", "stage": 1, "recipient": "eve@evil.example", "subject": "Pay Eve"}
        row = {"action": actions[0], "permit_id": permit, "effect_key": "eve", "tool_server": "erp"}
        row |= {"tool": "write_payment_reminder", "tool_arguments": values, "state": "pending", "attempts": 0}
        connection.execute(tables.outbox.insert().values(**row, intended_at=world.now))
    finish(world)
    return "effect" if "eve@evil.example" in str(world.reminders()) else noticed(world, "intent")


@GROUP.attack("expired-and-clock-set-back", expected="denied: permit_expired", quick=True)
def clock_set_back(ground: Ground) -> str:
    """use a permit that expired, by a clock set back to when it had not"""
    world, actions = _allowed(ground)
    with world.store.begin() as connection:  # something was recorded an hour later: it was that late already
        from orchestration.ledger.chain import append  # noqa: PLC0415  beside what it is for

        append(connection, "note", {"said": "an hour later"}, at=world.now + HOUR)
    with world.gate() as gate:
        done = gate.perform(actions[0], world.now + timedelta(minutes=1))
    return "effect" if isinstance(done, Effect) else stands(world, actions[0])


@GROUP.attack("same-effect-by-another-agent", expected="denied: effect_exists")
def by_another_agent(ground: Ground) -> str:
    """let a second agent ask for an effect that the first one had"""
    world, actions = _allowed(ground)
    finish(world)
    other = world.propose(world.wake("collections"), world.debtors[0])
    finish(world)
    return stands(world, other) if len(world.reminders()) == len(actions) else "effect"


def _refused(attempt: Callable[[], object]) -> str:
    try:
        return f"otherwise: {attempt()}"
    except PrecedeError as refused:
        return f"refused: {type(refused).__name__}"


# --- the servers themselves, each a process of its own ---


def _server(ground: Ground, permit: Callable[[World, str], SignedPermit], **changes: Any) -> str:
    world, actions = _allowed(ground)
    said = read(_permit(world, actions[0]), signing_key(world.settings.keys).public_key())
    arguments = {**said.tool_arguments, **changes}
    with ToolSession(load_servers(world.settings.tools), world.settings, os.environ) as session:
        result = session.call("erp", "write_payment_reminder", arguments, said.effect_key, permit(world, actions[0]))
    return _told(world, result)


@GROUP.attack("server-with-a-forged-permit", expected="refused: failed")
def server_forged(ground: Ground) -> str:
    """call the ERP's tool server over MCP with a permit of one's own key"""
    return _server(ground, lambda world, one: _signed_anew(world, one, Ed25519PrivateKey.generate()))


@GROUP.attack("server-with-other-arguments", expected="refused: failed")
def server_other(ground: Ground) -> str:
    """call the ERP's tool server over MCP with a sound permit, for another recipient"""
    return _server(ground, _permit, recipient="eve@evil.example")


@GROUP.attack("server-key-replaced", expected="refused: failed")
def key_replaced(ground: Ground) -> str:
    """use permits of a coordinator whose key was replaced behind the tool server's back"""

    def other(world: World, action: str) -> SignedPermit:
        signed = _permit(world, action)
        shutil.rmtree(world.settings.keys)
        signing_key(world.settings.keys)
        return signed

    world, actions = _allowed(ground)
    said = read(_permit(world, actions[0]), signing_key(world.settings.keys).public_key())
    permit = other(world, actions[0])
    with ToolSession(load_servers(world.settings.tools), world.settings, os.environ) as session:
        result = session.call("erp", "write_payment_reminder", said.tool_arguments, said.effect_key, permit)
    return _told(world, result)


@GROUP.attack("server-with-a-changed-tool", expected="refused: ConfigurationError")
def drifted(ground: Ground) -> str:
    """have a tool server say of its tool something else than what was registered"""
    world, actions = _allowed(ground)
    servers = {
        name: server.model_copy(update={"tools": dict.fromkeys(server.tools, "0" * 64)})
        for name, server in load_servers(world.settings.tools).items()
    }
    said = read(_permit(world, actions[0]), signing_key(world.settings.keys).public_key())
    with ToolSession(servers, world.settings, os.environ) as session:
        permit = _permit(world, actions[0])
        return _refused(
            lambda: session.call("erp", "write_payment_reminder", said.tool_arguments, said.effect_key, permit)
        )

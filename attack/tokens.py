"""Tokens that are not what they say: of agents, of people, and of an issuer of people's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from attack.ground import Ground
from attack.suite import Group
from orchestration.contracts import Proposal
from orchestration.errors import NotIdentified, PrecedeError
from orchestration.gate.stopping import stop
from orchestration.gate.stops import Scope
from orchestration.identity import people
from orchestration.identity.oidc import person as by_issuer
from orchestration.identity.person import Role, require
from orchestration.identity.who import person
from orchestration.settings import Oidc, Settings
from orchestration.store import tables
from tests.agents import write_agent
from tests.identified import token_for
from tests.integration.identity import test_oidc as issuer
from tests.integration.work.test_credentials import FORGED, Forge, answered, claims_of, offered, token_of
from tests.waking import NOW, reminders

GROUP: Final = Group("tokens")
HOUR: Final = timedelta(hours=1)
QUICK: Final = ("algorithm swapped, with the public key",)


def _slug(name: str) -> str:
    return name.replace(",", "").replace(" ", "-").lower()


def _forged(forge: Forge) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world = ground.woken()
        batch_id = offered(world)
        forged = forge(claims_of(token_of(world, batch_id)), world)
        code, waits = answered(world, batch_id, forged)
        return f"refused: {code}" if code and waits else "taken"

    return run


for _name, (_code, _forge) in FORGED.items():
    GROUP.add(
        f"agent-{_slug(_name)}",
        f"answer a batch with a credential {_name}",
        f"refused: {_code}",
        _forged(_forge),
        quick=_name in QUICK,
    )


@GROUP.attack("agent-expired", expected="refused: expired_credential")
def expired(ground: Ground) -> str:
    """answer with a credential that is over"""
    world = ground.woken()
    batch_id = offered(world)
    code, _ = answered(world, batch_id, token_of(world, batch_id), NOW + HOUR)
    return f"refused: {code}" if code else "taken"


@GROUP.attack("agent-expired-and-clock-set-back", expected="refused: expired_credential")
def expired_and_set_back(ground: Ground) -> str:
    """answer with a credential that was seen to be over, by a clock set back to when it was not"""
    world = ground.woken()
    batch_id = offered(world)
    token = token_of(world, batch_id)
    answered(world, batch_id, token, NOW + HOUR)
    code, _ = answered(world, batch_id, token, NOW + timedelta(minutes=1))
    return f"refused: {code}" if code else "taken"


@GROUP.attack("agent-revoked", expected="refused: revoked_credential")
def revoked(ground: Ground) -> str:
    """answer for an agent that was stopped since it was woken"""
    world = ground.woken()
    batch_id = offered(world)
    stop(world.store, Scope.agent("finance"), "An incident.", operator="Olga", now=NOW)
    code, _ = answered(world, batch_id, token_of(world, batch_id))
    return f"refused: {code}" if code else "taken"


@GROUP.attack("agent-used-twice", expected="nothing")
def used_twice(ground: Ground) -> str:
    """answer the same batch a second time, after the first answer was taken"""
    world = ground.woken()
    batch_id = offered(world)
    token, batch = token_of(world, batch_id), world.exchange.read_batch("finance", batch_id)
    answered(world, batch_id, token)
    before = len(world.rows(tables.proposal))
    folder = world.exchange.root / "finance" / batch_id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "proposals.json").write_text(
        reminders(batch).model_copy(update={"credential": token}).model_dump_json(), encoding="utf-8"
    )
    world.take_in()
    return "nothing" if len(world.rows(tables.proposal)) == before else "taken"


@GROUP.attack("agent-of-another-agent-who-was-woken-too", expected="refused: another_agent")
def anothers(ground: Ground) -> str:
    """answer another agent's batch with one's own sound credential"""
    world = ground.woken()
    world.agents["tester"] = write_agent(ground.folder / "agents")
    woken = {wake.agent: wake.batch.batch_id for wake in world.wake() if wake.batch}
    own = token_of(world, woken["tester"], "tester")
    code, _ = answered(world, woken["finance"], own)
    return f"refused: {code}" if code else "taken"


@GROUP.attack("agent-beyond-its-scope", expected="refused: out_of_scope")
def beyond(ground: Ground) -> str:
    """propose an action of a type that the credential does not name"""
    world = ground.woken()
    batch_id = offered(world)
    batch = world.exchange.read_batch("finance", batch_id)
    wish = Proposal(row_id=batch.rows[0].row_id, action_type="correct_vat_number", arguments={})
    said = reminders(batch).model_copy(update={"credential": token_of(world, batch_id), "proposals": (wish,)})
    (world.exchange.root / "finance" / batch_id / "proposals.json").write_text(said.model_dump_json())
    [done] = world.take_in()
    return f"refused: {done.code}" if done.code and not world.rows(tables.proposal) else "taken"


# --- people ---


def _person(attempt: Callable[[Settings, str, datetime], str]) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        settings, now = Settings(home=ground.folder), datetime.now(UTC)
        token = token_for(settings, "Ada", Role.REVIEWER, now=now)
        try:
            found = attempt(settings, token, now)
        except PrecedeError as refused:
            return f"refused: {type(refused).__name__}"
        return f"taken: {found}"

    return run


def _open_to_others(settings: Settings) -> Settings:
    settings.people.chmod(0o666)
    return settings


def _known(settings: Settings, token: str, now: datetime) -> str:
    return person(settings, token, now).name


PEOPLE: Final[dict[str, tuple[str, Callable[[Settings, str, datetime], str], str]]] = {
    "guessed": ("guess a person's token", lambda s, _, n: _known(s, "precede_" + "A" * 43, n), "NotIdentified"),
    "shortened": ("use the beginning of a person's token", lambda s, t, n: _known(s, t[:-1], n), "NotIdentified"),
    "its-hash": (
        "use the hash that stands in the file",
        lambda s, t, n: _known(s, people.hashed(t), n),
        "NotIdentified",
    ),
    "expired": (
        "use a person's token after its time",
        lambda s, t, n: _known(s, t, n + timedelta(days=2)),
        "NotIdentified",
    ),
    "empty": ("use no token at all", lambda s, _, n: _known(s, "", n), "NotIdentified"),
    "another-role": (
        "do an operator's work with a reviewer's token",
        lambda s, t, n: str(require(person(s, t, n), Role.OPERATOR)),
        "NotEntitled",
    ),
    "file-that-others-write": (
        "be somebody by a people file that others may write",
        lambda s, t, n: _known(_open_to_others(s), t, n),
        "ConfigurationError",
    ),
    "rotated": (
        "use a token that was rotated away",
        lambda s, t, n: (token_for(s, "Ada", Role.REVIEWER, now=n), _known(s, t, n))[1],
        "NotIdentified",
    ),
}
for _name, (_told, _attempt, _error) in PEOPLE.items():
    GROUP.add(f"person-{_name}", _told, f"refused: {_error}", _person(_attempt), quick=True)


def _issued(token: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        (ground.folder / "jwks.json").write_text(json.dumps({"keys": issuer.keys()}), encoding="utf-8")
        oidc = Oidc("https://id.example.com/", "precede", str(ground.folder / "jwks.json"))
        try:
            return f"taken: {by_issuer(oidc, token, issuer.NOW).name}"
        except NotIdentified:
            return "refused: NotIdentified"

    return run


for _name, (_sentence, _token) in issuer.REFUSED.items():
    GROUP.add(
        f"issued-{_slug(_name)}",
        f"be a person by an issuer's token {_name}",
        "refused: NotIdentified",
        _issued(_token),
        quick=True,
    )

"""What an approval is bound to, and what speaks against it later: pure.

It is bound to the proposal, to the read set, to the very tool call, to the policies, and to the records that each
entity had. A graph that was published anew, a field that the action does not read and the weights of links are in none
of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from orchestration.canonical import digest
from orchestration.contracts import Reason
from orchestration.gate.known import Approval, Ask
from orchestration.gate.readset import read_set, tool_call
from orchestration.gate.resolve import Case

EXPIRED: Final = "approval_expired"
_DIGESTS: Final = {
    "proposal_digest": ("proposal_changed", "The proposal is not the one that was approved."),
    "policy_digest": ("policy_changed", "The policies are not those that it was approved under."),
    "read_set_digest": ("read_set_changed", "What it rests on has changed."),
    "call_digest": ("tool_call_changed", "The action type makes another call of it."),
}


@dataclass(frozen=True, slots=True)
class Bound:
    """What a proposal comes to now, in the terms that an approval is bound to."""

    proposal_digest: str
    read_set_digest: str
    policy_digest: str
    call_digest: str
    records: Mapping[str, frozenset[str]]
    """Entity to its records."""


def bound(case: Case, policy_digest: str) -> Bound:
    """What a proposal comes to, whatever may speak against it for a while."""
    found = replace(case, objections=())
    owners = sorted({entity.entity_id for entity in case.found.entities.values()})
    return Bound(
        proposal_digest=proposal_digest(case.ask),
        read_set_digest=digest(read_set(found)),
        policy_digest=policy_digest,
        call_digest=digest(effect_of(case)),
        records={one: frozenset(record.record_id for record in case.graph.records.get(one, ())) for one in owners},
    )


def proposal_digest(ask: Ask) -> str:
    """What was proposed, by whom and in answer to what."""
    return digest([ask.action, ask.batch_id, ask.agent, ask.action_type, ask.arguments, ask.woken_entity])


def effect_of(case: Case) -> dict[str, Any] | None:
    """The exact call that the action type makes of it; none where a value that it needs is not known."""
    call, tool = tool_call(case), case.action_type.tool
    if call is None:
        return None
    return {"server": tool.server, "tool": tool.name, "arguments": call[0], "effect_key": call[1]}


def as_held(row: Mapping[str, Any]) -> Bound:
    """What a proposal came to when it was held."""
    digests = {name: row[name] for name in ("proposal_digest", "read_set_digest", "policy_digest", "call_digest")}
    return Bound(**digests, records={one: frozenset(records) for one, records in row["records"].items()})


def lapses(given: Approval, now_bound: Bound, now: datetime) -> list[Reason]:
    """Every reason why an approval is none any more of what a proposal comes to now."""
    found = list(differences(given, now_bound))
    if not given.at <= now < given.expires_at:
        found.append(Reason(code=EXPIRED, detail=f"The approval lasted until {given.expires_at.isoformat()}."))
    return found


def differences(given: Approval | Bound, now_bound: Bound) -> Iterator[Reason]:
    """In which of the things that an approval is bound to a proposal is another one now."""
    for name, (code, detail) in _DIGESTS.items():
        if getattr(given, name) != getattr(now_bound, name):
            yield Reason(code=code, detail=detail)
    for entity, records in given.records.items():
        for record in sorted(records - now_bound.records.get(entity, frozenset())):
            yield Reason(code="split", subject=entity, detail=f"{record} is no record of {entity} any more.")


def in_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Reason]:
    """What of a read set is another value now, a sentence each."""
    found = []
    for path, was, now in _changes((), before, after):
        if path[0] != "objections":
            *of, field = (part for part in path if part not in {"entities", "facts", "records", "fields"})
            about = f"{' '.join(of)} {field}".strip().replace("_", " ")
            found.append(
                Reason(code="read_set_changed", subject=".".join(path), detail=f"{about}: {_changed(was, now)}.")
            )
    return found


def _changed(was: object, now: object) -> str:
    if now is None:
        return f"was {_said(was)}, and is not known any more"
    if was is None:
        return f"was not known, and is {_said(now)}"
    return f"was {_said(was)}, is {_said(now)}"


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return str(value)


def _changes(path: tuple[str, ...], was: Any, now: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:  # noqa: ANN401  JSON
    if isinstance(was, dict) and isinstance(now, dict):
        for name in _names(was, now):
            yield from _changes((*path, name), was.get(name), now.get(name))
    elif isinstance(was, dict):
        yield path, "there", None
    elif isinstance(now, dict):
        yield path, None, "there"
    elif was != now:
        yield path, was, now


def _names(*mappings: Iterable[str]) -> list[str]:
    return sorted({name for each in mappings for name in each})

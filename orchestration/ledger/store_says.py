"""What the store's rows say of actions, of which there are many: each digest is taken from the row as it is held.

`agreement` says what rows tell of that there are few of, and compares. Here each function takes one action, or none for
all of them, and returns every subject with the digest of what is said of it.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Column, Connection, Select, String, Table, select

from orchestration.canonical import digest
from orchestration.contracts import OutcomeState
from orchestration.ledger import committed
from orchestration.ledger.digests import Digests
from orchestration.ledger.rows import raw, raw_column, written
from orchestration.ledger.subjects import CALL, HALT, PARTS, UNDER_WAY, Said, answer_digest
from orchestration.store import tables

_SETTLED: Final = frozenset(state.value for state in OutcomeState)
_MEANT: Final = (*tables.outbox.columns, tables.permit.c.consumed_at)
_SHOWN: Final = Digests(tables.trigger_row.columns, committed.of_trigger_row, ("note", "revision"))
_PROPOSED: Final = Digests(tables.proposal.columns, committed.of_proposal, ("edited_from", "edited_by"))
_DECIDED: Final = Digests(tables.decision.columns, committed.of_decision, ("request_digest",))
_PERMITTED: Final = Digests(tables.permit.columns, committed.of_permit)
_COUNTED: Final = Digests(
    (*tables.permit_use.columns, Column("subjects", String, nullable=False)), lambda row: committed.of_use(row, ())
)
_ELSEWHERE: Final = "on another day"
"""Told of an effect that is counted on another day than its permit is: no effect is on that."""
_INTENDED: Final = Digests(_MEANT, lambda row: committed.of_intent(row, row["consumed_at"]))
_BECAME: Final = Digests(_MEANT, committed.of_outcome)


def shown(connection: Connection) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """The digest of each row that agents were shown, by batch and row, and what was answered to each by row."""
    row_id, batch_id, answer, reason = _places(tables.trigger_row, "row_id", "batch_id", "answer", "reason")
    by_batch: dict[str, dict[str, str]] = defaultdict(dict)
    answers: dict[str, str] = {}
    for row in raw(connection, _query(tables.trigger_row, None)):
        by_batch[row[batch_id]][row[row_id]] = _SHOWN(row)
        if row[answer] is not None:
            answers[str(row[row_id])] = _answer(row[answer], row[reason])
    return by_batch, answers


def proposed(connection: Connection, action: str | None = None) -> Said:
    """The proposals; of one action where it was decided or a person wrote it: else its answer's entry alone tells."""
    key, edited = _places(tables.proposal, "action", "edited_from")
    said: dict[str, str] = {}
    rows = raw(connection, _query(tables.proposal, action))
    decided = action is None or any(raw(connection, _query(tables.decision, action)))
    for row in rows:
        if decided or row[edited]:
            said[str(row[key])] = _PROPOSED(row)
    return {PARTS["proposal"][0]: said}


def decided(connection: Connection, action: str | None = None) -> Said:
    """Decisions, the permits that they minted, what limits count these by, and the effects that used them."""
    said: Said = {PARTS[part][0]: {} for part in ("decision", "permit", "use", "intent", "outcome")}
    said[HALT], said[CALL] = {}, {}
    key, of, at, asked = _places(tables.decision, "decision_id", "action", "decided_at", "request_digest")
    told, found = set(), said[PARTS["decision"][0]]
    for row in raw(connection, _query(tables.decision, action)):
        found[str(row[key])] = _DECIDED(row)
        if row[asked]:
            told.add((row[of], row[at]))
    issued, consumed = _permits(connection, action, said)
    _uses(connection, action, {permit for permit, by in issued.items() if by in told}, said)
    _effects(connection, action, consumed, said)
    return said


def _permits(
    connection: Connection, action: str | None, said: Said
) -> tuple[dict[str, tuple[Any, Any]], dict[str, Any]]:
    """Take the permits in; the action of each with the time when it was minted, and when it was used."""
    names = ("permit_id", "action", "issued_at", "consumed_at", "halted_by")
    key, of, at, used, halted = _places(tables.permit, *names)
    issued, consumed, found = {}, {}, said[PARTS["permit"][0]]
    for row in raw(connection, _query(tables.permit, action)):
        permit = row[key]
        issued[permit], consumed[permit] = (row[of], row[at]), row[used]
        found[str(permit)] = _PERMITTED(row)
        if row[halted] is not None and action is None:  # the entry about the stop tells of it
            said[HALT][f"permit {permit}"] = digest(row[halted])
    return issued, consumed


def _uses(connection: Connection, action: str | None, minted: set[str], said: Said) -> None:
    """Take in what limits count each permit by, with all that its effect is on.

    Permits of decisions that are older than the facts kept with them were counted later, and no entry tells of it.
    """
    use, subject = tables.permit_use, tables.permit_subject
    on = select(*map(raw_column, (subject.c.permit_id, subject.c.subject, subject.c.business_date)))
    if action is not None:
        on = on.where(subject.c.permit_id.in_(select(use.c.permit_id).where(use.c.action == action)))
    subjects: dict[str, list[str]] = defaultdict(list)
    days: dict[str, Any] = {}
    for permit, one, on_day in raw(connection, on):
        subjects[permit].append(one if isinstance(one, str) else written(one))
        if days.setdefault(permit, on_day) != on_day:
            subjects[permit].append(_ELSEWHERE)
    (key, day), found = _places(use, "permit_id", "business_date"), said[PARTS["use"][0]]
    for row in raw(connection, _query(use, action)):
        if row[key] in minted:
            if days.get(row[key], row[day]) != row[day]:
                subjects[row[key]].append(_ELSEWHERE)
            found[str(row[key])] = _COUNTED((*row, committed.of_subjects(subjects[row[key]])))


def _effects(connection: Connection, action: str | None, consumed: dict[str, Any], said: Said) -> None:
    """Take in each effect as it was meant, and what became of it."""
    key, permit, state = _places(tables.outbox, "action", "permit_id", "state")
    meant, became = said[PARTS["intent"][0]], said[PARTS["outcome"][0]]
    for row in raw(connection, _query(tables.outbox, action)):
        whole = (*row, consumed.get(row[permit]))
        meant[str(row[key])] = _INTENDED(whole)
        if row[state] in _SETTLED:
            became[str(row[key])] = _BECAME(whole)
        elif row[state] == "sending":
            said[CALL][str(row[permit])] = UNDER_WAY


def _query(table: Table, action: str | None) -> Select[*tuple[Any, ...]]:
    query = select(*map(raw_column, table.columns))
    return query if action is None else query.where(table.c.action == action)


def _places(table: Table, *names: str) -> list[int]:
    """Where rows of a table have those columns."""
    columns = [column.name for column in table.columns]
    return [columns.index(name) for name in names]


@lru_cache(maxsize=1024, typed=True)
def _answer(answer: object, reason: object) -> str:
    return answer_digest(answer, reason)

"""The kinds of entry, and one function to record each from the store's own rows.

Write the row first, then record it, in the same transaction: what is committed to is read back from the database, so
that `verify` finds the very same later.

    kind           recorded by          tells of
    snapshot       snapshot_published   a graph that became current, and the digest of its file
    expired        snapshot_expired     a graph that nobody needs any more
    batch          batch_opened         an agent's wake and the rows it was shown
    answer         answered             an agent's answer to a wake, and what was taken of it
    decision       decided              a decision, its proposal, its evidence and the permit it minted
    intent         all_intended         an effect about to be tried, and the permit used up for it
    outcome        settled              what became of the effect
    batch_closed   batch_closed         the `effects/<agent>` materialisation that points back at the ledger
    judgement      judged               what somebody said of a pair of records
    settlement     value_settled        which value of a field somebody said is right
    credential     credential_minted    what an agent was given to answer a batch with, and what that replaced
    credentials_ended    credentials_ended    credentials whose time was over
    credentials_revoked  credentials_revoked  credentials that were taken back, of one agent or of all
    evidence_expired     evidence_expired     evidence that was removed after its time
    people         people_changed       somebody who was given roles or a token, or lost them

`entries_stop` has those about stops.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, func, select

from orchestration.contracts import Contract, Pin
from orchestration.ledger import committed, kept
from orchestration.ledger.chain import New, append, append_all, hashes
from orchestration.ledger.entries_approval import held_of
from orchestration.ledger.merkle import root_of
from orchestration.store import tables

SNAPSHOT: Final = "snapshot"
EXPIRED: Final = "expired"
BATCH: Final = "batch"
ANSWER: Final = "answer"
DECISION: Final = "decision"
INTENT: Final = "intent"
OUTCOME: Final = "outcome"
BATCH_CLOSED: Final = "batch_closed"
JUDGEMENT: Final = "judgement"
SETTLEMENT: Final = "settlement"
CREDENTIAL: Final = "credential"
CREDENTIALS_ENDED: Final = "credentials_ended"
CREDENTIALS_REVOKED: Final = "credentials_revoked"
PEOPLE: Final = "people"
EVIDENCE_EXPIRED: Final = "evidence_expired"
_MEANT: Final = (
    select(*(tables.outbox.c[name] for name in committed.INTENT), tables.permit.c.consumed_at)
    .join(tables.permit, tables.permit.c.permit_id == tables.outbox.c.permit_id)
    .where(tables.outbox.c.action.in_(bindparam("actions", expanding=True)))
)
"""Effects as they are meant, and when their permits were used up for them."""


class LedgerRange(Contract):
    """Entries `first` to `last`, both included, and the Merkle root over their hashes."""

    first: int
    last: int
    root: str


def snapshot_published(connection: Connection, snapshot_id: str, *, at: datetime) -> int:
    """Record that a snapshot became current; its number in the chain."""
    row = _one(connection, tables.snapshot, tables.snapshot.c.snapshot_id == snapshot_id)
    body = {"snapshot": snapshot_id, "run": row["run_id"], "file": row["file_digest"]}
    return append(connection, SNAPSHOT, body, at=at, payload={"snapshot": committed.of_snapshot(row)})


def snapshot_expired(connection: Connection, snapshot_id: str, *, at: datetime) -> int:
    """Record that a snapshot's file is not needed any more; its number in the chain."""
    return append(connection, EXPIRED, {"snapshot": snapshot_id}, at=at)


def batch_opened(connection: Connection, batch_id: str, *, at: datetime) -> int:
    """Record an agent's wake, once its batch and trigger rows are written; its number in the chain."""
    row = _one(connection, tables.batch, tables.batch.c.batch_id == batch_id)
    found = connection.execute(select(tables.trigger_row).where(tables.trigger_row.c.batch_id == batch_id))
    rows = [dict(item) for item in found.mappings()]
    body = {
        "batch": batch_id,
        "agent": row["agent"],
        "snapshot": row["snapshot_id"],
        "business_date": row["business_date"],
        "rows": row["row_count"],
        "pin": row["pin"],
        **({"revises": row["revises"]} if row["revises"] else {}),
    }
    return append(connection, BATCH, body, at=at, payload={"batch": committed.of_batch(row, rows)})


def answered(connection: Connection, body: Mapping[str, Any], payload: Mapping[str, Any], *, at: datetime) -> int:
    """Record what an agent answered: counts and ids for all to see, what was said as a commitment; its number."""
    return append(connection, ANSWER, body, at=at, payload=payload)


def decided(connection: Connection, decision_id: int, *, at: datetime, permit_id: str | None = None) -> int:
    """Record a decision, once it, its evidence and its permit are written; its number in the chain."""
    return all_decided(connection, {decision_id: permit_id}, at=at)[0]


class Rows(NamedTuple):
    """What decisions commit to: rows as they stand in the store, or as they were written to it just now."""

    decisions: Mapping[int, Mapping[str, Any]]
    evidence: Mapping[str, str]
    """Action to the digest of its evidence."""
    permits: Mapping[str, Mapping[str, Any]]
    uses: Mapping[str | None, Mapping[str, Any]]
    """Permit to what limits count it by."""

    @classmethod
    def read(cls, connection: Connection, permits: Mapping[int, str | None]) -> Self:
        """Those of decisions and the permits that they minted."""
        decisions = _by(connection, tables.decision.c.decision_id, permits)
        evidence = dict(kept.stored(connection, {each["action"] for each in decisions.values()}))
        minted = _by(connection, tables.permit.c.permit_id, {each for each in permits.values() if each is not None})
        return cls(decisions, evidence, minted, _uses(connection, minted.keys()))


def all_decided(
    connection: Connection, permits: Mapping[int, str | None], *, at: datetime, rows: Rows | None = None
) -> list[int]:
    """Record decisions that were made together, once they, their evidence and their permits are written.

    Args:
        connection: Inside `Store.begin()`.
        permits: Each decision's number to the permit that it minted, if it minted one; at most some hundred.
        at: When they were made.
        rows: What was written of them in this transaction; it is read back where they are not given.

    Returns:
        Their numbers in the chain, in the order of the decisions.
    """
    return append_all(connection, DECISION, told(connection, permits, rows or Rows.read(connection, permits)), at=at)


def told(connection: Connection, permits: Mapping[int, str | None], rows: Rows) -> list[New]:
    """What entries of decisions are to say, from those rows and what the store says beside them."""
    proposals = _by(connection, tables.proposal.c.action, {each["action"] for each in rows.decisions.values()})
    batches = _by(connection, tables.batch.c.batch_id, {each["batch_id"] for each in proposals.values()})
    held = held_of(connection, proposals.keys())
    entries = []
    for decision_id, permit_id in permits.items():
        decision = rows.decisions[decision_id]
        proposal = proposals[decision["action"]]
        body = {
            "decision": decision_id,
            "batch": proposal["batch_id"],
            "agent": proposal["agent"],
            "action_type": proposal["action_type"],
            "verdict": decision["verdict"],
            "reasons": [reason["code"] for reason in decision["reasons"]],
            "policies": decision["policies"],
            "policy_digest": decision["policy_digest"],
            "snapshot": decision["snapshot_id"],
            "pin": batches[proposal["batch_id"]]["pin"],
            "permit": permit_id,
        }
        payload: dict[str, Any] = {
            "decision": committed.of_decision(decision),
            "proposal": committed.of_proposal(proposal),
            "evidence": rows.evidence.get(decision["action"]),
            "permit": None if permit_id is None else committed.of_permit(rows.permits[permit_id]),
        }
        if permit_id in rows.uses:
            payload["use"] = rows.uses[permit_id]
        if decision["action"] in held:
            payload["held"] = held[decision["action"]]
        entries.append(New(body, decision["action"], payload))
    return entries


def intended(connection: Connection, action: str, *, at: datetime, approval: str | None = None) -> int:
    """Record an effect about to be tried, once its outbox row stands and what it takes is consumed; its number."""
    return all_intended(connection, {action: approval}, at=at)[0]


def all_intended(connection: Connection, approvals: Mapping[str, str | None], *, at: datetime) -> list[int]:
    """Record effects about to be tried, once their outbox rows stand and what they take is consumed.

    Args:
        connection: Inside `Store.begin()`.
        approvals: Each effect's action to the approval that it took, if it took one; at most some hundred.
        at: When they were meant.

    Returns:
        Their numbers in the chain, in the order of the actions.
    """
    rows = connection.execute(_MEANT, {"actions": list(approvals)}).mappings()
    meant = {row["action"]: dict(row) for row in rows}
    taken = [action for action, approval in approvals.items() if approval is not None]
    held = held_of(connection, taken) if taken else {}
    entries = []
    for action, approval in approvals.items():
        if action not in meant:
            raise LookupError(f"no row of outbox with its permit is of {action}: write both before it is recorded")
        outbox = meant[action]
        body = {"permit": outbox["permit_id"], "tool_server": outbox["tool_server"], "tool": outbox["tool"]}
        payload = {"intent": committed.of_intent(outbox, outbox["consumed_at"])}
        if approval is not None:
            body["approval"] = approval
            payload["held"] = held[action]
        entries.append(New(body, action, payload))
    return append_all(connection, INTENT, entries, at=at)


def settled(connection: Connection, action: str, *, at: datetime) -> int:
    """Record what became of an effect, once its outbox row says so; its number in the chain."""
    outbox = _one(connection, tables.outbox, tables.outbox.c.action == action)
    body = {"permit": outbox["permit_id"], "state": outbox["state"]}
    payload = {"outcome": committed.of_outcome(outbox)}
    return append(connection, OUTCOME, body, at=at, action=action, payload=payload)


def batch_closed(
    connection: Connection, batch_ids: Sequence[str], pin: Pin, covered: LedgerRange, *, at: datetime
) -> int:
    """Record the materialisation of `effects/<agent>` that named this range of the ledger; its number in the chain."""
    body = {"batches": list(batch_ids), "pin": pin, **covered.model_dump()}
    return append(connection, BATCH_CLOSED, body, at=at)


def judged(connection: Connection, judgement_id: str, *, at: datetime) -> int:
    """Record what somebody said of a pair of records, once its row is written; its number in the chain."""
    row = _one(connection, tables.judgement, tables.judgement.c.judgement_id == judgement_id)
    body = {"judgement": judgement_id, "entity_type": row["entity_type"], "verdict": row["verdict"]}
    body["snapshot"] = row["snapshot_id"]
    return append(connection, JUDGEMENT, body, at=at, payload={"judgement": committed.of_judgement(row)})


def value_settled(connection: Connection, judgement_id: str, *, at: datetime) -> int:
    """Record which value somebody said is right, once its row is written; its number in the chain."""
    row = _one(connection, tables.settlement, tables.settlement.c.judgement_id == judgement_id)
    body = {"settlement": judgement_id, "entity_type": row["entity_type"], "field": row["field"]}
    body["snapshot"] = row["snapshot_id"]
    return append(connection, SETTLEMENT, body, at=at, payload={"settlement": committed.of_settlement(row)})


def credential_minted(connection: Connection, credential_id: str, replaced: Sequence[str], *, at: datetime) -> int:
    """Record what an agent was given to answer a batch with, once its row is written; its number in the chain."""
    row = _one(connection, tables.agent_credential, tables.agent_credential.c.credential_id == credential_id)
    body = {"credential": credential_id, "agent": row["agent"], "batch": row["batch_id"], "replaced": list(replaced)}
    return append(connection, CREDENTIAL, body, at=at, payload={"credential": committed.of_credential(row)})


def credentials_ended(connection: Connection, credential_ids: Sequence[str], how: str, *, at: datetime) -> int:
    """Record that credentials are over, and how that came; its number in the chain."""
    return append(connection, CREDENTIALS_ENDED, {"credentials": list(credential_ids), "ended": how}, at=at)


def credentials_revoked(  # noqa: PLR0913  what was taken back, and who says so
    connection: Connection,
    credential_ids: Sequence[str],
    agent: str | None,
    *,
    at: datetime,
    by: str = "",
    reason: str = "",
) -> int:
    """Record that credentials of an agent, or of all, were taken back, and who says so; its number in the chain."""
    body = {"credentials": list(credential_ids), "agent": agent}
    return append(connection, CREDENTIALS_REVOKED, body, at=at, payload={"by": by, "reason": reason})


def people_changed(connection: Connection, change: str, about: Mapping[str, Any], by: str, *, at: datetime) -> int:
    """Record that somebody was given roles or a token, or lost them, and who says so; its number in the chain.

    Args:
        connection: Inside `Store.begin()`.
        change: `added`, `rotated` or `removed`.
        about: Whom it is about: name, mailbox, roles, until when; never a token or its hash.
        by: Who says so; empty for the first ones, whom nobody could have identified.
        at: When.
    """
    body = {"change": change, "roles": list(about["roles"]), "identified": bool(by)}
    return append(connection, PEOPLE, body, at=at, payload={**about, "by": by})


def evidence_expired(connection: Connection, action: str, *, at: datetime) -> int:
    """Record that the evidence of an action is removed, before it is; its number in the chain."""
    newest = select(func.max(tables.decision.c.decision_id)).where(tables.decision.c.action == action)
    decision_id = connection.execute(newest).scalar_one()
    body = {"decision": decision_id, "evidence": kept.as_told(connection, action)}
    return append(connection, EVIDENCE_EXPIRED, body, at=at, action=action)


def range_of(connection: Connection, batch_ids: Sequence[str]) -> LedgerRange | None:
    """The entries from the first to the last about any action of these batches; none where there is no entry.

    Entries about other matters may lie between them: a range has no holes.
    """
    entry, proposal = tables.ledger_entry, tables.proposal
    actions = select(proposal.c.action).where(proposal.c.batch_id.in_(batch_ids))
    row = connection.execute(
        select(func.min(entry.c.seq).label("first"), func.max(entry.c.seq).label("last")).where(
            entry.c.action.in_(actions)
        )
    ).one()
    if row.first is None:
        return None
    return LedgerRange(first=row.first, last=row.last, root=root_of(hashes(connection, row.first, row.last)))


def _by(connection: Connection, column: Column[Any], wanted: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """The rows of a table by one of its columns; every one that is wanted is written already."""
    keys = sorted(set(wanted))
    rows = connection.execute(select(column.table).where(column.in_(keys))).mappings() if keys else ()
    found = {row[column.name]: dict(row) for row in rows}
    if missing := [key for key in keys if key not in found]:
        raise LookupError(
            f"no row of {column.table} where {column.name} is {missing[0]}: write it before it is recorded"
        )
    return found


def _uses(connection: Connection, permit_ids: Collection[str]) -> dict[str | None, dict[str, Any]]:
    """What limits count each of those permits by, where they do."""
    use, subject = tables.permit_use, tables.permit_subject
    rows = (
        connection.execute(select(use).where(use.c.permit_id.in_(sorted(permit_ids)))).mappings() if permit_ids else ()
    )
    subjects = defaultdict(list)
    counted = select(subject.c.permit_id, subject.c.subject).where(subject.c.permit_id.in_(sorted(permit_ids)))
    for row in connection.execute(counted) if permit_ids else ():
        subjects[row.permit_id].append(row.subject)
    return {row["permit_id"]: committed.of_use(dict(row), subjects[row["permit_id"]]) for row in rows}


def _maybe(connection: Connection, table: Table, where: ColumnElement[bool]) -> dict[str, Any] | None:
    row = connection.execute(select(table).where(where)).mappings().one_or_none()
    return None if row is None else dict(row)


def _one(connection: Connection, table: Table, where: ColumnElement[bool]) -> dict[str, Any]:
    row = _maybe(connection, table, where)
    if row is None:
        raise LookupError(f"no row of {table.name} where {where}: write the row before it is recorded")
    return row

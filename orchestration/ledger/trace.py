"""The walk from one action back to the source rows it rests on, as they were then.

It reads the store alone: the evidence was kept with the decision, so that the walk outlives the snapshot's file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, Connection, Table, desc, select

from orchestration.contracts import Contract, Pin, Reason
from orchestration.errors import NotFound
from orchestration.ledger import agreement, pins
from orchestration.ledger.committed_effects import UNDO
from orchestration.ledger.entries import EVIDENCE_EXPIRED
from orchestration.ledger.erasures import proofs
from orchestration.ledger.links import entries, faults
from orchestration.ledger.telling import Telling, told_by
from orchestration.store import tables
from orchestration.store.engine import Store

_SHOWN = 5  # ids that an ambiguous prefix lists


class PermitTrace(Contract):
    """The permit that an effect used."""

    permit: str
    issued_at: datetime
    expires_at: datetime
    consumed_at: datetime | None


class ApprovalTrace(Contract):
    """What a person said of the action, as they were shown it."""

    approval: str
    verdict: str
    """approve, edit or reject."""
    person: str
    note: str
    at: datetime
    shown_at: datetime | None
    """None where what they were shown is not kept any more."""
    expires_at: datetime | None
    consumed_at: datetime | None
    """When it was used up for the effect."""
    voided_at: datetime | None
    void_code: str | None


class OutcomeTrace(Contract):
    """What became of the effect."""

    state: str
    """pending, sending, done, failed or unknown."""
    effect_key: str
    tool: str
    """`server/tool`."""
    tool_arguments: dict[str, Any]
    reference: str
    """What the system calls the row that was written."""
    detail: str
    attempts: int
    intended_at: datetime
    settled_at: datetime | None
    confirmed_record: str | None
    """The source row in which insight read the effect back."""


class UndoTrace(Contract):
    """The taking back of the effect."""

    undo: str
    state: str
    """As of an outcome."""
    tool: str
    reference: str
    detail: str
    intended_at: datetime
    settled_at: datetime | None
    confirmed_record: str | None
    by: str
    """Who says so; `[erased]` where that is somebody who was erased."""
    reason: str
    """Why, likewise."""


class EntryTrace(Contract):
    """One ledger entry about the action."""

    seq: int
    kind: str
    at: datetime
    sound: bool
    """Whether the entry and its payload are as they were written."""


class Trace(Contract):
    """One action, from its effect back to source rows."""

    action: str
    agent: str
    action_type: str
    entity: str
    arguments: dict[str, Any]
    rationale: str
    proposed_at: datetime
    batch: str
    business_date: str
    decision: str | None
    """allow, review or deny; none while the gate has not answered."""
    decided_at: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    policies: tuple[str, ...] = ()
    read_set: dict[str, Any] = Field(default_factory=dict)
    permit: str | None = None
    permit_detail: PermitTrace | None = None
    approvals: tuple[ApprovalTrace, ...] = ()
    """What people said of it, oldest first."""
    outcome: str | None = None
    """What became of the effect; none where none was tried."""
    outcome_detail: OutcomeTrace | None = None
    undos: tuple[UndoTrace, ...] = ()
    """Its taking back; a second one where the first is known not to have happened."""
    tainted: tuple[str, ...] = ()
    """How an entity of it is another by now: split, merged, judged, retired."""
    snapshot: str
    """The snapshot that was decided on, or that woke the agent while nothing is decided."""
    materialisations: tuple[Pin, ...] = ()
    """Of the snapshot, of what it was built from, and of the batch's own effects once it is closed."""
    entities: Any = None
    """Entity rows, golden records and crosswalk rows, as they were then."""
    source_rows: tuple[dict[str, Any], ...] = ()
    """As they were then: record_id, system, source_table, source_key, row_hash, row, and the records that it supports,
    which it completes beside the row that they come from."""
    evidence_removed_at: datetime | None = None
    """When what it rested on was removed, where its time was over; the ledger keeps the digest."""
    ledger: tuple[EntryTrace, ...] = ()
    problems: tuple[str, ...] = ()
    """Where the store's rows about this action are not what the ledger recorded."""


def trace(store: Store, action_id: str) -> Trace:
    """Walk from an action to its source rows.

    Args:
        store: The coordinator's store.
        action_id: The action's id, or the beginning of it where that names one action.

    Raises:
        NotFound: No action, or more than one, has that id or beginning.
        StoreError: The store cannot be read.
    """
    with store.read() as connection:
        proposal = _proposal(connection, action_id)
        return _trace(connection, proposal)


def action_named(connection: Connection, action_id: str) -> str:
    """The id of the action that has that id, or that it is the beginning of.

    Raises:
        NotFound: No action, or more than one, has that id or beginning.
    """
    return str(_proposal(connection, action_id)["action"])


def _trace(connection: Connection, proposal: dict[str, Any]) -> Trace:
    action = proposal["action"]
    batch = _one(connection, tables.batch, tables.batch.c.batch_id == proposal["batch_id"]) or {}
    decision = _last_decision(connection, action) or {}
    evidence = _one(connection, tables.evidence, tables.evidence.c.action == action) or {}
    outbox = _one(connection, tables.outbox, tables.outbox.c.action == action)
    permit = _permit(connection, action, outbox)
    told = _ledger(connection, action)
    return Trace(
        action=action,
        agent=proposal["agent"],
        action_type=proposal["action_type"],
        entity=proposal["entity_id"],
        arguments=proposal["arguments"],
        rationale=proposal["rationale"],
        proposed_at=proposal["proposed_at"],
        batch=proposal["batch_id"],
        business_date=str(batch["business_date"]),
        decision=decision.get("verdict"),
        decided_at=decision.get("decided_at"),
        reasons=tuple(Reason.model_validate(reason) for reason in decision.get("reasons", ())),
        policies=tuple(decision.get("policies", ())),
        read_set=evidence.get("read_set", {}),
        permit=permit and permit.permit,
        permit_detail=permit,
        approvals=tuple(_approvals(connection, action)),
        outcome=outbox and outbox["state"],
        outcome_detail=outbox and _outcome(outbox),
        undos=_undos(connection, action),
        tainted=_tainted(connection, action),
        snapshot=decision.get("snapshot_id") or batch["snapshot_id"],
        materialisations=_materialisations(connection, evidence, batch),
        entities=evidence.get("entities"),
        source_rows=tuple(evidence.get("source_rows", ())),
        evidence_removed_at=None if evidence else _removed_at(told),
        ledger=told,
        problems=_problems(connection, action),
    )


def _proposal(connection: Connection, action_id: str) -> dict[str, Any]:
    column = tables.proposal.c.action
    exact = _one(connection, tables.proposal, column == action_id)
    if exact is not None:
        return exact
    begins = select(tables.proposal).where(column.startswith(action_id, autoescape=True)).order_by(column)
    found = [dict(row) for row in connection.execute(begins.limit(_SHOWN + 1)).mappings()] if action_id else []
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(row["action"] for row in found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
        raise NotFound(
            f"More than one action begins with {action_id!r}: {shown}; needed an id that names one; give more of it."
        )
    raise NotFound(f"No action has the id {action_id!r}; needed one that exists; list them with `precede actions`.")


def _last_decision(connection: Connection, action: str) -> dict[str, Any] | None:
    query = (
        select(tables.decision)
        .where(tables.decision.c.action == action)
        .order_by(desc(tables.decision.c.decision_id))
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def _permit(connection: Connection, action: str, outbox: dict[str, Any] | None) -> PermitTrace | None:
    """The permit that the effect used, or else the last one issued for the action."""
    table = tables.permit
    wanted = table.c.action == action if outbox is None else table.c.permit_id == outbox["permit_id"]
    query = select(table).where(wanted).order_by(desc(table.c.issued_at)).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return PermitTrace(
        permit=row["permit_id"],
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
        consumed_at=row["consumed_at"],
    )


def _approvals(connection: Connection, action: str) -> Iterator[ApprovalTrace]:
    said, shown = tables.approval, tables.showing
    query = (
        select(said, said.c.approval_id.label("approval"), shown.c.at.label("shown_at"))
        .outerjoin(shown, shown.c.showing_id == said.c.showing_id)
        .where(said.c.action == action)
        .order_by(said.c.at, said.c.approval_id)
    )
    for row in connection.execute(query).mappings():
        yield ApprovalTrace(**{name: row[name] for name in ApprovalTrace.model_fields})


def _outcome(outbox: dict[str, Any]) -> OutcomeTrace:
    kept = {name: outbox[name] for name in OutcomeTrace.model_fields if name != "tool"}
    return OutcomeTrace(**kept, tool=f"{outbox['tool_server']}/{outbox['tool']}")


def _undos(connection: Connection, action: str) -> tuple[UndoTrace, ...]:
    query = select(tables.undo).where(tables.undo.c.action == action).order_by(tables.undo.c.intended_at)
    own = UndoTrace.model_fields.keys() - {"undo", "tool", "by", "reason"}
    rows = connection.execute(query).mappings().all()
    earlier = _said(connection, action) if not all(row["operator"] for row in rows) else {}
    return tuple(
        UndoTrace(
            undo=row["undo_id"],
            tool=f"{row['tool_server']}/{row['tool']}",
            **{name: row[name] for name in own},
            **(
                {"by": row["operator"], "reason": row["reason"]}
                if row["operator"]
                else earlier.get(row["undo_id"], {"by": "", "reason": ""})
            ),
        )
        for row in rows
    )


def _said(connection: Connection, action: str) -> dict[str, dict[str, str]]:
    """Who takes the effect back and why, of before their row said it: as those entries of the ledger say that hold."""
    sound = [entry for entry in entries(connection, action) if entry.kind == UNDO and not any(faults(entry))]
    payloads = {entry.says()["undo"]: entry.covers() for entry in sound}
    return {undo: {"by": said["by"], "reason": said["reason"]} for undo, said in payloads.items() if "by" in said}


def _tainted(connection: Connection, action: str) -> tuple[str, ...]:
    table = tables.tainted_effect
    query = select(table.c.how).where(table.c.action == action, table.c.cleared_at.is_(None)).distinct()
    return tuple(connection.execute(query.order_by(table.c.how)).scalars())


def _materialisations(connection: Connection, evidence: dict[str, Any], batch: dict[str, Any]) -> tuple[Pin, ...]:
    rested_on = pins.of(connection, evidence.get("materialisations", ()))
    stated = [batch["pin"], *rested_on, batch["effects_pin"]]
    return tuple(dict.fromkeys(Pin.model_validate(item) for item in stated if item))


def _ledger(connection: Connection, action: str) -> tuple[EntryTrace, ...]:
    gone = proofs(connection).gone
    sound = {entry.seq: not any(faults(entry, gone)) for entry in entries(connection, action)}
    table = tables.ledger_entry
    query = select(table.c.seq, table.c.kind, table.c.at).where(table.c.action == action).order_by(table.c.seq)
    return tuple(
        EntryTrace(seq=row.seq, kind=row.kind, at=row.at, sound=sound[row.seq]) for row in connection.execute(query)
    )


def _removed_at(told: tuple[EntryTrace, ...]) -> datetime | None:
    return max((entry.at for entry in told if entry.kind == EVIDENCE_EXPIRED), default=None)


def _problems(connection: Connection, action: str) -> tuple[str, ...]:
    telling, problems, erased = Telling(), [], proofs(connection)
    for entry in entries(connection, action):
        if not any(faults(entry, erased.gone)):
            problems += telling.hear(entry)
    store = dict(agreement.told_by_store(connection, telling.told, action))
    for entry in erased.entries:  # which tell of what is left of many actions
        for subject, told in told_by(entry):
            if subject in store:
                telling.told.setdefault(subject, told)
    return (*problems, *agreement.differences(telling.told, store))


def _one(connection: Connection, table: Table, where: ColumnElement[bool]) -> dict[str, Any] | None:
    row = connection.execute(select(table).where(where)).mappings().one_or_none()
    return None if row is None else dict(row)

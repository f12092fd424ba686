"""The walk from one action back to the source rows it rests on, as they were then.

It reads the store alone: the evidence was kept with the decision, so that the walk outlives the snapshot's file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, Table, desc, select

from orchestration.contracts import Pin, Reason
from orchestration.errors import NotFound
from orchestration.ledger import agreement, pins
from orchestration.ledger.erasures import proofs
from orchestration.ledger.kinds import EVIDENCE_EXPIRED, UNDO
from orchestration.ledger.links import entries, faults
from orchestration.ledger.telling import Telling, told_by
from orchestration.ledger.traced import ApprovalTrace, EntryTrace, OutcomeTrace, PermitTrace, Trace, UndoTrace
from orchestration.store import tables
from orchestration.store.engine import Store

_SHOWN = 5  # ids that an ambiguous prefix lists


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
        edited_from=proposal["edited_from"],
        edited_by=proposal["edited_by"],
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
    stated = [batch["pin"], *_rested_on(connection, evidence), batch["effects_pin"]]
    return tuple(dict.fromkeys(pin for item in stated if item and (pin := _pin(item)) is not None))


def _rested_on(connection: Connection, evidence: dict[str, Any]) -> list[Any]:
    """The pins of a decision; none where these were edited to what is no list, which the trace's problems say."""
    try:
        return pins.of(connection, evidence.get("materialisations", ()))
    except (ValueError, TypeError):
        return []


def _pin(stated: object) -> Pin | None:
    """A pin as it is kept; none of what was edited to be none."""
    try:
        return Pin.model_validate(stated)
    except ValidationError:
        return None


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

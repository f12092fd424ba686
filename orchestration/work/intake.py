"""Taking agents' answers from the exchange into the store, each batch in one transaction.

An answer is taken once: the batch must wait, belong to the agent whose folder the answer is in, and know every row
that is proposed for; and the answer must carry the credential that this agent was given for this batch. What cannot be
taken is recorded with its reason and executed nowhere. Without that credential it is not the agent's answer at all: it
is removed, and the batch waits on for one that is. A crash between the store and the exchange leaves an answer that
the next run finds taken, and clears away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, bindparam, insert, select, update

from orchestration.canonical import digest
from orchestration.contracts import EntityId, ProposalSet
from orchestration.errors import NotFound
from orchestration.identity import credentials
from orchestration.identity.session import Claims, CredentialRefused, scope_of
from orchestration.ledger import committed, entries, handed_on
from orchestration.store.engine import Store
from orchestration.store.tables import batch, handoff, proposal, trigger_row
from orchestration.work.answers import Accepted, Sorted, refuse_all, sort_answer
from orchestration.work.exchange import Exchange, ExchangeError


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of one answer.

    Attributes:
        agent: Whose folder it was in.
        batch_id: The batch it answers.
        content: What was taken and what was not, by row.
        refusal: Why nothing of it was taken; empty where it was read.
        code: The refusal by its stable name.
        credential: The id of the credential that it was taken by.
        waits: Whether its batch waits on for an answer.
    """

    agent: str
    batch_id: str
    content: Sorted
    refusal: str = ""
    code: str = ""
    credential: str | None = None
    waits: bool = False


def take_in(store: Store, exchange: Exchange, key: Ed25519PublicKey, *, now: datetime) -> list[TakenIn]:
    """Take every answer in the exchange into the store, and clear it away.

    Args:
        store: The coordinator's store.
        exchange: Where answers are.
        key: The public half of what credentials are signed with.
        now: The machine's time.

    Returns:
        One entry for each answer that was new; one that was taken before is only cleared. Whatever an agent put in
        an answer's place keeps no other answer from being taken.

    Raises:
        StoreError: The store cannot be written; what was not taken yet stays in the exchange.
    """
    taken = []
    for agent in exchange.agents():
        for batch_id in exchange.answered(agent):
            said = _read(exchange, agent, batch_id)
            with store.begin() as connection:
                done = _take(connection, agent, batch_id, said, key, now)
                if done is not None:
                    _write(connection, done, now)
                    _record(connection, done, now)
                    taken.append(done)
            with suppress(OSError, RecursionError):  # folders without end, say: the next run finds it taken, and clears
                put_away = exchange.reject if done is not None and done.waits else exchange.clear
                put_away(agent, batch_id)
    return taken


def _take(  # noqa: PLR0913, PLR0917  whose answer, what it says, and what it is held against
    connection: Connection, agent: str, batch_id: str, said: ProposalSet | str, key: Ed25519PublicKey, now: datetime
) -> TakenIn | None:
    """What an answer, or the reason why it cannot be read, comes to; nothing where one was taken before."""
    found = connection.execute(select(batch.c.agent, batch.c.state).where(batch.c.batch_id == batch_id)).one_or_none()
    if found is None or found.agent != agent:
        return TakenIn(agent, batch_id, Sorted(), f"{agent} was given no batch {batch_id}", "no_batch")
    if found.state != "waiting":
        return None
    rows = _rows(connection, batch_id)
    if isinstance(said, str):
        return TakenIn(agent, batch_id, refuse_all(rows, said), said, "unreadable")
    credentials.lapse(connection, now)
    try:
        claims = credentials.verify(connection, said.credential, key, agent=agent, batch_id=batch_id, now=now)
    except CredentialRefused as refused:
        return TakenIn(agent, batch_id, Sorted(), refused.reason.detail, refused.reason.code, waits=True)
    credentials.answered(connection, claims.jti, now)
    if beyond := _beyond(said, claims):
        return TakenIn(agent, batch_id, refuse_all(rows, beyond), beyond, "out_of_scope", claims.jti)
    return TakenIn(agent, batch_id, sort_answer(said, rows), credential=claims.jti)


def _beyond(said: ProposalSet, claims: Claims) -> str:
    """Why an answer goes beyond what its credential lets the agent propose; empty where it does not."""
    strange = sum(scope_of(proposal.action_type) not in claims.scopes for proposal in said.proposals)
    if not strange:
        return ""
    allowed = ", ".join(scope.partition(":")[2] for scope in claims.scopes)
    return f"It proposes {strange:,} actions of types that its credential does not name; needed none but: {allowed}."


def _read(exchange: Exchange, agent: str, batch_id: str) -> ProposalSet | str:
    try:
        return exchange.read_answer(agent, batch_id)
    except (ExchangeError, NotFound) as error:
        return str(error)
    except OSError as error:
        return f"{agent}/{batch_id}: its answer could not be read ({error.strerror})."


def _rows(connection: Connection, batch_id: str) -> dict[str, EntityId]:
    rows = select(trigger_row.c.row_id, trigger_row.c.entity_id).where(trigger_row.c.batch_id == batch_id)
    return {row.row_id: EntityId(row.entity_id) for row in connection.execute(rows)}


def _write(connection: Connection, taken: TakenIn, now: datetime) -> None:
    content = taken.content
    if content.accepted:
        connection.execute(insert(proposal), [_row(taken, accepted, now) for accepted in content.accepted])
    groups = {
        "proposed": {accepted.proposal.row_id: "" for accepted in content.accepted},
        "declined": content.declined,
        "failed": content.failed,
        "refused": content.refused,
    }
    answers = [
        {"of_row": row_id, "answer": answer, "reason": reason}
        for answer, rows in groups.items()
        for row_id, reason in rows.items()
    ]
    if content.handoffs:
        connection.execute(insert(handoff), list(_handoffs(taken, now)))
    if answers:
        connection.execute(update(trigger_row).where(trigger_row.c.row_id == bindparam("of_row")), answers)
        connection.execute(update(batch).where(batch.c.batch_id == taken.batch_id).values(state="answered"))


def _row(taken: TakenIn, accepted: Accepted, now: datetime) -> dict[str, Any]:
    said = accepted.proposal
    return {
        "action": accepted.action,
        "batch_id": taken.batch_id,
        "row_id": said.row_id,
        "agent": taken.agent,
        "action_type": said.action_type,
        "entity_id": accepted.entity_id,
        "arguments": said.arguments,
        "rationale": said.rationale,
        "proposed_at": now,
        "digest": digest({"agent": taken.agent, "batch": taken.batch_id, "proposal": said}),
    }


def _handoffs(taken: TakenIn, now: datetime) -> Iterator[dict[str, Any]]:
    for number, said in enumerate(taken.content.handoffs, 1):
        yield {"batch_id": taken.batch_id, "number": number, "taken_at": now, **said.model_dump(mode="json")}


def _record(connection: Connection, taken: TakenIn, now: datetime) -> None:
    """Tell the ledger of the answer: counts and ids for all to see, what was said as a commitment."""
    content = taken.content
    body = {
        "batch": taken.batch_id,
        "agent": taken.agent,
        "read": not taken.refusal,
        "refusal": taken.code or None,
        "credential": taken.credential,
        "proposed": [accepted.action for accepted in content.accepted],
        "declined": len(content.declined),
        "failed": len(content.failed),
        "refused": len(content.refused),
        "strange": content.strange,
        "handoffs": len(content.handoffs),
        "handoff_digest": handed_on.digest_of(_handoffs(taken, now)) if content.handoffs else None,
        "unusable_handoffs": content.unusable,
    }
    payload = {
        "proposals": {
            accepted.action: committed.of_proposal(_row(taken, accepted, now)) for accepted in content.accepted
        },
        "declined": content.declined,
        "failed": content.failed,
        "refused": content.refused,
        "refusal": taken.refusal,
        "handoffs": content.handoffs,
    }
    entries.answered(connection, body, payload, at=now)

"""Agents' credentials: minted for one batch, verified when it is answered, and revoked at once.

The store keeps what each says and what became of it, never the token. What ended stays ended, whatever the clock
says later; one that was answered with can still be revoked, and then what came with it is believed no more.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from orchestration.identity import session
from orchestration.identity.clock import latest
from orchestration.identity.session import AUDIENCE, ISSUER, Claims, CredentialRefused, scope_of
from orchestration.ledger import entries_identity as entries
from orchestration.registry import AgentCard
from orchestration.store.tables import agent_credential as table
from orchestration.store.tables import batch

ANSWERED: Final = "answered"
EXPIRED: Final = "expired"
REPLACED: Final = "replaced"


@dataclass(frozen=True, slots=True)
class Held:
    """The credential that a batch was answered with.

    Attributes:
        credential_id: Which.
        agent: Whose it was.
        scopes: What it let the agent propose.
        revoked: Whether it was revoked since.
    """

    credential_id: str
    agent: str
    scopes: frozenset[str]
    revoked: bool

    def covers(self, action_type: str) -> bool:
        """Whether it lets its agent propose that type of action."""
        return scope_of(action_type) in self.scopes


def mint(connection: Connection, card: AgentCard, batch_id: str, key: Ed25519PrivateKey, now: datetime) -> str:
    """A new credential for one agent to answer one batch with; an earlier one for that batch is over.

    Args:
        connection: Inside `Store.begin()`, once the batch is written.
        card: The agent's.
        batch_id: The batch.
        key: What credentials are signed with.
        now: When it begins; it lasts as long as the card says.

    Returns:
        The token. It is kept nowhere.
    """
    replaced = _ids(connection, table.c.batch_id == batch_id, table.c.ended_at.is_(None))
    _end(connection, replaced, REPLACED, now)
    begins = now.replace(microsecond=0)
    claims = Claims(
        iss=ISSUER,
        aud=AUDIENCE,
        sub=card.name,
        sid=batch_id,
        scopes=[scope_of(each) for each in card.action_types],
        jti=f"cred_{secrets.token_hex(12)}",
        iat=int(begins.timestamp()),
        exp=int((begins + card.session_lifetime).timestamp()),
    )
    connection.execute(
        insert(table).values(
            credential_id=claims.jti,
            agent=card.name,
            batch_id=batch_id,
            scopes=claims.scopes,
            issued_at=begins,
            expires_at=claims.expires_at,
        )
    )
    entries.credential_minted(connection, claims.jti, replaced, at=now)
    return session.sign(claims, key)


def verify(  # noqa: PLR0913  whose it must be, for what, and when
    connection: Connection, token: str, key: Ed25519PublicKey, *, agent: str, batch_id: str, now: datetime
) -> Claims:
    """What the credential of an answer says, where it gives leave to answer.

    Args:
        connection: Of the store.
        token: What came with the answer.
        key: The coordinator's, public.
        agent: Whose folder the answer was in.
        batch_id: The batch that it answers.
        now: The machine's time; one before the ledger's latest entry counts as that.

    Raises:
        CredentialRefused: It is missing, malformed, not signed by us, another agent's or batch's, over or revoked.
    """
    claims = session.read(token, key)
    if claims.sub != agent:
        raise CredentialRefused("another_agent", f"Its credential is another agent's; needed one of {agent}.")
    if claims.sid != batch_id:
        raise CredentialRefused("another_batch", f"Its credential is for another batch; needed one for {batch_id}.")
    row = connection.execute(select(table).where(table.c.credential_id == claims.jti)).one_or_none()
    if row is None or (row.agent, row.batch_id, row.expires_at) != (agent, batch_id, claims.expires_at):
        raise CredentialRefused("unknown_credential", "Its credential is signed, and none that the store knows.")
    if row.revoked_at is not None:
        raise CredentialRefused("revoked_credential", f"Its credential was revoked at {row.revoked_at.isoformat()}.")
    if row.ended == EXPIRED or latest(connection, now) >= claims.expires_at:
        raise CredentialRefused("expired_credential", f"Its credential ended at {claims.expires_at.isoformat()}.")
    if row.ended_at is not None:
        raise CredentialRefused("ended_credential", f"Its credential was {row.ended} at {row.ended_at.isoformat()}.")
    return claims


def answered(connection: Connection, credential_id: str, now: datetime) -> None:
    """Let a credential end with the answer that came with it; the entry of that answer names it."""
    _end(connection, [credential_id], ANSWERED, now)


def lapse(connection: Connection, now: datetime) -> list[str]:
    """Let every credential end whose time is over, for good; their ids."""
    over = _ids(connection, table.c.ended_at.is_(None), table.c.expires_at <= latest(connection, now))
    if over:
        _end(connection, over, EXPIRED, now)
        entries.credentials_ended(connection, over, EXPIRED, at=now)
    return over


def revoke(connection: Connection, agent: str | None, now: datetime, *, by: str = "", reason: str = "") -> list[str]:
    """Revoke every credential of an agent, or of all: what it was given and what its open batches were answered with.

    Args:
        connection: Inside `Store.begin()`.
        agent: The agent's name; None for every agent.
        now: When.
        by: Who says so; empty where it follows from something else that the ledger records, such as a stop.
        reason: Why.

    Returns:
        The ids of those revoked, none of which was before.
    """
    unfinished = select(batch.c.batch_id).where(batch.c.state != "closed")
    open_yet = or_(table.c.ended_at.is_(None), and_(table.c.ended == ANSWERED, table.c.batch_id.in_(unfinished)))
    whose = () if agent is None else (table.c.agent == agent,)
    found = _ids(connection, table.c.revoked_at.is_(None), open_yet, *whose)
    if found:
        connection.execute(update(table).where(table.c.credential_id.in_(found)).values(revoked_at=now))
        entries.credentials_revoked(connection, found, agent, at=now, by=by, reason=reason)
    return found


def usable(connection: Connection, now: datetime) -> set[str]:
    """The batches that an agent holds a credential for which it can still answer with."""
    live = (table.c.ended_at.is_(None), table.c.revoked_at.is_(None), table.c.expires_at > latest(connection, now))
    return set(connection.execute(select(table.c.batch_id).where(*live)).scalars())


def current(connection: Connection, agent: str | None = None) -> list[dict[str, Any]]:
    """The credentials of batches that are not closed, the newest first: one is a row of the table."""
    open_batches = select(batch.c.batch_id).where(batch.c.state != "closed")
    query = select(table).where(table.c.batch_id.in_(open_batches)).order_by(table.c.issued_at.desc())
    rows = connection.execute(query if agent is None else query.where(table.c.agent == agent))
    return [dict(row) for row in rows.mappings()]


def held(connection: Connection, batch_ids: Iterable[str]) -> Mapping[str, Held]:
    """Batch to the credential that it was answered with; those without an answer by one are left out."""
    wanted = (table.c.batch_id.in_(sorted(batch_ids)), table.c.ended == ANSWERED)
    rows = connection.execute(select(table).where(*wanted))
    return {
        row.batch_id: Held(row.credential_id, row.agent, frozenset(row.scopes), revoked=row.revoked_at is not None)
        for row in rows
    }


def _ids(connection: Connection, *where: ColumnElement[bool]) -> list[str]:
    found: Any = connection.execute(select(table.c.credential_id).where(*where).order_by(table.c.credential_id))
    return list(found.scalars())


def _end(connection: Connection, ids: list[str], how: str, now: datetime) -> None:
    if ids:
        connection.execute(update(table).where(table.c.credential_id.in_(ids)).values(ended_at=now, ended=how))

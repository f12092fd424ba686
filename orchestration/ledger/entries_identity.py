"""The kinds of entry about who somebody is: credentials of agents, and people with their roles.

As in `entries.py`: write the row first, then record it, in the same transaction.

    kind                  recorded by           tells of
    credential            credential_minted     what an agent was given to answer a batch with, and what that replaced
    credentials_ended     credentials_ended     credentials whose time was over
    credentials_revoked   credentials_revoked   credentials that were taken back, of one agent or of all
    people                people_changed        somebody who was given roles or a token, or lost them
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from orchestration.ledger import committed
from orchestration.ledger.chain import append
from orchestration.ledger.kinds import CREDENTIAL, CREDENTIALS_ENDED, CREDENTIALS_REVOKED, PEOPLE
from orchestration.store.tables import agent_credential


def credential_minted(connection: Connection, credential_id: str, replaced: Sequence[str], *, at: datetime) -> int:
    """Record what an agent was given to answer a batch with, once its row is written; its number in the chain."""
    query = select(agent_credential).where(agent_credential.c.credential_id == credential_id)
    row = dict(connection.execute(query).mappings().one())
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

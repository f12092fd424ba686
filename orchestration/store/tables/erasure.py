"""Who was erased, what keeps them from coming back, and who objects to being contacted.

`suppression` holds keyed digests alone, `objection_subject` digests: nobody is named by either.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text

from orchestration.store.tables.base import UtcDateTime, json_column, metadata

# one person whom an operator erased
erasure = Table(
    "erasure",
    metadata,
    Column("erasure_id", String(64), primary_key=True),
    Column("entity_id", String(64), nullable=False),
    Column("operator", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    json_column("counts", nullable=False),  # what was removed of the store -> how many of it
    Column("finished_at", UtcDateTime),  # when landing, stages and graphs were without the person too
)


# one thing by which a row of a source is known to be of somebody who was erased
suppression = Table(
    "suppression",
    metadata,
    Column("digest", String(64), primary_key=True),  # HMAC with keys/suppression.key
    Column("kind", String(16), nullable=False),  # row | cell | mailbox | phone_name
    Column("key_id", String(16), nullable=False),  # which key
    Column("erasure_id", String(64), ForeignKey("erasure.erasure_id"), index=True),  # none: found when read again
    Column("at", UtcDateTime, nullable=False),
)


# one objection to being contacted
objection = Table(
    "objection",
    metadata,
    Column("objection_id", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),  # the last thing that happened to any of them has most
    Column("kind", String(8), nullable=False),  # entity | mailbox
    Column("said", Text, nullable=False),  # whom or what it was said of
    Column("operator", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Column("withdrawn_by", Text, nullable=False, server_default=""),
    Column("withdrawn_reason", Text, nullable=False, server_default=""),
)


# one thing by which whoever objects is known: an entity, a record that it had, a contact point
objection_subject = Table(
    "objection_subject",
    metadata,
    Column("objection_id", String(64), ForeignKey("objection.objection_id"), primary_key=True),
    Column("subject", String(32), primary_key=True),
    Index("objections_of_a_subject", "subject"),
)

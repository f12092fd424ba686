"""What people said of records and their values."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, String, Table, Text

from orchestration.store.tables.base import UtcDateTime, json_column, metadata

# one thing a person said of a pair of records; rows are never changed, and the last one of a pair counts
judgement = Table(
    "judgement",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 … in the order they were given
    Column("judgement_id", String(64), nullable=False, unique=True),
    Column("entity_type", String(64), nullable=False),
    Column("record_a", Text, nullable=False),  # record_a < record_b
    Column("record_b", Text, nullable=False),
    Column("verdict", String(16), nullable=False),  # same | different | skip (nothing is said, nor what was before)
    Column("reviewer", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("at", UtcDateTime, nullable=False),
    Column("snapshot_id", String(64)),  # the graph that the reviewer was shown
    json_column("shown", nullable=False),  # both records as they stood there, and how they compare
    Index("judgements_of_a_pair", "record_a", "record_b"),
)


# one thing a person said of a value that a record states; rows are never changed, the last one of a field counts
settlement = Table(
    "settlement",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 … in the order they were given
    Column("judgement_id", String(64), nullable=False, unique=True),
    Column("entity_type", String(64), nullable=False),
    Column("record_id", Text, nullable=False),  # whose entity it is said of
    Column("field", String(64), nullable=False),
    Column("value", Text),  # the right one; none where what was said before is taken back
    Column("until", Date),  # the last day on which it counts; none for ever
    Column("reviewer", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("at", UtcDateTime, nullable=False),
    Column("snapshot_id", String(64)),
    json_column("shown", nullable=False),  # what each record of the entity stated of the field
    Index("settlements_of_a_field", "record_id", "field"),
)

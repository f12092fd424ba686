"""Effects after they happened: taken back, seen again in their system, or resting on what is judged otherwise by now.

What an effect rested on stands here as ids and digests alone, so that it can be compared with every graph that comes,
without reading evidence, and after its time. Personal data stands in `undo.tool_arguments` and its permit.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from orchestration.store.tables.base import UtcDateTime, json_column, metadata

# one taking back of an effect; there is one of an action, unless it is known not to have happened
undo = Table(
    "undo",
    metadata,
    Column("undo_id", String(64), primary_key=True),
    Column("action", String(64), ForeignKey("proposal.action"), nullable=False, index=True),  # whose effect it is
    Column("permit_id", String(64), nullable=False),
    Column("permit", Text, nullable=False),  # as it was signed
    Column("signature", Text, nullable=False),
    Column("intent_seq", Integer, nullable=False),  # the ledger's entries that it rests on
    Column("outcome_seq", Integer, nullable=False),
    Column("effect_key", String(200), nullable=False),
    Column("tool_server", String(64), nullable=False),
    Column("tool", String(64), nullable=False),
    json_column("tool_arguments", nullable=False),
    Column("state", String(16), nullable=False),  # as in `outbox`
    Column("attempts", Integer, nullable=False),
    Column("reference", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("intended_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),  # of the permit
    Column("operator", Text, nullable=False, server_default=""),  # who says so; empty: before this was kept here
    Column("reason", Text, nullable=False, server_default=""),
    Column("settled_at", UtcDateTime),
    Column("by_person", Boolean, nullable=False, server_default=text("false")),  # no tool will say what became of it
    Column("confirmed_record", Text),  # as in `outbox`
    Column("confirmed_at", UtcDateTime),
    Column("missing_at", UtcDateTime),
    Index(
        "one_undo_an_action",
        "action",
        unique=True,
        sqlite_where=text("state <> 'failed'"),
        postgresql_where=text("state <> 'failed'"),
    ),
)


# one record that an entity of an effect had when it was decided
effect_record = Table(
    "effect_record",
    metadata,
    Column("action", String(64), ForeignKey("proposal.action"), primary_key=True),
    Column("entity_id", String(64), primary_key=True),
    Column("record_id", Text, primary_key=True, index=True),
)


# one value of an entity that the decision on an effect read
effect_value = Table(
    "effect_value",
    metadata,
    Column("action", String(64), ForeignKey("proposal.action"), primary_key=True),
    Column("entity_id", String(64), primary_key=True),
    Column("field", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
)


# one way in which an entity of an effect is another by now than it was then
tainted_effect = Table(
    "tainted_effect",
    metadata,
    Column("action", String(64), ForeignKey("proposal.action"), primary_key=True),
    Column("entity_id", String(64), primary_key=True),  # as it was called then
    Column("how", String(16), primary_key=True),  # split | merged | judged | retired
    Column("detail", Text, nullable=False),  # whose its records are today; which judgement says otherwise
    Column("snapshot_id", String(64), nullable=False),  # the first that says so
    Column("found_at", UtcDateTime, nullable=False),
    Column("cleared_snapshot", String(64)),  # the first that does not say so any more
    Column("cleared_at", UtcDateTime),
)


# one row of a source that Precede's account wrote and no unfailed entry of the ledger accounts for
incident = Table(
    "incident",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("how", String(16), primary_key=True),  # no_entry | said_failed | doubled
    Column("relation", Text, nullable=False),
    Column("effect_key", Text, nullable=False, server_default=""),  # that the row states, where it states one
    Column("snapshot_id", String(64), nullable=False),  # the first that shows it
    Column("found_at", UtcDateTime, nullable=False),
)


# one graph in which effects were looked for
effect_watch = Table(
    "effect_watch",
    metadata,
    Column("snapshot_id", String(64), primary_key=True),
    Column("watched_at", UtcDateTime, nullable=False),  # the last time
    Column("effects", Integer, nullable=False),  # looked at
    Column("tainted", Integer, nullable=False),  # those that are, of all of them
    Column("confirmed", Integer, nullable=False),  # seen for the first time
    Column("missing", Integer, nullable=False),  # that ought to have been seen by then
    Column("incidents", Integer, nullable=False),  # found for the first time
)

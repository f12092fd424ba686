"""Where an entity can be reached, as each record of it states, and who asserts it."""

from __future__ import annotations

from typing import Final

CONTACT_FIELDS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "organisation": (("email", "email"), ("phone", "phone")),
    "person": (("email", "email"), ("other_email", "email"), ("phone", "phone"), ("mobile", "phone")),
}
"""Channel of each field that reaches somebody, for each record type."""


def member_sql(record_type: str) -> str:
    """A query over `record`, `clustered` and `crosswalk_id` with one row per record: its columns and its `entity_id`.

    A mailbox is proved to be somebody's, not to be this entity's. Where only public values hold a record to its entity,
    a stranger may have brought it, and how it says to be reached is public, whoever asserts it, unless a record that
    is firmly of the entity asserts the same.
    """
    fields = CONTACT_FIELDS[record_type]
    stated = "\nUNION ALL\n".join(
        f"""
        SELECT entity_id, '{channel}' AS channel, {field} AS value FROM placed
        WHERE NOT attached AND {field} IS NOT NULL AND NOT list_contains(weak_fields, '{field}')
        """
        for field, channel in fields
    )
    channels = dict.fromkeys(channel for _, channel in fields)
    firm = ", ".join(f"list(value) FILTER (channel = '{channel}') AS firm_{channel}" for channel in channels)
    doubted = ", ".join(
        f"CASE WHEN attached AND NOT coalesce(list_contains(firm_{channel}, {field}), false) THEN '{field}' END"
        for field, channel in fields
    )
    return f"""
        WITH placed AS (
            SELECT record.*, crosswalk_id.entity_id, position, itself, clustered.unbelievable, clustered.attached
            FROM record JOIN clustered USING (record_id) JOIN crosswalk_id USING (cluster)
        ),
        firm AS (
            SELECT entity_id, {firm} FROM ({stated}) SEMI JOIN (FROM placed WHERE attached) USING (entity_id)
            GROUP BY entity_id
        ),
        judged AS (SELECT placed.*, [{doubted}] AS doubted FROM placed LEFT JOIN firm USING (entity_id))
        SELECT * EXCLUDE (attached, doubted) REPLACE (
            list_distinct(list_concat(weak_fields, doubted)) AS weak_fields,
            list_filter(verified_fields, lambda field: NOT list_contains(doubted, field)) AS verified_fields
        )
        FROM judged
    """


def contact_point_sql(record_type: str) -> str:
    """A query over `member` with one row per contact point and record: the graph's `contact_point`.

    What only the public or Precede asserts is `public` here: neither may be written to.
    """
    return "\nUNION\n".join(
        f"""
        SELECT entity_id, '{channel}' AS channel, {field} AS value, record_id,
               CASE WHEN list_contains(weak_fields, '{field}') THEN 'public'
                    WHEN list_contains(verified_fields, '{field}') THEN 'verified' ELSE 'staff' END AS asserted_by
        FROM member WHERE {field} IS NOT NULL
        """
        for field, channel in CONTACT_FIELDS[record_type]
    )

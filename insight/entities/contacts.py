"""Where an entity can be reached, as each record of it states, and who asserts it."""

from __future__ import annotations

from typing import Final

CONTACT_FIELDS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "organisation": (("email", "email"), ("phone", "phone")),
    "person": (("email", "email"), ("other_email", "email"), ("phone", "phone"), ("mobile", "phone")),
}
"""Channel of each field that reaches somebody, for each record type."""


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

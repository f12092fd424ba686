"""Which approvals there are, as the gate reads them: neither used up nor void. Whether they still fit, `bound` says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from sqlalchemy import Connection, select

from orchestration.gate.known import Approval
from orchestration.store.tables import approval, held

APPROVE: Final = "approve"
_CHUNK: Final = 5_000  # ids asked for at once: databases limit a statement's parameters


def approvals(connection: Connection, actions: Iterable[str]) -> Mapping[str, Approval]:
    """Action to the approval that was given of it, and neither used up nor voided since."""
    found, each = {}, iter(sorted(set(actions)))
    live = (approval.c.verdict == APPROVE, approval.c.consumed_at.is_(None), approval.c.voided_at.is_(None))
    query = (
        select(approval, held.c.records)
        .join(held, held.c.action == approval.c.action)
        .where(*live, held.c.state == "approved", held.c.decision_id == approval.c.decision_id)
        .order_by(approval.c.at, approval.c.approval_id)
    )
    while some := list(islice(each, _CHUNK)):
        for row in connection.execute(query.where(approval.c.action.in_(some))).mappings():
            found[row["action"]] = Approval(
                approval_id=row["approval_id"],
                proposal_digest=row["proposal_digest"],
                read_set_digest=row["read_set_digest"],
                policy_digest=row["policy_digest"],
                call_digest=row["call_digest"],
                records={entity: frozenset(records) for entity, records in row["records"].items()},
                at=row["at"],
                expires_at=row["expires_at"],
            )
    return found

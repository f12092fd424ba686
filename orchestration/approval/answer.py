"""What a person says of what is held: shown, approved, rejected or edited, each in one transaction with its entry.

Whoever answers was shown the proposal as the gate decided it last, and that is kept. What has changed since is refused:
the queue holds it anew, and it must be looked at again.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from orchestration.approval import queue
from orchestration.approval.authors import entitled
from orchestration.approval.current import Held
from orchestration.approval.followup import follow_up
from orchestration.approval.standing import APPROVE
from orchestration.approval.waiting import line, one
from orchestration.canonical import digest
from orchestration.contracts import ActionId, Arguments, Proposal
from orchestration.errors import ApprovalRefused, ConfigurationError
from orchestration.identity.clock import latest
from orchestration.identity.person import Person
from orchestration.ledger import entries_approval as entries
from orchestration.registry import AgentCard
from orchestration.store.tables import approval, held, proposal, showing

REJECT: Final = "reject"
EDIT: Final = "edit"
LONGEST_NOTE: Final = 2_000
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BOUND: Final = ("decision_id", "proposal_digest", "read_set_digest", "policy_digest", "call_digest")
Row = Mapping[str, Any]


def show(connection: Connection, person: Person, page: Mapping[str, Any], now: datetime) -> str:
    """Keep what a person was shown of a proposal; the id of that showing.

    Args:
        connection: Inside `Store.begin()`.
        person: Who they are.
        page: What they were shown; see `page.page`.
        now: When.
    """
    showing_id = f"showing_{secrets.token_hex(8)}"
    values = {"showing_id": showing_id, "action": page["action"], "decision_id": page["decision"], "shown": dict(page)}
    connection.execute(insert(showing).values(**values, person=person.name, at=now))
    entries.shown(connection, showing_id, at=now)
    return showing_id


def approve(  # noqa: PLR0913  who says it of what, held against what, and when
    connection: Connection, action: str, person: Person, means: Held, now: datetime, *, note: str = ""
) -> Row:
    """Consent to a proposal as it was shown; the approval's row.

    Raises:
        NotFound: It was never held.
        NotEntitled: They wrote it, or own the agent whose card excludes its owner.
        ApprovalRefused: It does not wait, they were not shown it as it is, or it rests on something else now.
    """
    row, seen = _answerable(connection, action, person, now)
    card = means.card(row["agent"])
    entitled(person, card, _authors(connection, row))
    if against := means.against(connection, row, now):
        raise ApprovalRefused(
            f"{row['action']} is not what it was when it was held: {' '.join(against)} Needed a proposal that is; "
            "`precede run` decides it again, then look at it with `precede review show`."
        )
    begins = latest(connection, now)
    lasts = begins + card.approval_lifetime if card is not None else begins
    _move(connection, row, queue.APPROVED, now)
    return _said(connection, row, APPROVE, person, seen, now=now, note=_note(note), expires_at=lasts)


def reject(  # noqa: PLR0913  who says it of what, why, and when
    connection: Connection, action: str, person: Person, card: AgentCard | None, now: datetime, *, note: str
) -> tuple[Row, str | None]:
    """Say no, and why; the row, and the batch by which the agent is told, where it may revise it.

    Raises:
        NotFound: It was never held.
        ApprovalRefused: It does not wait, or they were not shown it as it is.
        ConfigurationError: No note was given.
    """
    if not (why := _note(note)):
        raise ConfigurationError("--note", "nothing", "why, in a few words: the agent is told")
    row, seen = _answerable(connection, action, person, now)
    _move(connection, row, queue.REJECTED, now)
    made = _said(connection, row, REJECT, person, seen, now=now, note=why)
    return made, follow_up(connection, row, card, why, now)


def edit(  # noqa: PLR0913  who says it of what, with what, and when
    connection: Connection,
    action: str,
    person: Person,
    now: datetime,
    *,
    arguments: Arguments,
    fault: str,
    note: str = "",
) -> tuple[Row, ActionId]:
    """Put a proposal of one's own in the place of an agent's; it goes through the gate like any other.

    Args:
        connection: Inside `Store.begin()`.
        action: The action's id.
        person: Who wrote it.
        now: When.
        arguments: All of its arguments.
        fault: What is wrong with their form; empty where nothing is.
        note: Why; it takes the place of the rationale, where there is one.

    Returns:
        The row of what was said, and the new proposal's id.

    Raises:
        NotFound: It was never held.
        ApprovalRefused: It does not wait, they were not shown it as it is, or nothing is edited.
    """
    row, seen = _answerable(connection, action, person, now)
    if fault:
        raise ApprovalRefused(f"The edit of {row['action']} cannot be taken: {fault}; needed arguments that can.")
    if arguments == row["arguments"]:
        raise ApprovalRefused(f"Nothing of {row['action']} is edited; needed another value with --set; or approve it.")
    why = _note(note)
    new = ActionId(f"act_{digest([row['action'], person.name, row['action_type'], arguments])[:20]}")
    wished = Proposal(
        row_id=row["row_id"], action_type=row["action_type"], arguments=arguments, rationale=why or row["rationale"]
    )
    written = {
        **{name: row[name] for name in ("batch_id", "row_id", "agent", "action_type", "entity_id")},
        "action": new,
        "arguments": arguments,
        "rationale": wished.rationale,
        "proposed_at": now,
        "digest": digest({"agent": row["agent"], "batch": row["batch_id"], "proposal": wished, "by": person.name}),
        "edited_from": row["action"],
        "edited_by": person.name,
    }
    connection.execute(insert(proposal).values(written))
    entries.proposal_edited(connection, new, at=now)
    _move(connection, row, queue.EDITED, now)
    return _said(connection, row, EDIT, person, seen, now=now, note=why, edited_into=new), new


def _answerable(connection: Connection, action: str, person: Person, now: datetime) -> tuple[Row, str]:
    """What waits, and the showing by which this person was shown it as it is."""
    row = one(connection, action)
    if row["state"] == queue.APPROVED:
        lapsed = latest(connection, now) >= _ends(connection, row["action"])
        ended = "its approval is over, and the next run sends it to review again" if lapsed else "it is approved"
        raise ApprovalRefused(
            f"{row['action']} is not in review: {ended}; needed one that `precede review list` shows."
        )
    if row["state"] != queue.WAITING:
        raise ApprovalRefused(
            f"{row['action']} is not in review: it is {row['state']}; needed one that `precede review list` shows."
        )
    seen = connection.execute(
        select(showing.c.showing_id, showing.c.decision_id)
        .where(showing.c.action == row["action"], showing.c.person == person.name)
        .order_by((showing.c.decision_id == row["decision_id"]).desc(), showing.c.at.desc())
        .limit(1)
    ).one_or_none()
    if seen is None or seen.decision_id != row["decision_id"]:
        what = "has not been shown it" if seen is None else "was shown it before it was decided anew"
        raise ApprovalRefused(
            f"{person.name} {what}; needed somebody who has seen what {row['action']} is now; look at it with "
            f"`precede review show {row['action']}`."
        )
    return row, seen.showing_id


def _ends(connection: Connection, action: str) -> datetime:
    live = (approval.c.action == action, approval.c.verdict == APPROVE, approval.c.voided_at.is_(None))
    found: datetime = connection.execute(select(func.max(approval.c.expires_at)).where(*live)).scalar_one()
    return found


def _authors(connection: Connection, row: Row) -> list[str]:
    return [each["edited_by"] for each in line(connection, row["action"]) if each["edited_by"]]


def _move(connection: Connection, row: Row, state: str, now: datetime) -> None:
    this = update(held).where(held.c.action == row["action"], held.c.state == queue.WAITING)
    connection.execute(this.values(state=state, reasons=[], changed_at=now))


def _said(  # noqa: PLR0913  an approval's row
    connection: Connection,
    row: Row,
    verdict: str,
    person: Person,
    showing_id: str,
    *,
    now: datetime,
    note: str,
    expires_at: datetime | None = None,
    edited_into: str | None = None,
) -> Row:
    approval_id = f"approval_{secrets.token_hex(8)}"
    written = {
        "approval_id": approval_id,
        "action": row["action"],
        **{name: row[name] for name in _BOUND},
        "showing_id": showing_id,
        "verdict": verdict,
        "person": person.name,
        "note": note,
        "edited_into": edited_into,
        "at": now,
        "expires_at": expires_at,
    }
    connection.execute(insert(approval).values(written))
    entries.approval_given(connection, approval_id, at=now)
    return written


def _note(note: str) -> str:
    said = _UNPRINTABLE.sub(" ", note).strip()
    if len(said) > LONGEST_NOTE:
        raise ConfigurationError("--note", f"{len(said):,} characters", f"at most {LONGEST_NOTE:,}")
    return said

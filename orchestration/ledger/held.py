"""What the queue says of a proposal that waits for a person, told apart by what may change it.

An entry tells the whole row each time that it moves. So that a row which was edited between two moves is not taken for
what it says by then, three things are told of it, each with its own rule of who may say it otherwise:

    told of                       said by                                        may change
    when and of whom it is held   the first decision that held it                never
    what a person is asked        each decision that sends it to a person        with another such decision
    the whole row                 each entry that moves it                       until it is in the queue no more;
                                                                                 what was allowed may come back
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from orchestration.canonical import digest
from orchestration.contracts import Verdict
from orchestration.ledger import rows
from orchestration.ledger.subjects import PARTS, Subject

Row = Mapping[str, Any]

WHOLE: Final = PARTS["held"][0]
ASKED: Final = "what a person is asked of action"
BEGUN: Final = "the beginning of what is held of action"
FIXED: Final = frozenset({WHOLE, ASKED, BEGUN})
_ASKED: Final = (
    *("action", "decision_id", "tool_call", "records"),
    *("proposal_digest", "read_set_digest", "policy_digest", "call_digest"),
)
_BEGUN: Final = ("action", "agent", "held_at")
_MAY_MOVE: Final = frozenset({"waiting", "approved", "allowed"})
"""States that another may come after: what was allowed without a person may be sent to one before its effect."""
_OVER: Final = 2**63
"""A step that none comes after."""


def told_by(body: Row, held: Row, told: str) -> Iterator[tuple[Subject, str, int]]:
    """What an entry that tells of a held proposal says: each subject, the digest of what is said, and its step.

    Args:
        body: The entry's body.
        held: What it says of the row.
        told: The digest of all of that.
    """
    action, seq = str(held.get("action")), body.get("seq")
    moved = seq if isinstance(seq, int) else 0
    yield Subject(WHOLE, action), told, moved if held.get("state") in _MAY_MOVE else _OVER
    holds = body.get("verdict") == Verdict.REVIEW and body.get("decision") == held.get("decision_id")
    yield Subject(ASKED, action), digest({name: held.get(name) for name in _ASKED}), moved if holds else 0
    yield Subject(BEGUN, action), digest({name: held.get(name) for name in _BEGUN}), 0


def told_by_store(row: Row) -> Iterator[tuple[Subject, str]]:
    """What the row says now of what may not change; `row` as `rows.rows` reads it."""
    yield Subject(ASKED, row["action"]), rows.digest({name: row[name] for name in _ASKED})
    yield Subject(BEGUN, row["action"]), rows.digest({name: row[name] for name in _BEGUN})

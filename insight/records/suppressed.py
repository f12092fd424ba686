"""No record is made of somebody who was erased, whatever row says so now: their mailbox tells it, or phone and name."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa

from orchestration.erasure.suppression import (
    MAILBOX,
    MAILBOX_NAME,
    MARK,
    PHONE_NAME,
    Suppression,
    mailbox,
    mailbox_name,
    phone_name,
)
from orchestration.graph.model import RECORD_TYPES, Shape

REASON: Final = "suppressed"
_EMAIL: Final = frozenset({"email"})
_UNSEEN: Final = frozenset({"Cc", "Cf"})
_PHONE: Final = frozenset({"phone"})
Refused = tuple[pa.Array, pa.Array]


def refuse(
    shape: Shape,
    said: Callable[[str], pa.Array],
    values: Mapping[str, pa.Array],
    suppression: Suppression,
    failures: Refused,
) -> Refused:
    """Why each row cannot become a record, with those of people who were erased among them.

    Landing has put a mark where a suppressed mailbox stood; one that was written so that landing did not know it is
    known as it is read. An organisation goes only by phone and name, as a sole trader's does: a mailbox of somebody's
    may be a firm's address too.

    Args:
        shape: What the rows are to become.
        said: What the rows state of a field, as it was landed.
        values: The same as it was read.
        suppression: What is suppressed.
        failures: The reasons and sentences by then.
    """
    if not suppression or shape.name not in RECORD_TYPES:
        return failures
    fields = [field.name for field in shape.fields if field.kind in _EMAIL and shape.name == "person"]
    landed, mailboxes = [said(name) for name in fields], [values[name] for name in fields]
    phones = [values[field.name] for field in shape.fields if field.kind in _PHONE]
    names = [values[name] for name in ("name", "legal_name", "trading_name") if name in shape.names]
    reasons, details = (column.to_pylist() for column in failures)
    for place in range(len(reasons)):
        marked = any(MARK in (column[place].as_py() or "") for column in landed)
        stated = [*landed, *mailboxes]
        if marked or _written(stated, place, suppression) or _called(phones, stated, names, place, suppression):
            reasons[place], details[place] = REASON, "it is of somebody who was erased"
    return pa.array(reasons, pa.string()), pa.array(details, pa.string())


def _written(mailboxes: list[pa.Array], place: int, suppression: Suppression) -> bool:
    """Whether a row states a mailbox that is suppressed, once what surrounds and hides it is taken away."""
    stated = [column[place].as_py() for column in mailboxes]
    return any(suppression.holds(MAILBOX, mailbox(_seen(one))) for one in stated if one)


def _seen(text: str) -> str:
    """A text without spaces, and without what cannot be seen, in letters of usual width."""
    if text.isascii() and text.isprintable() and " " not in text:
        return text
    plain = unicodedata.normalize("NFKC", text)
    return "".join(one for one in plain if not one.isspace() and unicodedata.category(one) not in _UNSEEN)


def _called(
    phones: list[pa.Array], mailboxes: list[pa.Array], names: list[pa.Array], place: int, suppression: Suppression
) -> bool:
    """Whether a row states a name that is suppressed together with a phone, or with a mailbox that others have too."""
    called = [name for column in names if (name := column[place].as_py())]
    reached = [phone for column in phones if (phone := column[place].as_py())]
    written = [_seen(one) for column in mailboxes if (one := column[place].as_py())]
    return any(suppression.holds(PHONE_NAME, phone_name(one, name)) for one in reached for name in called) or any(
        suppression.holds(MAILBOX_NAME, mailbox_name(one, name)) for one in written for name in called
    )

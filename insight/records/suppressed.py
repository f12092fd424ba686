"""No record is made of somebody who was erased, whatever row says so now: their mailbox tells it, or phone and name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa

from orchestration.erasure.suppression import MARK, PHONE_NAME, Suppression, phone_name
from orchestration.graph.model import RECORD_TYPES, Shape

REASON: Final = "suppressed"
_EMAIL: Final = frozenset({"email"})
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

    Landing has put a mark where a suppressed mailbox stood. An organisation goes only by phone and name, as a sole
    trader's does: a mailbox of somebody's may be a firm's address too.

    Args:
        shape: What the rows are to become.
        said: What the rows state of a field, as it was landed.
        values: The same as it was read.
        suppression: What is suppressed.
        failures: The reasons and sentences by then.
    """
    if not suppression or shape.name not in RECORD_TYPES:
        return failures
    mailboxes = [said(field.name) for field in shape.fields if field.kind in _EMAIL and shape.name == "person"]
    phones = [values[field.name] for field in shape.fields if field.kind in _PHONE]
    names = [values[name] for name in ("name", "legal_name", "trading_name") if name in shape.names]
    reasons, details = (column.to_pylist() for column in failures)
    for place in range(len(reasons)):
        marked = any((column[place].as_py() or "").startswith(MARK) for column in mailboxes)
        if marked or _called(phones, names, place, suppression):
            reasons[place], details[place] = REASON, "it is of somebody who was erased"
    return pa.array(reasons, pa.string()), pa.array(details, pa.string())


def _called(phones: list[pa.Array], names: list[pa.Array], place: int, suppression: Suppression) -> bool:
    """Whether a row states a phone and a name that are suppressed together."""
    stated = [column[place].as_py() for column in phones]
    called = [column[place].as_py() for column in names]
    return any(
        suppression.holds(PHONE_NAME, phone_name(phone, name)) for phone in stated if phone for name in called if name
    )

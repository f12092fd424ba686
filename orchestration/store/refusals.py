"""What a database's error means to the person who meets it: found, needed, and what to do.

Errors that tell of a fault in our own SQL, or of a constraint that a caller tests for, are not here: they pass as
they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from orchestration.errors import StoreError

_CAUSES: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (
        ("database is locked", "lock timeout", "lock_timeout", "canceling statement due to lock"),
        (
            "Another process has held the store {url} for too long; needed a moment in which nobody else writes; "
            "wait for the other run to end, or end it, and try again."
        ),
    ),
    (
        ("file is not a database", "malformed", "file is encrypted"),
        (
            "{url} is not a store: {cause}; needed a database that Precede made; move the file away, restore it from a "
            "copy, or point PRECEDE_STORE_URL elsewhere."
        ),
    ),
    (
        ("readonly", "read-only", "permission denied", "must be owner"),
        (
            "The store {url} may not be written: {cause}; needed leave to write to it; give this user that leave, or "
            "point PRECEDE_STORE_URL elsewhere."
        ),
    ),
    (
        ("unable to open database file",),
        (
            "The store {url} could not be opened: {cause}; needed a file that this user may read and write, in a "
            "folder that it may write to; give this user that leave, or point PRECEDE_HOME elsewhere."
        ),
    ),
    (
        ("disk is full", "no space left", "disk i/o error"),
        "The store {url} could not be written: {cause}; needed a disk with space that works; make room and try again.",
    ),
    (
        ("password authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry"),
        (
            "The database server refused {url}: {cause}; needed a database and a role that exist; correct "
            "PRECEDE_STORE_URL."
        ),
    ),
)
_UNREACHABLE: Final = (
    "The store {url} could not be reached: {cause}; needed a database server that answers there; start it, or "
    "correct PRECEDE_STORE_URL."
)
_OTHER: Final = (
    "The store {url} could not be used: {cause}; needed a store that works; see what its database says of it."
)


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Raise `StoreError` with one sentence where the database itself cannot do what was asked.

    A constraint that refused a row (`IntegrityError`), and SQL that cannot be, pass unchanged.

    Raises:
        StoreError: The store is locked, missing, unreadable, unreachable, or no store at all.
    """
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        if not _is_the_stores(error):
            raise
        raise explanation(error, url) from error


def explanation(error: DBAPIError, url: URL) -> StoreError:
    """The sentence for a database's error."""
    cause = " ".join(str(error.orig).split()).rstrip(".")
    shown = url.render_as_string(hide_password=True)
    for signs, sentence in _CAUSES:
        if any(sign in cause.lower() for sign in signs):
            return StoreError(sentence.format(url=shown, cause=cause))
    return StoreError((_OTHER if url.get_backend_name() == "sqlite" else _UNREACHABLE).format(url=shown, cause=cause))


def _is_the_stores(error: DBAPIError) -> bool:
    """Whether the database failed, and not our SQL: `no such table` in SQLite is an `OperationalError` too."""
    text = str(error.orig).lower()
    if "no such" in text or "syntax error" in text:
        return False
    return isinstance(error, OperationalError) or any(sign in text for signs, _ in _CAUSES[:4] for sign in signs)

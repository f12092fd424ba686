"""Bringing a store to the newest version of its tables, and saying which version it is.

Opening a store that is there already costs one query: Alembic is imported only when there is something to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from orchestration.errors import StoreError

HEAD: Final = "0013"
"""The newest revision in `migrations/versions`."""
_PAUSE: Final = 0.02  # seconds between two tries


def version(connection: Connection) -> str | None:
    """The revision that a store is at; none where it has no tables yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def to_head(connection: Connection, where: str) -> None:
    """Apply every revision that a store lacks, in the write transaction of this connection.

    Args:
        connection: Inside a write transaction; another process may have done the work while this one waited for it.
        where: What to call the store in an error.

    Raises:
        StoreError: The store is at a revision that this Precede does not know.
    """
    found = version(connection)
    if found == HEAD:
        return
    from alembic import command  # noqa: PLC0415  only a store that is not at head pays for the import
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            f"The store {where} is at version {found}, which this Precede does not know; needed {HEAD} or an older "
            "one; use the Precede that made it, or a newer one."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def patiently(act: Callable[[], None], seconds: float) -> None:
    """Do something that a lock may refuse at once, again and again until it succeeds or the time is over.

    Raises:
        sqlalchemy.exc.OperationalError: It was still locked at the end, or another error came.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return act()
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > end:
                raise
        time.sleep(_PAUSE)

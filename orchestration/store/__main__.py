"""`python -m orchestration.store`: make the store's tables, or bring them to this version, as whoever may do that.

Where the roles that run may not change tables (docs/how-to/deploy.md), this is run as their owner before they start.
"""

from __future__ import annotations

import sys

from orchestration.errors import PrecedeError
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.store.migrate import HEAD


def main() -> int:
    """Open the store as its owner; 0 where it stands at this version then."""
    try:
        open_store(Settings()).close()
    except PrecedeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"The store is at version {HEAD}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

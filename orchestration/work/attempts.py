"""Work that waits, and when to try it again: pure, for whatever starts runs.

A run that failed is not the end of what it was started for. The work is tried again as long as it waits, at once the
first time and later each time after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Due:
    """Work that waits for one agent.

    Attributes:
        agent: The agent's name.
        key: The same as long as the same work waits, so that an attempt is known again.
        why: What waits, in a few words.
    """

    agent: str
    key: str
    why: str


def try_at(ended: Sequence[datetime]) -> datetime | None:
    """When work may be tried again.

    Args:
        ended: When the attempts so far ended.

    Returns:
        None where there was no attempt: now.
    """
    if not ended:
        return None
    wait: timedelta = min(FIRST_WAIT * 2 ** min(len(ended) - 1, 20), LONGEST_WAIT)
    return max(ended) + wait

"""Without garbage collection, for work that keeps many small things until its end, none of them in a cycle.

The collector would look at all of them again and again: a third of the time goes into that where there are millions.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage inside; what is let go of is freed all the same, unless it is in a cycle."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()

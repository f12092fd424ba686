"""Without garbage collection, for work that keeps many small things until its end, none of them in a cycle.

The collector would look at all of them again and again: a third of the time goes into that where there are millions.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage inside; what is let go of is freed all the same, unless it is in a cycle.

    What is still kept at the end counts as old from there on, as what was looked at twice does: or else the collector
    would look at all of it at once.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            if not gc.get_freeze_count():  # nobody else keeps anything from it
                gc.freeze()
                gc.unfreeze()
            gc.enable()

"""Intervals for shares that were counted."""

from __future__ import annotations

import math
from typing import Final

Z: Final = 1.959963984540054
"""Standard deviations on either side that hold 95 %."""


def wilson(hits: float, tries: float, z: float = Z) -> tuple[float, float]:
    """The interval of a share of which `hits` of `tries` were seen (Wilson, 1927); (0, 1) where nothing was."""
    if tries <= 0:
        return 0.0, 1.0
    share = hits / tries
    middle = share + z * z / (2 * tries)
    reach = z * math.sqrt(share * (1 - share) / tries + z * z / (4 * tries * tries))
    scale = 1 + z * z / tries
    return max(0.0, min((middle - reach) / scale, share)), min(1.0, max((middle + reach) / scale, share))

"""Intervals for shares that were counted."""

from __future__ import annotations

import math
from typing import Final

from scipy.special import betaincinv

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


def exact(hits: int, tries: int) -> tuple[float, float]:
    """The 95 % interval of a share of which `hits` of `tries` were seen (Clopper and Pearson, 1934).

    It holds at least as often as it says, however rare what is counted; (0, 1) where nothing was seen.
    """
    low = float(betaincinv(hits, tries - hits + 1, 0.025)) if hits else 0.0
    high = float(betaincinv(hits + 1, tries - hits, 0.975)) if hits < tries else 1.0
    return low, high

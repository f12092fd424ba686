"""Two independent ways of making dirt, so that rules made while looking at one can be tried on the other."""

from __future__ import annotations

from typing import Final

from examples.northgate.dirt import way_a, way_b
from examples.northgate.dirt.way import Dirt

WAYS: Final[dict[str, Dirt]] = {"A": way_a.DIRT, "B": way_b.DIRT}

__all__ = ["WAYS", "Dirt"]

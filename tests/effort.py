"""How hard tests try: `PRECEDE_EFFORT=10` makes laws look at ten times as many examples as `make test` does."""

from __future__ import annotations

import os
from typing import Final

EFFORT: Final = int(os.environ.get("PRECEDE_EFFORT", "1"))
"""Of which `make laws` asks for more, and `make test` for one: it has twenty minutes in all."""

"""Arrow without pandas, for a command that answers at once.

Where pandas is installed pyarrow loads it with the first list that becomes an array, to see whether that is one of its
own; to load it takes longer than the answer. Who asks for it later still gets it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from typing import Final

_LEFT_OUT: Final = "pandas"


class _Without:
    """It finds no module of that name, and leaves all others to whoever comes after it."""

    @staticmethod
    def find_spec(name: str, _path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        """Nothing; refused for that name."""
        if name == _LEFT_OUT:
            raise ModuleNotFoundError(f"{name} is left out; needed nowhere here; nothing is to be done.", name=name)
        return None


def load_arrow() -> None:
    """Load pyarrow, and let it take pandas for absent unless it is there already."""
    import pyarrow as pa  # noqa: PLC0415  after what stands above

    if _LEFT_OUT in sys.modules:
        return
    finder = _Without()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(finder)

"""The version of the code and libraries that make records, so that a change of either makes them anew."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version as installed
from pathlib import Path
from typing import Final

from insight.stage import code_version, version_of
from orchestration.graph import model

_LIBRARIES: Final = ("ftfy", "nameparser", "phonenumberslite", "python-stdnum", "rigour", "tldextract")


@cache
def code() -> str:
    """A digest of this package, of the declaration of shapes and of the libraries' versions."""
    here = Path(__file__).parent
    lists = (
        path.read_text(encoding="utf-8")
        for path in sorted((here / "fields").iterdir())
        if path.suffix in {".csv", ".txt"}
    )
    shapes = Path(model.__file__).read_text(encoding="utf-8")
    return version_of(code_version(here), shapes, *lists, *(f"{name} {installed(name)}" for name in _LIBRARIES))

"""Data that stands beside the project and is no part of it; a test whose data is not there says so and is skipped."""

from __future__ import annotations

from typing import Final

from orchestration.settings import PROJECT

DATA: Final = PROJECT.parent / "shared" / "data"
LISTS: Final = {
    "EARLY_CHILDHOOD_SITES": DATA / "early-childhood-sites",
    "SENZING_TRUTHSET": DATA / "senzing-truthset",
}
"""Environment variable of a source folder in `tests/fixtures/sources` to where its lists are."""

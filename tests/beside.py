"""Data that stands beside the project and is no part of it; a test whose data is not there says so and is skipped."""

from __future__ import annotations

from typing import Final

from orchestration.settings import PROJECT

DATA: Final = PROJECT.parent / "shared" / "data"
SOURCES: Final = PROJECT / "tests" / "truth" / "sources"
"""The source folders of lists that others made."""
LISTS: Final = {
    "EARLY_CHILDHOOD_SITES": DATA / "early-childhood-sites",
    "HISTORICAL_PEOPLE": DATA / "historical-people",
    "SENZING_TRUTHSET": DATA / "senzing-truthset",
}
"""Environment variable of a source folder to where its lists are."""

"""A labelled set: sources that a user could have, and the truth about their records, which no source tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from tests.truth.plain_splink import Settings

RAW = "raw"
"""The relation of the rows as they are, in place of the conformed records of a type."""


@dataclass(frozen=True)
class Prepared:
    """A set, ready to be run.

    Attributes:
        truths: What is judged together (`organisation`, `person`, `all`) to the records and their true entities.
        sources: The folder that `PRECEDE_SOURCES` names; Precede's own where there is none.
        environment: Variables that the `source.yml` names.
        raw: A query for the rows as they are, with their `record_id`.
    """

    truths: Mapping[str, Mapping[str, str]]
    sources: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    raw: str | None = None


@dataclass(frozen=True)
class Labelled:
    """One labelled set.

    Attributes:
        name: Its name.
        of: What it has in common with sets that differ by nothing but chance.
        prepare: Makes it in a folder, which holds `home` for the sources that keep their data there.
        plain: What is judged together, to each record type (or `raw`) and Splink's settings for it.
        tuned: Whether the models are tuned on it, as a user with data of his own would.
        acts: The day agents act on, where there are invoices to remind of.
        missing: Says that the data is not there, and where it was looked for; None where it is.
    """

    name: str
    of: str
    prepare: Callable[[Path], Prepared]
    plain: Mapping[str, Mapping[str, Callable[[], Settings]]]
    tuned: bool = True
    acts: date | None = None
    missing: Callable[[], str | None] = lambda: None

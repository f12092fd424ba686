"""What the links of a record type depend on, and how it is noted beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from insight.linkage.model import Model
from insight.stage import code_version, version_of

_HERE = Path(__file__).parent
_TABLES: Final = ("records", "aliases", "employer", "judgements")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The tables that links are made from, and what they are made with.

    Attributes:
        records: The conformed records.
        aliases: The merges that sources made themselves.
        employer: The organisations' `crosswalk.parquet`, for people.
        judgements: What people said of pairs.
        statistics: The folder of frozen counts; None where the records are to be counted.
        model_id: The model.
        code: The version of the code.
    """

    records: Path
    aliases: Path | None
    employer: Path | None
    judgements: Path | None
    statistics: Path | None
    model_id: str
    code: str

    @property
    def version(self) -> str:
        """The version of links made from these; each table stands in a folder named by its content."""
        tables = (getattr(self, name) for name in (*_TABLES, "statistics"))
        return version_of(*("" if table is None else _named(table) for table in tables), self.model_id, self.code)

    def noted(self) -> dict[str, str]:
        """As it stands in the note of a layer."""
        return {name: str(value) for name in self.__slots__ if (value := getattr(self, name)) is not None}


def read_inputs(noted: Mapping[str, str]) -> Inputs:
    """What was noted."""
    tables = {name: Path(noted[name]) if name in noted else None for name in (*_TABLES[1:], "statistics")}
    return Inputs(records=Path(noted["records"]), model_id=noted["model_id"], code=noted["code"], **tables)


def linkage_code(model: Model) -> str:
    """The version of the code that links with a model; hashed keys are those of one DuckDB."""
    return version_of(code_version(_HERE), duckdb.__version__, model.record_type)


def _named(table: Path) -> str:
    return f"{table.parent.name}/{table.stem}" if table.suffix else table.name

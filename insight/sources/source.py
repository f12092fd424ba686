"""A source folder: what its `source.yml` may say, and which `.sql` files stand beside it.

Here belongs the declaration alone. Where the data is belongs to `location`, reading it to `readers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from orchestration.graph.model import SHAPES

Class = Literal["verified", "staff", "public", "precede"]
"""Who asserts a value: `verified` (a checked number, a proved mailbox), `staff`, `public` (anyone), `precede` (us)."""

EXTRAS: Final = ("alias", "supporting", "reject")
"""Names of `.sql` files that are no shape: the source's own merges, rows that complete others, refused rows."""

RESERVED: Final = frozenset({"_key", "_row_hash", "_system", "_deleted", "_place", "_claims", "_record", "_first_seen"})
"""Names of columns that landing adds."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LENGTH = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("a name of letters, digits, '_', '-' and '.'")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a time zone such as UTC or Europe/London") from None
    return value


def _length(value: str) -> str:
    _seconds(value)
    return value


def _seconds(value: str) -> int:
    found = _LENGTH.fullmatch(value)
    if found is None:
        raise ValueError("a length of time such as 90s, 15m, 1h or 2d")
    return int(found[1]) * _UNITS[found[2]]


Name = Annotated[str, AfterValidator(_name)]
Column = Annotated[str, Field(min_length=1)]


class Declared(BaseModel):
    """A frozen part of `source.yml` that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Url(Declared):
    """An address that the environment gives, and what stands where it does not."""

    env: str = Field(min_length=1, description="the name of an environment variable")
    default: str | None = Field(default=None, description="an address, with {home} and {source} filled in")


class Given(Declared):
    """An assertion class that each row gives: a column of the `.sql`."""

    column: str = Field(min_length=1, description="a column that the .sql returns")


class Expectations(Declared):
    """What a read must deliver for a graph to be published from it."""

    min_rows: int = Field(default=0, ge=0, description="the fewest rows that each table may have")
    min_share_of_last: float = Field(default=0.5, ge=0, le=1, description="of the rows of the last published read")


class TableSpec(Declared):
    """One table to read: which columns, and what they are for."""

    key: tuple[Column, ...] = Field(min_length=1, description="a list of the columns that identify a row")
    columns: tuple[Column, ...] = Field(default=(), description="a list of the other columns to read")
    volatile: tuple[Column, ...] = Field(
        default=(), description="columns whose change is no change, such as sync stamps"
    )
    optional: tuple[Column, ...] = Field(default=(), description="columns to read where the source has them")
    deleted: Column | None = Field(default=None, description="the column that marks a row as deleted")
    cursor: Column | None = Field(default=None, description="the column that says when a row last changed")
    overlap: Annotated[str, AfterValidator(_length)] = Field(
        default="1h", description="how long after its cursor says so a row may come to be seen, such as 1h"
    )
    concerns: Mapping[Name, Mapping[Column, Column]] | None = Field(
        default=None,
        description="whose rows a change here changes too: {table: {column: its column}}",
    )
    name: str | None = Field(default=None, min_length=1, description="what the database calls the table")
    files: tuple[str, ...] = Field(default=(), description="a list of file names or patterns such as sites-*.csv")

    @model_validator(mode="after")
    def _columns_once(self) -> Self:
        # Databases and DuckDB do not tell names apart by case.
        stated = [*self.key, *self.columns, *self.volatile, *self.optional, *filter(None, [self.deleted])]
        stated += self.dispensable - {*self.optional}
        if self.cursor is not None and self.cursor == self.deleted:
            raise ValueError(f"a cursor that is not {self.deleted}, which marks a row as deleted")
        named = [name.casefold() for name in stated]
        if twice := sorted({name for name in stated if named.count(name.casefold()) > 1}):
            raise ValueError(f"each column in one place, not {', '.join(twice)} in two")
        if reserved := [name for name in named if name in RESERVED]:
            raise ValueError(f"no column called {reserved[0]}, which is ours")
        return self

    @property
    def stated(self) -> tuple[str, ...]:
        """The columns whose change is a change of the row, and which a `.sql` sees."""
        return tuple(dict.fromkeys([*self.key, *self.columns, *self.optional]))

    @property
    def dispensable(self) -> frozenset[str]:
        """The columns that a source may lack: optional ones, and a cursor that stands nowhere else."""
        known = {*self.key, *self.columns, *self.volatile, *self.optional}
        return frozenset([*self.optional, *({self.cursor} - known if self.cursor else ())])

    @property
    def lag(self) -> timedelta:
        """The overlap of two readings by the cursor."""
        return timedelta(seconds=_seconds(self.overlap))


class Source(Declared):
    """One `source.yml`, with the folder it stands in."""

    system: Name = Field(description="the name of the source system")
    kind: Literal["sql", "csv", "jsonl", "parquet"] = Field(description="sql, csv, jsonl or parquet")
    url: Url | str = Field(description="an address, or {env: NAME, default: address}")
    system_column: Column | None = Field(default=None, description="the column that names the system of each row")
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="one character, for csv")
    encoding: str = Field(default="utf-8", description="the text encoding of csv and jsonl files")
    region: str = Field(default="GB", pattern="^[A-Z]{2}$", description="a country code for values that state none")
    timezone: Annotated[str, AfterValidator(_zone)] = Field(default="UTC", description="of times that state none")
    date_order: Literal["dmy", "mdy"] = Field(default="dmy", description="dmy or mdy, for dates such as 1/2/2026")
    tables: dict[Name, TableSpec] = Field(min_length=1, description="the tables to read")
    asserts: dict[str, dict[str, Class | Given]] = Field(
        default_factory=dict, description="who asserts each field, by record type or fact"
    )
    rarely_twice: tuple[Literal["organisation", "person"], ...] = Field(
        default=(), description="organisation, person or both, where this source rarely holds the same one twice"
    )
    survivorship: dict[str, dict[str, Annotated[int, Field(ge=1)]]] = Field(
        default_factory=dict,
        description="how early this source is believed of a field, by record type: {field: 1}, lower first",
    )
    expectations: Expectations = Field(default_factory=Expectations)

    _folder: Path = PrivateAttr(default=Path())
    _others: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def folder(self) -> Path:
        """Where `source.yml` stands."""
        return self._folder

    def standing_in(self, folder: Path) -> Self:
        """This source, as `folder` holds it."""
        self._folder = folder
        return self

    @property
    def others(self) -> frozenset[str]:
        """The systems of the folders beside this one, which no row of this source may name as its own."""
        return self._others

    def beside(self, systems: Iterable[str]) -> Self:
        """This source, among folders of these systems."""
        self._others = frozenset(systems) - {self.system}
        return self

    @property
    def file(self) -> Path:
        """The `source.yml` itself."""
        return self.folder / "source.yml"

    @cached_property
    def sql(self) -> Mapping[str, Path]:
        """The `.sql` files by name: record types and facts in the model's order, then the others."""
        return {name: path for name in (*SHAPES, *EXTRAS) if (path := self.folder / f"{name}.sql").is_file()}

    def read_columns(self, table: str) -> tuple[str, ...]:
        """Every column to read of a table, in the order in which it is landed."""
        spec = self.tables[table]
        extra = (spec.cursor, spec.deleted, self.system_column)
        return tuple(dict.fromkeys([*spec.stated, *spec.volatile, *(name for name in extra if name)]))

    def assertion(self, shape: str, field: str) -> Class | Given:
        """Who asserts a field of a shape; the weakest class where nothing is said."""
        classes = self.asserts.get(shape, {})
        return classes.get(field, classes.get("default", "public"))

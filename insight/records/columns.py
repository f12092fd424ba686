"""A column's values, each distinct one worked on once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from insight.records.fields import COUNTRY_KINDS, NORMALISERS, Locale
from orchestration.graph.model import Field

_ARROW: Final[dict[str, pa.DataType]] = {
    "DATE": pa.date32(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
    "DECIMAL(18,2)": pa.decimal128(18, 2),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "VARCHAR": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
}
_APART: Final = "\x1f"


def arrow_type(duckdb_type: str) -> pa.DataType:
    """The Arrow type of a DuckDB type that a field may have."""
    return _ARROW[duckdb_type]


def each_distinct(
    column: pa.Array, types: list[pa.DataType], function: Callable[[str], tuple[Any, ...]]
) -> list[pa.Array]:
    """The columns that `function` makes of a text column, called once for each distinct value; NULL stays NULL."""
    encoded = column.dictionary_encode()
    results = [function(value) for value in encoded.dictionary.to_pylist()]
    return [
        pa.array([result[place] for result in results], kind).take(encoded.indices) for place, kind in enumerate(types)
    ]


def pair(first: pa.Array, second: pa.Array) -> pa.Array:
    """Two text columns as one, for a function of both; a NULL of either is empty."""
    return pc.binary_join_element_wise(_filled(first), _filled(second), _APART)


def parts(value: str) -> tuple[str | None, str | None]:
    """What `pair` joined."""
    first, _, second = value.partition(_APART)
    return first or None, second or None


def normalised(field: Field, column: pa.Array, countries: pa.Array, locale: Locale) -> tuple[pa.Array, pa.Array]:
    """The values of a field in their normal form, and the problem of each that has one.

    Args:
        field: What the values are.
        column: The text that the source states.
        countries: The normalised country of each row.
        locale: Where the source's values were written, for rows without a country.
    """
    function = NORMALISERS[field.kind]
    types = [arrow_type(field.duckdb_type), pa.string()]
    if field.kind not in COUNTRY_KINDS:
        return tuple(each_distinct(column, types, lambda text: function(text, locale)))

    def there(text: str) -> tuple[Any, ...]:
        value, country = parts(text)
        if value is None:
            return (None, None)
        return function(value, Locale(country, locale.timezone, locale.date_order) if country else locale)

    return tuple(each_distinct(pair(column, countries), types, there))


def _filled(column: pa.Array) -> pa.Array:
    return pc.fill_null(column, "")

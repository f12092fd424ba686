"""A column's values, each distinct one worked on once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from insight.records.fields import COUNTRY_KINDS, NORMALISERS, Locale, Normal
from insight.records.spread import Function, worked
from insight.records.usual import APART, USUAL, USUAL_THERE, Usual
from orchestration.graph.model import Field, Kind

_ARROW: Final[dict[str, pa.DataType]] = {
    "DATE": pa.date32(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
    "DECIMAL(18,2)": pa.decimal128(18, 2),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "VARCHAR": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
}


def arrow_type(duckdb_type: str) -> pa.DataType:
    """The Arrow type of a DuckDB type that a field may have."""
    return _ARROW[duckdb_type]


def each_distinct(column: pa.Array, types: Sequence[pa.DataType], function: Function, *given: object) -> list[pa.Array]:
    """The columns that `function` makes of a text column, called once for each distinct value; NULL stays NULL.

    Args:
        column: The texts.
        types: The types of the columns.
        function: A function of a module, from a text and what is given to a value for each column.
        given: What it is given besides.
    """
    encoded = column.dictionary_encode()
    return [made.take(encoded.indices) for made in worked(encoded.dictionary, types, function, given)]


def pair(*columns: pa.Array) -> pa.Array:
    """Several text columns as one, for a function of all of them; a NULL of any is empty."""
    return pc.binary_join_element_wise(*(pc.fill_null(column, "") for column in columns), APART)


def side_by_side(first: pa.Array, second: pa.Array) -> pa.Array:
    """Two text columns with a blank between them; where one is NULL, the other."""
    both = pc.binary_join_element_wise(pc.fill_null(first, ""), pc.fill_null(second, ""), " ")
    return pc.if_else(pc.is_null(first), second, pc.if_else(pc.is_null(second), first, both))


def parts(value: str) -> list[str | None]:
    """What `pair` joined."""
    return [part or None for part in value.split(APART)]


def normalised(field: Field, column: pa.Array, countries: pa.Array, locale: Locale) -> tuple[pa.Array, pa.Array]:
    """The values of a field in their normal form, and the problem of each that has one.

    Args:
        field: What the values are.
        column: The text that the source states.
        countries: The normalised country of each row.
        locale: Where the source's values were written, for rows without a country.
    """
    types = [arrow_type(field.duckdb_type), pa.string()]
    usual: Usual | None
    if field.kind in COUNTRY_KINDS:
        encoded, function, usual = pair(column, countries).dictionary_encode(), _there, USUAL_THERE.get(field.kind)
    else:
        encoded, function, usual = column.dictionary_encode(), _normal, USUAL.get(field.kind)
    texts = encoded.dictionary
    if usual is None:
        values, problems = worked(texts, types, function, (field.kind, locale))
    else:
        values, problems = _usual_first(texts, usual(texts, locale), types, function, (field.kind, locale))
    return values.take(encoded.indices), problems.take(encoded.indices)


def each_usual(
    column: pa.Array, usual: Callable[[pa.Array], pa.Array], types: Sequence[pa.DataType], function: Function
) -> list[pa.Array]:
    """As `each_distinct`, where the first column of usual texts is known from all of them at once, and the others NULL.

    Args:
        column: The texts.
        usual: From texts to the first column, NULL where the text is not of the usual form.
        types: The types of the columns.
        function: What is asked of each other text.
    """
    encoded = column.dictionary_encode()
    made = _usual_first(encoded.dictionary, usual(encoded.dictionary), types, function, ())
    return [one.take(encoded.indices) for one in made]


def _usual_first(
    texts: pa.Array, values: pa.Array, types: Sequence[pa.DataType], function: Function, given: Sequence[object]
) -> list[pa.Array]:
    """What is not of the usual form is read by itself, and put among the rest."""
    left = pc.is_null(values)
    others = worked(texts.filter(left), types, function, given)
    rest = [pa.nulls(len(texts), kind) for kind in types[1:]]
    return [pc.replace_with_mask(known, left, theirs) for known, theirs in zip([values, *rest], others, strict=True)]


def _normal(text: str, kind: Kind, locale: Locale) -> Normal:
    return NORMALISERS[kind](text, locale)


def _there(text: str, kind: Kind, locale: Locale) -> tuple[Any, ...]:
    """A value of a kind that means something else in another country, joined to the row's."""
    value, _, country = text.rpartition(APART)  # what a source states may hold anything
    if not value:
        return (None, None)
    return NORMALISERS[kind](value, Locale(country, locale.timezone, locale.date_order) if country else locale)

"""What must hold of two sketches holds wherever the condition holds of the two records."""

from __future__ import annotations

import random

import duckdb
import pyarrow as pa
import pytest

from insight.arriving import make_table
from insight.linkage.relaxed import Columns, relaxed
from insight.linkage.sketch import letters

WORDS = (
    "fernley",
    "fernely",
    "fernly",
    "ab",
    "ba",
    "abernathy",
    "abernahty",
    "x",
    "",
    "harrow",
    "müller",
    "muller",
    None,
)
CONDITIONS = (
    ("l.one = r.one", True),
    ("l.one = r.other", True),
    ("left(l.one, 3) = left(r.one, 3) AND l.other IS NULL", True),
    ("l.one IS NULL OR r.one IS NULL", True),
    ("NOT (l.one IS NULL OR r.one IS NULL)", True),
    ("(l.one = r.one) IS NOT true", True),
    ("(l.one = r.one AND l.other = r.other) IS NOT true", True),
    ("(list_has_any(l.many, r.many)) IS NOT true", None),
    ("list_has_any(l.many, r.many)", False),
    ("list_has_any(l.many, r.many) AND length(l.one) > 2", False),
    ("list_has_all(l.many, r.many)", False),
    ("list_has_all(list_concat(r.many, l.few), l.many)", False),
    ("list_contains(l.many, r.one)", False),
    ("damerau_levenshtein(l.one, r.one) <= 1", False),
    ("damerau_levenshtein(l.one, r.one) = 1", False),
    ("damerau_levenshtein(l.one, r.one) < 2", False),
    ("damerau_levenshtein(l.one, r.other) <= CASE WHEN length(l.one) < 5 THEN 1 ELSE 2 END", False),
    ("damerau_levenshtein(l.one, r.one) > 1", None),
    ("NOT damerau_levenshtein(l.one, r.one) <= 1", None),
    ("jaro_winkler_similarity(l.one, r.one) >= 0.88", False),
    ("jaro_winkler_similarity(l.one, r.other) >= 0.8", False),
    ("starts_with(l.one, r.one)", False),
    ("l.one <> r.one", None),
    ("l.one <> r.one OR l.one = r.one", None),
    ("l.one <> r.one AND l.other = r.other", False),
    ("coalesce(l.one = r.one, false)", None),
)


@pytest.mark.parametrize("sql", [sql for sql, exact in CONDITIONS if exact is None])
def test_of_other_conditions_nothing_is_known(sql: str) -> None:
    assert relaxed(sql, Columns()) is None


@pytest.mark.parametrize(("sql", "exact"), [(sql, exact) for sql, exact in CONDITIONS if exact is not None])
def test_a_relaxed_condition_holds_where_the_condition_does(sql: str, *, exact: bool) -> None:
    columns = Columns()
    found = relaxed(sql, columns)
    assert found is not None
    assert found.exact is exact
    with duckdb.connect() as con:
        _records(con)
        _sketch(con, columns)
        pairs = "FROM record AS l, record AS r"
        sketches = "FROM sketch AS l, sketch AS r"
        held = set(con.execute(f"SELECT l.id, r.id {pairs} WHERE {sql}").fetchall())
        may = set(con.execute(f"SELECT l.id, r.id {sketches} WHERE {found.sql}").fetchall())
        every = con.execute("SELECT count(*) FROM record").fetchall()[0][0] ** 2
    assert held <= may
    assert held
    assert len(may) < every
    if exact:
        assert held == may


def _records(con: duckdb.DuckDBPyConnection) -> None:
    draw = random.Random(4)  # noqa: S311  no secret
    words = [*WORDS, *("".join(draw.choices("abc ", k=draw.randrange(1, 9))) for _ in range(80))]
    lists = [None if draw.random() < 0.1 else draw.sample(words[:-1], k=draw.randrange(6)) for _ in words]
    make_table(
        con,
        "record",
        id=pa.array(range(len(words))),
        one=pa.array(words, pa.string()),
        other=pa.array(draw.sample(words, k=len(words)), pa.string()),
        many=pa.array(lists, pa.list_(pa.string())),
        few=pa.array([one[:1] if one else one for one in lists], pa.list_(pa.string())),
    )


def _sketch(con: duckdb.DuckDBPyConnection, columns: Columns) -> None:
    made = "".join(f", {sql} AS {name}" for sql, name in columns.made.items())
    texts = "".join(f", {sql} AS {name}" for sql, name in columns.lettered.items())
    found = con.sql(f"SELECT id{texts} FROM record ORDER BY id").to_arrow_table()
    lettered = {"id": found.column("id")}
    for name in columns.lettered.values():
        lettered[name], lettered[f"{name}_length"] = letters(found.column(name))
    make_table(con, "lettered", **lettered)
    con.execute(f"CREATE TABLE sketch AS SELECT lettered.*{made} FROM record JOIN lettered USING (id)")


def test_letters_are_a_bit_each_and_unknown_where_a_letter_is_more_than_a_byte() -> None:
    found, lengths = letters(pa.chunked_array([["ab", "aab"], [None, "ü", "", "ba"]], pa.string()))
    ab, aab, nothing, other, empty, ba = found.to_pylist()
    assert ab == aab == ba
    assert ab.bit_count() == 2
    assert (nothing, other, empty) == (None, None, 0)
    assert lengths.to_pylist() == [2, 3, None, None, 0, 2]


def test_no_texts_have_no_letters() -> None:
    found, lengths = letters(pa.chunked_array([], pa.string()))
    assert (len(found), len(lengths)) == (0, 0)

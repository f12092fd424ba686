"""Only columns that a query speaks of are loaded for it; where it may read others unnamed, all are."""

from __future__ import annotations

import duckdb
import pytest

from insight.records.spoken import ALL, names_in


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM t",
        "FROM t",
        "SELECT COLUMNS('a') FROM t",
        "SELECT t FROM t",
        "SELECT (SELECT x) FROM t AS x",
        "WITH r AS (SELECT a FROM t) SELECT to_json(r) FROM r",
        "SELECT #1 FROM t",
        "SELECT a FROM t NATURAL JOIN u",
        "SELECT x FROM t AS v(x, y)",
        "SELECT x FROM query_table('t')",
        "SELECT a FROM (PIVOT t ON b USING count(*))",
    ],
)
def test_a_query_may_read_columns_that_it_does_not_name(query: str) -> None:
    assert ALL in names_in(query)


def test_columns_are_named_in_any_part_of_a_query_and_in_any_case() -> None:
    query = """
    WITH RECURSIVE r AS (SELECT t.A FROM t UNION SELECT r.A FROM r JOIN t USING (b))
    SELECT count(*) FILTER (c > 1), sum(d) OVER (PARTITION BY e ORDER BY "F"), [i FOR i IN g]
    FROM r JOIN u ON u.h = r.a, unnest(u.k) AS v(w)
    WHERE EXISTS (SELECT 1 FROM u AS o WHERE o.l = u.m)
    GROUP BY n HAVING max(p) > 0 ORDER BY q
    """
    names = names_in(query)
    assert set("abcdefghklmnpq") <= names
    assert ALL not in names
    assert "z" not in names


def test_a_column_called_like_a_table_that_has_another_name_there_is_no_row() -> None:
    query = "SELECT line.id, head FROM line ANTI JOIN head AS h ON h.id = line.head"
    assert names_in(query) == {"line", "id", "head", "h"}
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE line (id INTEGER, head INTEGER); CREATE TABLE head (id INTEGER)")
        assert connection.sql(query).columns == ["id", "head"]

"""Every example of docs/how-to/query-the-graph.md runs on a published graph, and every table is named there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from orchestration.settings import PROJECT, Settings
from orchestration.store.engine import open_store
from tests.graph_fixture import publish_graph

PAGE = (PROJECT / "docs" / "how-to" / "query-the-graph.md").read_text(encoding="utf-8")
SQL = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PRECEDE_STORE_URL", raising=False)
        with closing(open_store(settings)) as store:
            publish_graph(store, settings).close()
    return settings.home


@pytest.fixture(scope="module")
def analyst(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """One session in which the examples run in the order of the page, as a reader tries them."""
    with duckdb.connect(str(home / "graph.duckdb"), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("example", range(len(SQL)))
def test_an_example_in_sql_runs_and_finds_something(analyst: duckdb.DuckDBPyConnection, example: int) -> None:
    answers = [analyst.execute(statement).fetchall() for statement in analyst.extract_statements(SQL[example])]
    assert answers[-1]


@pytest.mark.parametrize("example", range(len(PYTHON)))
def test_an_example_in_python_runs(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], example: int
) -> None:
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    monkeypatch.setenv("PRECEDE_HOME", str(home))
    exec(compile(PYTHON[example], "query-the-graph.md", "exec"), {})  # noqa: S102  the page's own example
    assert "Acme Widgets Ltd" in capsys.readouterr().out


def test_every_table_of_the_graph_is_named(analyst: duckdb.DuckDBPyConnection) -> None:
    tables = {row[0] for row in analyst.execute("SELECT table_name FROM information_schema.tables").fetchall()}
    assert {name for name in tables if f"`{name}`" not in PAGE} == set()
    assert len(tables) == 39

"""The copy of the graph for analysts who may not see people says nothing of any of them, and its tables still join."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.errors import ConfigurationError
from orchestration.graph.pseudonymised import KEY, copy_of, pseudonymised
from orchestration.graph.reader import EntityGraph
from orchestration.settings import Settings
from tests.graph_fixture import SNAPSHOT, build_graph

PLANTED = (
    "UPDATE person SET name = 'Zephyrine Quill', birth_date = DATE '1971-03-17' WHERE entity_id = 'person_ada'",
    (
        "UPDATE person_record SET name = 'Zephyrine Quill', address = '7 Xylo Row', job_title = 'Xylographer', "
        "phone = '+442079461234', email = 'zq@planted.example' WHERE entity_id = 'person_ada'"
    ),
    "UPDATE contact_point SET value = 'zq@planted.example' WHERE entity_id = 'person_ada'",
    "UPDATE ticket SET subject = 'Zephyrine Quill writes', status = 'zephyrine', priority = '+442079461234'",
    "UPDATE message SET preview = 'Zephyrine Quill of 7 Xylo Row', recipient = 'zq@planted.example', kind = 'xylo'",
    "UPDATE invoice SET number = 'Zephyrine', status = 'Zephyrine Quill' WHERE entity_id = 'org_acme'",
    "UPDATE entity SET name = 'Zephyrine Quill' WHERE entity_id = 'person_ada'",
    # a sole trader: one row is a record of a firm and of a person
    "UPDATE organisation SET name = 'Quillmark Trading', city = 'Quillby' WHERE entity_id = 'org_dune'",
    "UPDATE organisation_record SET name = 'Quillmark Trading', city = 'Quillby' WHERE entity_id = 'org_dune'",
    (
        "INSERT INTO crosswalk SELECT record_id || '#person', 'person_finn', 'person', NULL, 'single' "
        "FROM crosswalk WHERE entity_id = 'org_dune'"
    ),
)
SAID = ("zephyrine", "quill", "xylo", "2079461234", "planted", "quillmark", "quillby", "1971-03-17", "person_ada")


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "graph" / "snap.duckdb"
    path.parent.mkdir()
    build_graph(path, *PLANTED)
    return path


def everything(path: Path) -> str:
    """All that a DuckDB file holds, its bytes and the values of every table."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        rows = [str(connection.execute(f'SELECT t::VARCHAR FROM "{name}" AS t').fetchall()) for name in names]
    return path.read_bytes().decode("latin-1").casefold() + "".join(rows).casefold()


def asked(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_nothing_of_anybody_stands_anywhere_in_the_file(graph: Path, tmp_path: Path) -> None:
    was = everything(graph)
    assert [text for text in SAID if text not in was] == []
    copy = pseudonymised(graph, Settings(home=tmp_path))
    said = everything(copy)
    assert [text for text in SAID if text in said] == []
    with EntityGraph(graph) as opened:  # nor of anybody else
        sql = "SELECT DISTINCT value FROM contact_point UNION SELECT record_id FROM person_record"
        values = [str(row["value"]).casefold() for row in opened.rows(sql)]
        names = [str(row["name"]).casefold() for row in opened.rows("SELECT name FROM person_record")]
    assert values
    assert [value for value in (*values, *names) if value in said] == []
    assert copy_of(Settings(home=tmp_path)) == SNAPSHOT


def test_its_tables_join_as_those_of_the_graph_do(graph: Path, tmp_path: Path) -> None:
    copy = pseudonymised(graph, Settings(home=tmp_path))
    for sql in (
        (
            "SELECT count(*) FROM relationship JOIN person ON from_entity = person.entity_id "
            "JOIN organisation ON to_entity = organisation.entity_id"
        ),
        (
            "SELECT entity.entity_type, count(*) FROM person_record JOIN crosswalk USING (record_id) JOIN entity "
            "ON entity.entity_id = crosswalk.entity_id GROUP BY ALL"
        ),
        "SELECT count(*), sum(payment.amount) FROM payment JOIN invoice ON payment.invoice_record = invoice.record_id",
        "SELECT count(*) FROM contact_point JOIN person USING (entity_id)",
    ):
        assert sorted(asked(copy, sql)) == sorted(asked(graph, sql))
        assert asked(copy, sql)[0][0]
    assert asked(copy, "SELECT name FROM organisation WHERE entity_id = 'org_acme'") == asked(
        graph, "SELECT name FROM organisation WHERE entity_id = 'org_acme'"
    )
    assert (1971,) in asked(copy, "SELECT birth_year FROM person")


def test_pseudonyms_stay_the_same_with_the_key_and_are_others_with_another(graph: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    people = "SELECT entity_id FROM person ORDER BY 1"
    first = asked(pseudonymised(graph, settings), people)
    assert asked(pseudonymised(graph, settings), people) == first
    (settings.keys / KEY).write_text("ab" * 32)
    assert not {*asked(pseudonymised(graph, settings), people)} & {*first}
    (settings.keys / KEY).write_text("no key")
    with pytest.raises(ConfigurationError, match="no key"):
        pseudonymised(graph, settings)

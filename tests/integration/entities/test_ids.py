"""Entity ids survive a rebuild, and every change of them is an event."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.lists import Resolved, Row, resolve, short

FERNLEY: Row = {"name": "Fernley Coatings Ltd", "website": "fernley.co.uk"}
OAKHAM: Row = {"name": "Oakham Bakery Ltd", "website": "oakham-bakery.co.uk"}


def at(system: str, number: int = 1, **row: object) -> Row:
    return {"system": system, "id": str(number), **row}


def again(home: Path, before: Resolved, firms: list[Row]) -> Resolved:
    """The same lists, changed, after a graph was published from `before`."""
    return resolve(home, firms, previous=before.entities("organisation").table("crosswalk"))


def ids(result: Resolved) -> dict[str, str]:
    return {short(row["record_id"]): row["entity_id"] for row in result.table("organisation", "crosswalk")}


def events(result: Resolved) -> set[tuple[str, str, str | None]]:
    return {
        (row["event"], row["entity_id"], row["other_entity_id"]) for row in result.table("organisation", "entity_event")
    }


def test_the_first_graph_creates_every_entity(tmp_path: Path) -> None:
    result = resolve(tmp_path, [at("crm", **FERNLEY), at("erp", **FERNLEY), at("erp", 2, **OAKHAM)])
    assert events(result) == {("created", entity, None) for entity in ids(result).values()}


def test_publishing_a_graph_makes_its_own_entities_not_stale(tmp_path: Path) -> None:
    firms = [at("crm", **FERNLEY), at("erp", **FERNLEY)]
    first = resolve(tmp_path, firms)
    second = again(tmp_path, first, firms)
    assert second.entities("organisation") == first.entities("organisation")
    assert again(tmp_path, second, firms).entities("organisation") == first.entities("organisation")


def test_an_entity_keeps_its_id_when_its_first_record_goes(tmp_path: Path) -> None:
    first = resolve(tmp_path, [at("a", **FERNLEY), at("b", **FERNLEY), at("c", **FERNLEY)])
    second = again(tmp_path, first, [at("b", **FERNLEY), at("c", **FERNLEY)])
    assert ids(second)["b:1"] == ids(first)["a:1"]
    assert events(second) == set()


def test_two_entities_that_turn_out_to_be_one_are_merged_into_the_larger(tmp_path: Path) -> None:
    firms = [at("a", **FERNLEY), at("b", **FERNLEY), at("c", **OAKHAM)]
    first = resolve(tmp_path, firms)
    second = again(tmp_path, first, [*firms[:2], at("c", **FERNLEY)])
    assert set(ids(second).values()) == {ids(first)["a:1"]}
    assert events(second) == {("merged", ids(first)["c:1"], ids(first)["a:1"])}


def test_an_entity_that_turns_out_to_be_two_is_split(tmp_path: Path) -> None:
    first = resolve(tmp_path, [at("a", **FERNLEY), at("b", **FERNLEY), at("c", **FERNLEY)])
    second = again(tmp_path, first, [at("a", **FERNLEY), at("b", **FERNLEY), at("c", **OAKHAM)])
    was = ids(first)["a:1"]
    assert ids(second)["a:1"] == ids(second)["b:1"] == was
    assert events(second) == {("split", ids(second)["c:1"], was)}


def test_the_smaller_part_gets_an_id_of_its_own_though_its_record_gave_the_old_one(tmp_path: Path) -> None:
    first = resolve(tmp_path, [at("a", **FERNLEY), at("b", **FERNLEY), at("c", **FERNLEY)])
    second = again(tmp_path, first, [at("a", **OAKHAM), at("b", **FERNLEY), at("c", **FERNLEY)])
    assert ids(second)["b:1"] == ids(first)["a:1"]
    assert ids(second)["a:1"] not in set(ids(first).values())


def test_an_entity_without_records_is_retired(tmp_path: Path) -> None:
    first = resolve(tmp_path, [at("a", **FERNLEY), at("b", **OAKHAM)])
    second = again(tmp_path, first, [at("a", **FERNLEY)])
    assert events(second) == {("retired", ids(first)["b:1"], None)}


def test_ids_are_read_from_a_published_graph(tmp_path: Path) -> None:
    graph = tmp_path / "it's a graph.duckdb"
    with duckdb.connect(str(graph)) as con:
        con.execute("CREATE TABLE crosswalk (record_id VARCHAR, entity_id VARCHAR, entity_type VARCHAR)")
        con.execute(
            "INSERT INTO crosswalk VALUES ('a:organisation:1', 'org_kept', 'organisation'), "
            "('a:organisation:1', 'per_other', 'person')"
        )
    assert ids(resolve(tmp_path, [at("a", **FERNLEY)], previous=graph)) == {"a:1": "org_kept"}


def test_a_version_changes_with_what_an_entity_says_and_with_nothing_else(tmp_path: Path) -> None:
    firms = [at("a", **FERNLEY), at("b", **FERNLEY), at("a", 2, **OAKHAM, phone=None)]
    first = resolve(tmp_path / "one", firms)
    moved = resolve(tmp_path / "two", [*firms[:2], at("a", 2, **OAKHAM, phone="0113 496 0123")])
    assert moved.entity("a:1")["version"] == first.entity("a:1")["version"]
    assert moved.entity("a:2")["version"] != first.entity("a:2")["version"]
    doubted = resolve(
        tmp_path / "three", [*firms, at("c", name="Oakham Bakery Logistics", website="oakham-bakery.co.uk")]
    )
    assert doubted.entity("a:2")["version"] != first.entity("a:2")["version"]

"""One record against what is published: this entity, these candidates, or nobody."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from insight.handed import hand_on
from insight.layers import rows as every
from insight.resolving import read_record, resolve
from orchestration.errors import ConfigurationError, NoGraph
from orchestration.graph.ddl import create_schema
from orchestration.graph.model import RECORD_TYPES
from orchestration.settings import Settings
from tests import lists
from tests.integration.linkage.test_public_values import FERNLEY, FIRMS
from tests.lists import Resolved

ASHDOWN = {"name": "Ashdown Precision Tools", "website": "ashdown.co.uk", "vat_number": "GB980780684"}
NUMBERED = ASHDOWN | {"company_number": "01234567", "country": "GB"}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with some firms, linked and published."""
    home = tmp_path_factory.mktemp("published")
    known = [{"system": system, "id": "a", **NUMBERED} for system in ("crm", "erp")]
    result = lists.resolve(home, [*FIRMS, *known])
    publish(result, home)
    return result.settings


def publish(result: Resolved, home: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{home / 'graph.duckdb'}' AS graph (STORAGE_VERSION 'v1.0.0')")
        con.execute("USE graph")
        create_schema(con)
        for name in RECORD_TYPES:
            part = [f"links/{name}/link", str(result.links(name).table("link"))]
            con.execute("INSERT INTO snapshot_part VALUES (?, ?)", part)
            con.execute(
                f"INSERT INTO {name}_record BY NAME {shared(con, f'{name}_record', result.records[name].record)}"
            )
            for table in ("crosswalk", "entity"):
                con.execute(f"INSERT INTO {table} BY NAME {shared(con, table, result.entities(name).table(table))}")


def shared(con: duckdb.DuckDBPyConnection, table: str, path: Path) -> str:
    """A query for the columns of a file that a table of the graph has."""
    there = {row[0] for row in con.execute(f"DESCRIBE FROM {every(path)}").fetchall()}
    names = [row[0] for row in con.execute(f"DESCRIBE {table}").fetchall() if row[0] in there]
    return f"SELECT {', '.join(names)} FROM {every(path)}"


def test_a_record_of_a_known_entity_is_that_entity(published: Settings) -> None:
    found = resolve({"name": "Ashdown Precision Tools Ltd", "vat_number": "GB 980 7806 84"}, "organisation", published)
    assert (found.answer, found.candidates[0].name) == ("entity", "Ashdown Precision Tools")
    assert found.candidates[0].rule is not None
    assert found.understood["vat_number"] == "GB980780684"


def test_links_that_were_made_since_do_not_count(published: Settings, tmp_path: Path) -> None:
    others = lists.resolve(tmp_path, [{"system": "crm", "id": "z", "name": "Zymurgy & Quillon Partners"}])
    hand_on(published, ["links", "organisation"], others.links("organisation"))
    found = resolve(ASHDOWN, "organisation", published)
    assert (found.answer, found.candidates[0].name) == ("entity", "Ashdown Precision Tools")


def test_a_record_that_shares_nothing_is_nobody(published: Settings) -> None:
    found = resolve({"name": "Zymurgy & Quillon Partners", "postcode": "YO1 7HH"}, "organisation", published)
    assert (found.answer, found.candidates) == ("nobody", ())
    assert found.accept > found.review


def test_what_a_veto_forbids_is_told_and_is_no_candidate(published: Settings) -> None:
    other = {"name": ASHDOWN["name"], "website": ASHDOWN["website"], "company_number": "07654321", "country": "GB"}
    found = resolve(other, "organisation", published)
    assert found.answer == "nobody"
    assert [(one.status, one.name) for one in found.candidates] == [("vetoed", "Ashdown Precision Tools")]
    assert found.candidates[0].rule is not None


def test_what_cannot_be_used_is_left_out_and_said(published: Settings) -> None:
    found = resolve({"name": FERNLEY["name"], "phone": "not a number"}, "organisation", published)
    assert set(found.left_out) == {"phone"}


def test_what_is_no_record_is_refused(published: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="needed some of name, legal_name"):
        resolve({"shoe_size": 44}, "organisation", published)
    with pytest.raises(ConfigurationError, match="needed one of organisation, person"):
        resolve({"name": "Ada"}, "dog", published)
    with pytest.raises(ConfigurationError, match="found no value"):
        resolve({"name": " "}, "organisation", published)
    with pytest.raises(ConfigurationError, match="found list"):
        read_record("[1]")
    with pytest.raises(NoGraph, match="with `precede run`"):
        resolve({"name": "Acme"}, "organisation", Settings(home=tmp_path))

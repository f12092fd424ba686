"""What is made from the start puts right what was gone on to wrongly, and says how far the two are apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from insight import layers
from insight.landing import LandedTable, land
from insight.rebuilding import records_apart
from tests.integration.records.case import Case, case
from tests.integration.records.histories import Home
from tests.integration.sources.folders import rows

ORGANISATION = """
SELECT 'company' AS source_table, company._key AS source_key, company.name AS name, city.name AS city
FROM company JOIN city ON city._key = company.city
"""
COMPANIES = [{"id": number, "name": f"Firm {number}", "city": number % 2} for number in range(40)]


def towns(*names: str) -> list[dict[str, Any]]:
    return [{"id": number, "name": name} for number, name in enumerate(names)]


def hidden(folder: Path) -> Case:
    """A source that does not say that a change of a city concerns the companies there."""
    tables: dict[str, Any] = {name: {"concerns": {}} for name in ("company", "city")}
    return case(
        folder,
        {"company": COMPANIES, "city": towns("Leeds", "York")},
        spec={"tables": tables},
        organisation=ORGANISATION,
        reject="SELECT 'city' AS source_table, _key AS source_key, 'odd' AS reason, '' AS detail FROM city"
        " WHERE name IS NULL",
    )


def cities(home: Home) -> dict[str, str]:
    return {row["record_id"]: row["city"] for row in rows(home.shapes["organisation"].record)}


def test_a_rebuild_of_an_unchanged_source_puts_right_what_a_forgotten_edge_hid(tmp_path: Path) -> None:
    found, home = hidden(tmp_path), Home.at(tmp_path / "home")
    landed: list[LandedTable] = []

    def read() -> None:
        landed[:] = land(found.source, home.settings, before=list(landed))
        home.make([found.source], landed)

    read()
    found.write(company=COMPANIES, city=towns("Leeds", "Hull"))
    read()
    wrong = home.shapes["organisation"]
    assert set(cities(home).values()) == {"Leeds", "York"}
    gone_on = layers.read_layer(wrong.path)
    assert gone_on is not None
    assert gone_on.since is not None

    home.shapes, home.merged, home.refused = {}, None, None  # from the start, of what is landed already
    read()
    right = home.shapes["organisation"]
    assert set(cities(home).values()) == {"Leeds", "Hull"}
    assert records_apart(wrong, right) == {"differing_records": 40}
    made = layers.read_layer(right.path)
    assert made is not None
    assert (made.since, made.height) == (None, 0)
    for one in home.shapes.values():  # and what is not wrong need not be made twice
        assert one.path.exists()

    read()
    assert home.shapes["organisation"] == right
    found.write(company=[*COMPANIES, {"id": 40, "name": "Firm 40", "city": 1}], city=towns("Leeds", "Hull"))
    read()
    later = home.shapes["organisation"]
    assert layers.touched(later.record, right.record) is not None
    assert set(cities(home).values()) == {"Leeds", "Hull"}
    found.write(company=COMPANIES, city=towns("Leeds", "Hull"))  # back to where the wrong one stands
    read()
    assert home.shapes["organisation"] == right
    assert cities(home)["crm:company:1"] == "Hull"


def test_a_source_that_rejects_nothing_is_gone_on_with_too(tmp_path: Path) -> None:
    found = case(
        tmp_path,
        {"company": COMPANIES},
        spec={"tables": {"company": {"concerns": {}}}},
        organisation="SELECT 'company' AS source_table, _key AS source_key, name FROM company",
    )
    home, landed = Home.at(tmp_path / "home"), land(found.source, Home.at(tmp_path / "home").settings)
    home.make([found.source], landed)
    found.write(company=[{**COMPANIES[0], "name": "Another"}, *COMPANIES[1:]])
    home.make([found.source], land(found.source, home.settings, before=landed))
    made = layers.read_layer(home.shapes["organisation"].path)
    assert made is not None
    assert made.since is not None
    names = [row["name"] for row in rows(home.shapes["organisation"].record)]
    assert (len(names), "Another" in names) == (40, True)

"""Real lists, mapped by source folders alone: nine lists of sites in one file, three of people and firms in three."""

from __future__ import annotations

from pathlib import Path

import pytest

from insight.landing import land
from insight.records import every
from insight.records.account import account
from insight.records.every import Records
from insight.sources.loading import load_sources
from tests.beside import DATA, SOURCES
from tests.integration.sources.folders import rows, settings

pytestmark = pytest.mark.usefixtures("real_lists")


def records_of(name: str, folder: str, home: Path) -> tuple[Records, dict[str, int]]:
    """The records, and rows by system."""
    if not (DATA / folder).is_dir():
        pytest.skip(f"{DATA / folder} is not there; this test reads {folder} from beside the project")
    sources = load_sources(SOURCES / name)
    landed = [one for source in sources for one in land(source, settings(home))]
    records = every.build(sources, landed, settings(home))
    assert all(one.unaccounted == 0 for one in account(landed, records.shapes, records.rejected))
    return records, {one.system: one.row_count for one in landed}


def test_nine_lists_of_sites_are_nine_systems(tmp_path: Path) -> None:
    records, systems = records_of("early-childhood-sites", "early-childhood-sites", tmp_path)
    assert len(systems) == 9
    assert sum(systems.values()) == len(rows(records.shapes["organisation"].record)) == 3337
    assert sum(len(rows(path)) for path in records.quarantines) == 0
    sites = {row["record_id"]: row for row in rows(records.shapes["organisation"].record)}
    site = sites["DFSS_AgencySiteLies_2012.csv:site:2069"]
    assert site["name"] == "Chicago Public Schools Seward, William H."
    assert (site["website"], site["phone"], site["k_street_number"]) == ("cps.edu", "5354890", "4600")
    assert (site["country"], site["k_postcode"]) == ("US", "60609")
    assert {row["k_postcode"] for row in sites.values() if row["source_key"] == "1958"} == {"60302"}


def test_three_lists_of_people_and_firms_are_three_systems(tmp_path: Path) -> None:
    records, systems = records_of("senzing", "senzing-truthset", tmp_path)
    assert systems == {"CUSTOMERS": 120, "REFERENCE": 22, "WATCHLIST": 17}
    people = {row["record_id"]: row for row in rows(records.shapes["person"].record)}
    firms = {row["record_id"]: row for row in rows(records.shapes["organisation"].record)}
    assert (len(people), len(firms)) == (146, 12)
    (nameless,) = rows(records.shapes["person"].quarantine)
    assert (nameless["record_id"], nameless["reason"]) == ("WATCHLIST:entity:1021", "missing:name")
    robert, elder = people["CUSTOMERS:entity:1001"], people["WATCHLIST:entity:1006"]
    assert (robert["k_name"], robert["phone"], str(robert["birth_date"])) == (
        "robert smith",
        "+17029191300",
        "1978-12-11",
    )
    assert (elder["k_family"], elder["k_suffix"]) == ("smith", "sr")
    assert firms["REFERENCE:entity:2041"]["k_names"] == ["autowerkz", "mullenkranz"]
    assert [row["lei"] for row in firms.values() if row["lei"]] == ["5493001KJTIIGC8Y1R12"]

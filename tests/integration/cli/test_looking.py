"""Finding, showing and explaining entities from the command line."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from orchestration.settings import Settings
from orchestration.store.engine import open_store
from tests.graph_fixture import publish_graph
from tests.integration.cli.conftest import Precede

pytestmark = pytest.mark.usefixtures("published")


def test_find_lists_what_a_text_may_mean(precede: Precede) -> None:
    result = precede("find", "acme widgets")
    assert result.code == 0
    assert re.search(r"org_acme +organisation +Acme Widgets Ltd +reconciled +crm, erp, support", result.out)


def test_find_gives_json(precede: Precede) -> None:
    hits = precede("find", "elm", "--json").json
    assert {hit["entity_id"] for hit in hits} == {"org_elm", "org_elm_support", "person_gus"}
    assert set(hits[0]) == {
        "entity_id",
        "entity_type",
        "name",
        "standing",
        "systems",
        "matched_on",
        "matched_value",
        "record_id",
        "score",
    }
    assert len(precede("find", "elm", "--limit", "1", "--json").json) == 1


def test_find_says_so_when_nothing_is_called_that(precede: Precede) -> None:
    result = precede("find", "zebra crossing")
    assert (result.code, result.out) == (1, "")
    assert "Nothing in the current graph is called 'zebra crossing'" in result.err
    empty = precede("find", "zebra crossing", "--json")
    assert (empty.code, empty.json) == (1, [])


def test_show_tells_each_value_with_its_record_and_fits_100_columns(precede: Precede) -> None:
    result = precede("show", "org_crane")
    assert result.code == 0
    assert re.search(r"vat number +GB222222222 +erp:customer:103", result.out)
    assert "crm:company:3: GB111111111" in result.out
    assert "erp:customer:103: GB222222222" in result.out
    assert re.search(r"crm +crm:company:3 +Crane & Söhne +model 0\.9990", result.out)
    assert "erp:transaction:3001  INV-3001  receivable  open  amount open 310.00  GBP  due on 2026-10-12" in result.out
    assert max(map(len, result.out.splitlines())) <= 100


def test_show_says_why_an_entity_has_no_standing(precede: Precede) -> None:
    result = precede("show", "org_elm")
    assert "not reconciled\n  ambiguous link: another record is as good a candidate" in result.out
    assert "crm linked, erp linked, support undecided" in result.out
    assert re.search(r"possible +crm:company:5 +support:organization:15 +org_elm_support +0\.700", result.out)


def test_show_says_that_someone_objects_to_being_contacted(precede: Precede) -> None:
    assert "objects to being contacted" in precede("show", "person_cat").out
    assert "objects to being contacted" not in precede("show", "person_ada").out


@pytest.mark.parametrize("text", ["person_ada", "crm:contact:1", "crm:contact:9", "ada@acme.example", "Ada Okafor"])
def test_show_takes_whatever_means_one_entity(precede: Precede, text: str) -> None:
    assert precede("show", text, "--json").json["entity_id"] == "person_ada"


def test_show_gives_json(precede: Precede) -> None:
    shown = precede("show", "org_acme", "--json").json
    assert shown["standing"] == "reconciled"
    assert shown["golden"]["name"] == {"value": "Acme Widgets Ltd", "record": "erp:customer:101"}
    assert [record["record_id"] for record in shown["records"]] == [
        "crm:company:1",
        "erp:customer:101",
        "support:organization:11",
    ]
    assert {kind: len(facts) for kind, facts in shown["facts"].items()} == {"invoice": 5, "payment": 1, "ticket": 1}
    assert shown["facts"]["invoice"][0]["amount_open"] == "1200.00"
    assert shown["snapshot"] == "snap_fixture"


def test_show_lists_as_many_facts_as_it_is_asked_for(precede: Precede) -> None:
    few = precede("show", "org_acme", "--facts", "2").out
    assert few.count("erp:transaction:100") == 2
    assert "and 3 more" in few
    assert "erp:transaction:100" not in precede("show", "org_acme", "--facts", "0").out


def test_show_names_who_may_be_meant_when_a_text_is_no_id(precede: Precede) -> None:
    result = precede("show", "elm")
    assert (result.code, result.out) == (1, "")
    assert "org_elm (Elm Partners LLP)" in result.err
    unknown = precede("show", "org_0000")
    assert unknown.code == 1
    assert "No entity has the id 'org_0000'" in unknown.err


def test_why_shows_what_joined_two_records(precede: Precede) -> None:
    result = precede("why", "crm:company:1", "erp:customer:101")
    assert result.code == 0
    assert "are one entity: Acme Widgets Ltd (org_acme)" in result.out
    assert "They were taken for one: vat number." in result.out
    assert "A VAT number is issued to one company." in result.out
    assert re.search(r"vat_number +same", result.out)
    assert re.search(r"sum +probability 1\.0000, accepted from \+4\.5, in doubt from \+0\.0 +\+18\.2", result.out)
    assert re.search(r"name +Acme Widgets +Acme Widgets Ltd", result.out)


def test_why_shows_how_much_each_agreement_weighs_and_who_says_so(
    precede: Precede, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weighed = """
        UPDATE link SET comparisons =
            '{"name": {"level": "same", "weight": 9.92, "weak": false}, "phone": null,
            "web and mail": {"level": "other", "weight": -3.0, "weak": true}}'
        WHERE record_b = 'erp:customer:101'
    """
    settings = Settings(home=tmp_path / "weighed")
    with closing(open_store(settings)) as store:
        publish_graph(store, settings, weighed).close()
    monkeypatch.setenv("PRECEDE_HOME", str(settings.home))
    shown = precede("why", "crm:company:1", "erp:customer:101").out
    assert re.search(r"start +two records at random +\+11\.3", shown)
    assert re.search(r"name +same +\+9\.9", shown)
    assert re.search(r"web and mail +other, but only a stranger says so +-3\.0", shown)
    assert "phone" not in shown.split("What they state")[0]


def test_why_shows_the_chain_where_they_were_not_compared(precede: Precede) -> None:
    result = precede("why", "crm:contact:9", "support:user:21")
    assert "They were not compared with each other" in result.out
    assert "the source's own merge" in result.out


def test_why_shows_what_keeps_two_records_apart(precede: Precede) -> None:
    vetoed = precede("why", "crm:company:1", "crm:company:2").out
    assert "They may not be one, vetoed: vat numbers differ." in vetoed
    assert "that differ are of two companies" in vetoed
    assert "may be one" in precede("why", "crm:company:5", "support:organization:15").out
    never = precede("why", "crm:company:1", "crm:company:3")
    assert never.code == 0
    assert "are two entities" in never.out
    assert "No rule brought them together" in never.out


def test_why_gives_json(precede: Precede) -> None:
    explained = precede("why", "support:organization:11", "erp:customer:101", "--json").json
    assert explained["same_entity"] is True
    assert [step["status"] for step in explained["steps"]] == ["accepted", "accepted"]
    assert {one["name"]: one["level"] for one in explained["steps"][1]["comparisons"]} == {
        "name": "close",
        "vat_number": "same",
    }


def test_why_takes_two_entities_and_finds_the_records_that_came_nearest(precede: Precede) -> None:
    told = precede("why", "org_elm_support", "org_elm", "--json").json
    assert (told["record_a"], told["record_b"]) == ("support:organization:15", "crm:company:5")
    assert told["steps"][0]["status"] == "possible"
    refused = precede("why", "org_elm", "org_dune")
    assert (refused.code, refused.out) == (1, "")
    assert "No record of org_elm came near one of org_dune" in refused.err


def test_why_of_an_entity_says_what_holds_it_and_why_not_the_nearest_other(precede: Precede) -> None:
    shown = precede("why", "org_acme").out
    assert "Acme Widgets Ltd (org_acme): 3 records in crm, erp, support." in shown
    held, others = shown.split("Why they are one")[1].split("Why not another")
    assert held.index("vat number") < held.index("support:organization:11")
    assert "Bolt Logistics Ltd (org_bolt)" in others
    assert "vetoed: vat numbers differ" in others
    told = precede("why", "org_acme", "--json").json
    assert [step["rule"] for step in told["held_by"]] == ["vat_number", None]
    assert [(near["entity_id"], near["step"]["status"]) for near in told["nearest"]] == [("org_bolt", "vetoed")]
    alone = precede("why", "org_dune").out
    assert "It is a single record." in alone
    assert "No other entity came near enough" in alone


def test_why_draws_a_picture_that_a_browser_can_read(precede: Precede, tmp_path: Path) -> None:
    file = tmp_path / "why.svg"
    result = precede("why", "crm:company:1", "erp:customer:101", "--picture", str(file))
    assert (result.code, f"Drawn into {file}." in " ".join(result.out.split())) == (0, True)
    drawn = ET.parse(file).getroot()  # noqa: S314  our own file
    texts = ["".join(one.itertext()) for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "crm:company:1 and erp:customer:101" in " ".join(" ".join(texts).split())
    assert {"accept +4.5", "review +0.0", "+18.2"} <= set(texts)
    refused = precede("why", "crm:company:1", "erp:customer:101", "--picture", str(tmp_path / "why.bmp"))
    assert (refused.code, "needed a file that ends in .svg" in refused.err) == (1, True)
    assert not (tmp_path / "why.bmp").exists()


def test_why_says_which_record_is_unknown(precede: Precede) -> None:
    result = precede("why", "crm:company:1", "crm:company:404")
    assert (result.code, result.out) == (1, "")
    assert "'crm:company:404'" in result.err


def test_what_a_stranger_wrote_is_printed_as_it_is(
    precede: Precede, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "hostile")
    name = "'[red]Acme[/red] ' || chr(27) || '[2J :ticket:' || chr(8238)"
    written = f"UPDATE {{}} SET name = {name} WHERE entity_id = 'org_acme'"
    with closing(open_store(settings)) as store:
        publish_graph(store, settings, *(written.format(table) for table in ("entity", "organisation"))).close()
    monkeypatch.setenv("PRECEDE_HOME", str(settings.home))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    for shown in (precede("show", "org_acme").out, precede("find", "org_acme").out):
        assert "[red]Acme[/red]" in shown
        assert ":ticket:" in shown
        assert "\x1b[2J" not in shown
        assert "\u202e" not in shown

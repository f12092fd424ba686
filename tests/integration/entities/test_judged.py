"""What people say of pairs and of values is obeyed, and told of where the data says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from insight.entities import build as stage
from orchestration.settings import Settings
from tests.integration.entities.history import TODAY, Kept, Row, World
from tests.lists import rows

NOW = datetime(2026, 6, 1, tzinfo=UTC)
A, B, C, D = "crm:t:1", "erp:t:1", "support:t:1", "erp:t:2"


@dataclass
class Firm:
    """Records of one firm, the links between them, and what people said."""

    home: Path
    world: World = field(default_factory=lambda: World(Random(0)))  # noqa: S311  nothing is drawn

    def state(self, record: str, **stated: Any) -> None:
        system, table, key = record.split(":")
        self.world.records[record] = {
            "record_id": record, "system": system, "source_table": table, "source_key": key, "row_hash": "1",
            "weak_fields": stated.pop("weak", []), "verified_fields": [], "name": "Fernley Ltd", **stated,
        }  # fmt: skip

    def link(self, one: str, other: str, status: str = "accepted", strength: int | None = 2, **said: Any) -> None:
        one, other = sorted((one, other))
        self.world.links[one, other] = {
            "entity_type": "organisation", "record_a": one, "record_b": other, "match_weight": 8.0,
            "match_probability": 0.9, "tier": None, "veto": None, "status": status, "comparisons": "{}",
            "strength": strength, "firm": True, **said,
        }  # fmt: skip

    def resolve(self, **how: Any) -> dict[str, list[Row]]:
        """Every table of the entities."""
        records, aliases, links, judgements, settlements = Kept(self.home / "stages").keep(self.world)
        made = stage.build(
            records, aliases, links, None, Settings(home=self.home),
            judgements=judgements, settlements=settlements, now=NOW, **how,
        )  # fmt: skip
        return {table: rows(made.table(table)) for table in stage.TABLES}


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    """Three records of one firm, the second and the third of two minds about it."""
    firm = Firm(tmp_path)
    firm.state(A, payment_terms="Net 30", vat_number="GB111")
    firm.state(B, payment_terms="Net 60", vat_number="GB111", updated_at=NOW)
    firm.state(C)
    firm.link(A, B, strength=1, tier="vat_number")
    firm.link(A, C, match_weight=6.0)
    return firm


def entities(tables: dict[str, list[Row]]) -> set[frozenset[str]]:
    found: dict[str, set[str]] = {}
    for row in tables["crosswalk"]:
        found.setdefault(row["entity_id"], set()).add(row["record_id"])
    return {frozenset(one) for one in found.values()}


def states(tables: dict[str, list[Row]]) -> dict[str, tuple[str, str]]:
    return {row["judgement_id"]: (row["state"], row["detail"]) for row in tables["judgement_state"]}


def test_what_a_person_says_is_the_same_is_one_entity_whatever_forbids_it(firm: Firm) -> None:
    firm.link(A, C, "vetoed", None, veto="vat_number_differs")
    firm.world.judged[A, C] = "same:pair_1"
    tables = firm.resolve()
    assert entities(tables) == {frozenset({A, B, C})}
    assert tables["entity"][0]["standing_reasons"] == []
    assert {row["reason"] for row in tables["crosswalk"]} == {"tier:vat_number", "judgement"}
    assert states(tables) == {"pair_1": ("contradicted", "the rule vat_number_differs forbids the link")}


def test_what_a_person_says_is_different_is_two_entities_and_no_longer_in_doubt(firm: Firm) -> None:
    firm.world.judged[A, C] = "different:pair_1"
    tables = firm.resolve()
    assert entities(tables) == {frozenset({A, B}), frozenset({C})}
    assert tables["review_pair"] == []
    assert states(tables) == {"pair_1": ("obeyed", "")}


def test_no_chain_bridges_what_a_person_keeps_apart(firm: Firm) -> None:
    firm.world.judged[B, C] = "different:pair_1"
    assert entities(firm.resolve()) == {frozenset({A, B}), frozenset({C})}


def test_different_of_one_pair_is_said_of_every_other_that_may_join_the_two(firm: Firm) -> None:
    for one in (A, B):
        firm.link(one, C, "possible", None)
    assert len(firm.resolve()["review_pair"]) == 2
    firm.home /= "judged"
    firm.world.judged[B, C] = "different:pair_1"
    assert firm.resolve()["review_pair"] == []


def test_different_does_not_say_where_a_record_that_two_want_belongs(firm: Firm) -> None:
    firm.link(A, C, strength=1, tier="vat_number")
    firm.world.judged[B, C] = "different:pair_1"
    tables = firm.resolve()
    assert [row["reason"] for row in tables["review_pair"]] == ["ambiguous"]
    assert all("ambiguous_link" in row["standing_reasons"] for row in tables["entity"])


def test_a_judgement_against_a_strong_key_is_obeyed_and_told_of(firm: Firm) -> None:
    firm.world.judged[A, B] = "different:pair_1"
    tables = firm.resolve()
    assert frozenset({A, B}) not in {one - {C} for one in entities(tables)}
    assert states(tables)["pair_1"] == ("contradicted", "the two records share the strong key vat_number")


def test_a_judgement_of_a_record_that_is_gone_is_told_of(firm: Firm) -> None:
    firm.world.judged[A, "erp:t:9"] = "same:pair_1"
    assert states(firm.resolve())["pair_1"] == ("unplaced", "one of the two records is not there")


def test_a_settled_value_survives_and_is_no_conflict_while_it_holds(firm: Firm) -> None:
    unsettled = firm.resolve()
    (conflict,) = unsettled["conflict"]
    assert (conflict["field"], conflict["system_a"], conflict["system_b"]) == ("payment_terms", "crm", "erp")
    assert unsettled["golden"][0]["payment_terms"] == "Net 60"

    firm.home /= "settled"
    firm.world.settled[C, "payment_terms"] = ("30 days:value_1", date(2026, 6, 1))
    tables = firm.resolve()
    (golden,) = tables["golden"]
    assert (golden["payment_terms"], golden["payment_terms_record"]) == ("Net 30", A)
    assert tables["conflict"] == []
    assert states(tables) == {"value_1": ("obeyed", "")}


def test_a_settlement_that_is_over_counts_no_more(firm: Firm) -> None:
    firm.world.settled[C, "payment_terms"] = ("Net 30:value_1", date(2026, 5, 31))
    tables = firm.resolve()
    assert tables["golden"][0]["payment_terms"] == "Net 60"
    assert len(tables["conflict"]) == 1
    assert states(tables) == {"value_1": ("expired", "its last day is over")}


def test_the_day_of_the_settlements_counts_and_not_that_of_the_run(firm: Firm) -> None:
    firm.world.settled[C, "payment_terms"] = ("Net 30:value_1", TODAY)  # NOW is later, where the run is
    records, aliases, links, _, settlements = Kept(firm.home / "stages").keep(firm.world)
    made = stage.build(
        records, aliases, links, None, Settings(home=firm.home), settlements=settlements, now=NOW + timedelta(days=1)
    )
    assert [row["state"] for row in rows(made.table("judgement_state"))] == ["obeyed"]


def test_a_settled_value_that_nobody_states_any_more_holds_and_is_told_of(firm: Firm) -> None:
    firm.world.settled[A, "payment_terms"] = ("Net 14:value_1", None)
    tables = firm.resolve()
    (golden,) = tables["golden"]
    assert (golden["payment_terms"], golden["payment_terms_record"]) == ("Net 14", None)
    assert states(tables)["value_1"] == ("contradicted", "no record of the entity states the value any more")


def test_a_settled_street_brings_no_other_town_with_it(firm: Firm) -> None:
    firm.state(A, address="12 Mill Street", city="Leeds")
    firm.world.settled[A, "address"] = ("9 Dock Road:value_1", None)
    (golden,) = firm.resolve()["golden"]
    assert (golden["address"], golden["city"]) == ("9 Dock Road", None)


def test_of_two_settlements_on_one_entity_the_later_counts(firm: Firm) -> None:
    firm.world.settled[A, "payment_terms"] = ("Net 30:value_9", None)
    firm.world.settled[B, "payment_terms"] = ("Net 60:value_10", None)
    tables = firm.resolve()
    assert tables["golden"][0]["payment_terms"] == "Net 60"
    assert {one: state for one, (state, _) in states(tables).items()} == {
        "value_9": "contradicted",
        "value_10": "obeyed",
    }


def test_a_settlement_of_what_adds_up_is_placed_nowhere(firm: Firm) -> None:
    firm.world.settled[A, "opted_out"] = ("true:value_1", None)
    assert states(firm.resolve())["value_1"][0] == "unplaced"


def test_a_system_that_the_user_believes_first_goes_before_what_is_newer(firm: Firm) -> None:
    (golden,) = firm.resolve(priority={"crm": {"payment_terms": 1}})["golden"]
    assert golden["payment_terms"] == "Net 30"


def test_what_only_the_public_says_survives_no_priority(firm: Firm) -> None:
    firm.state(A, payment_terms="Net 30", vat_number="GB111", weak=["payment_terms"])
    (golden,) = firm.resolve(priority={"crm": {"payment_terms": 1}})["golden"]
    assert golden["payment_terms"] == "Net 60"


def test_a_legal_name_beside_an_official_number_goes_before_a_newer_one(firm: Firm) -> None:
    firm.state(A, vat_number="GB111", legal_name="Fernley Coatings Limited")
    firm.state(C, legal_name="Oakham Bakery plc", updated_at=NOW)
    tables = firm.resolve()
    assert tables["golden"][0]["legal_name"] == "Fernley Coatings Limited"
    assert [(row["field"], row["record_a"], row["record_b"]) for row in tables["conflict"]] == [("legal_name", A, C)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Fernley Coatings Limited", "FERNLEY COATINGS LTD."),
        ("Fernley Coatings Limited", "Fernley Coatngs Limited"),
        ("Fernley Coatings Limited", "Fernley Coatings (Leeds) Limited"),
    ],
)
def test_another_spelling_of_a_legal_name_is_no_conflict(firm: Firm, one: str, other: str) -> None:
    firm.state(A, legal_name=one)
    firm.state(B, legal_name=other)
    assert firm.resolve()["conflict"] == []


def test_two_accounts_billed_at_two_addresses_in_two_systems_are_a_conflict(firm: Firm) -> None:
    leeds = {"address": "12 Mill Street", "k_postcode": "LS1 4AP", "k_street_number": "12", "payment_terms": "Net 30"}
    hull = {"address": "9 Dock Road", "k_postcode": "HU1 1AA", "k_street_number": "9", "payment_terms": "Net 30"}
    firm.state(A, **leeds)
    firm.state(B, **hull)
    firm.state(C, **hull | {"payment_terms": None})
    (conflict,) = firm.resolve()["conflict"]
    assert (conflict["field"], conflict["record_a"], conflict["record_b"]) == ("address", A, B)


def test_a_second_site_and_a_slip_in_a_postcode_are_no_conflict(firm: Firm) -> None:
    leeds = {"address": "12 Mill Street", "k_postcode": "LS1 4AP", "k_street_number": "12", "payment_terms": "Net 30"}
    firm.state(A, **leeds)
    firm.state(B, **leeds | {"k_postcode": "LS1 4PA"})
    firm.state(D, **leeds | {"address": "9 Dock Road", "k_postcode": "HU1 1AA", "k_street_number": "9"})
    del firm.world.records[A]
    firm.world.links = {}
    firm.link(B, D, strength=1, tier="vat_number")
    assert firm.resolve()["conflict"] == []


def test_a_pair_in_doubt_says_what_a_word_on_it_could_change_and_settle(firm: Firm) -> None:
    firm.state(B, payment_terms="Net 30", vat_number="GB111")
    firm.state(D, payment_terms="Net 60", country="GB")
    firm.link(A, C, match_weight=6.0)
    firm.link(A, D, "ambiguous", None, match_weight=5.0)
    firm.link(B, D, "ambiguous", None, match_weight=5.0)
    tables = firm.resolve()
    pairs = tables["review_pair"]
    assert {(row["record_a"], row["record_b"]) for row in pairs} == {(A, D), (B, D)}
    for row in pairs:
        assert row["could_change"] == ["country", "payment_terms", "resolution", "vat_number"]
        assert (row["match_weight"], row["records"]) == (5.0, 4)
        assert row["settles"] == 4  # two doubts, and two entities without standing that have no other


def test_two_of_a_system_that_rarely_has_two_are_parted_and_left_to_a_person(firm: Firm) -> None:
    firm.state(D)
    firm.link(C, D, match_weight=5.0)
    assert entities(firm.resolve()) == {frozenset({A, B, C, D})}
    firm.home /= "rare"
    tables = firm.resolve(rarely_twice=frozenset({"erp"}))
    assert entities(tables) == {frozenset({A, B, C}), frozenset({D})}
    (pair,) = tables["review_pair"]
    assert (pair["record_a"], pair["record_b"], pair["reason"]) == (D, C, "same_system_twice")


def test_one_weak_link_between_two_pairs_is_left_to_a_person(firm: Firm) -> None:
    firm.state(D)
    firm.world.links = {}
    for one, other, weight in ((A, B, 9.0), (C, D, 9.0), (B, C, 4.0)):
        firm.link(one, other, match_weight=weight)
    tables = firm.resolve()
    assert entities(tables) == {frozenset({A, B}), frozenset({C, D})}
    (pair,) = tables["review_pair"]
    assert (pair["record_a"], pair["record_b"], pair["reason"]) == (B, C, "weak_bridge")


def test_nothing_is_made_of_no_records(tmp_path: Path) -> None:
    assert all(rows == [] for rows in Firm(tmp_path).resolve().values())


def test_what_a_killed_run_left_half_is_gone_past(firm: Firm) -> None:
    kept = Kept(firm.home / "stages")
    records, aliases, links, *_ = kept.keep(firm.world)
    settings = Settings(home=firm.home)
    made = stage.build(records, aliases, links, None, settings, now=NOW)
    for name in (f".{made.version}-1.draft-1", "removed-halfway"):
        half = made.path.with_name(name)
        half.mkdir()
        (half / "layer.json").write_text((made.path / "layer.json").read_text())
    firm.state(D)
    records, aliases, links, *_ = kept.keep(firm.world)
    again = stage.build(records, aliases, links, made.table("crosswalk"), settings, before=made, now=NOW)
    assert D in {row["record_id"] for row in rows(again.table("crosswalk"))}

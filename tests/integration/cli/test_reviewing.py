"""`precede review` and `precede conflicts`: what a person could settle, in which order, and what is kept of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from orchestration.cli.reading import Paper
from orchestration.identity.person import Role
from orchestration.ledger.verify import record_of
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store, open_store
from tests.graph_fixture import publish_graph
from tests.identified import signed_in
from tests.integration.cli.conftest import Precede

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
ELM = ("crm:company:5", "support:organization:15")
MORE_DOUBTS = """
    INSERT INTO review_pair
    (entity_type, record_a, record_b, entity_a, entity_b, match_probability, reason, could_change)
    VALUES
    ('organisation', 'crm:company:2', 'erp:customer:104', 'org_bolt', 'org_dune', 0.9, 'possible', ['name', 'city']),
    ('organisation', 'erp:customer:102', 'erp:customer:104', 'org_bolt', 'org_dune', 0.6, 'possible', ['city']),
    ('person', 'crm:contact:2', 'crm:contact:7', 'person_ben', 'person_gus', 0.5, 'ambiguous', NULL);
"""


@pytest.fixture
def doubting(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A home whose graph has three open doubts, in which Ada Okafor runs the commands."""
    settings = Settings(home=home)
    signed_in(monkeypatch, "Ada Okafor")
    with closing(open_store(settings)) as store:
        publish_graph(store, settings, MORE_DOUBTS).close()
        yield store


def propose(store: Store, action: str, entity: str, *codes: str, day: int = 2, **arguments: str) -> None:
    """An action about an entity that was denied for those reasons; without any, one that nobody decided."""
    at = NOW + timedelta(days=day)
    with store.begin() as connection:
        batch: dict[str, Any] = {
            "batch_id": f"b_{action}",
            "agent": "finance",
            "snapshot_id": f"s_{action}",
            "state": "answered",
        }
        batch |= {"business_date": at.date(), "created_at": at, "row_count": 1}
        connection.execute(insert(tables.batch).values(batch))
        proposal: dict[str, Any] = {
            "action": action,
            "batch_id": f"b_{action}",
            "row_id": f"r_{action}",
            "agent": "finance",
        }
        proposal |= {"action_type": "remind", "entity_id": entity, "rationale": "", "proposed_at": at}
        proposal |= {"arguments": {"organisation": entity} | arguments, "digest": "0" * 64}
        connection.execute(insert(tables.proposal).values(proposal))
        if codes:
            reasons = [{"code": code, "subject": entity, "detail": ""} for code in codes]
            decision: dict[str, Any] = {
                "action": action,
                "verdict": "deny",
                "reasons": reasons,
                "policies": [],
                "transient": False,
            }
            decision |= {"policy_digest": "", "read_set_digest": "", "decided_at": at}
            connection.execute(insert(tables.decision).values(decision))


def listed(precede: Precede, *options: str) -> list[tuple[str, int]]:
    return [(one["record_a"], len(one["waiting"])) for one in precede("review", "pairs", *options, "--json").json]


def test_pairs_that_actions_wait_for_come_first(precede: Precede, doubting: Store) -> None:
    assert listed(precede)[-1] != ("crm:company:5", 0)
    propose(doubting, "act_1", "org_elm", "open_review_pair")
    propose(doubting, "act_2", "org_elm", "ambiguous_link", "stale_source", invoice="erp:transaction:9")
    propose(doubting, "act_3", "org_bolt", "open_review_pair", "invoice_paid")
    propose(doubting, "act_4", "org_dune")
    assert listed(precede) == [("crm:company:5", 2), ("crm:company:2", 1), ("crm:contact:2", 0)]


def test_what_an_agent_asked_for_every_day_waits_once_and_as_it_was_answered_last(
    precede: Precede, doubting: Store
) -> None:
    for day in range(3):
        propose(doubting, f"act_{day}", "org_elm", "open_review_pair", day=day)
    assert listed(precede)[0] == ("crm:company:5", 1)
    propose(doubting, "act_9", "org_elm", "invoice_paid", day=9)
    assert ("crm:company:5", 0) in listed(precede)


def test_two_entities_are_one_doubt_however_many_of_their_records_are_in_doubt(
    precede: Precede, doubting: Store
) -> None:
    assert doubting.is_sqlite
    (bolt,) = precede("review", "pairs", "--entity", "org_dune", "--json").json
    assert (bolt["record_a"], bolt["record_b"], bolt["doubts"]) == ("crm:company:2", "erp:customer:104", 2)
    assert bolt["could_change"] == ["city", "name"]
    assert [one["record_a"] for one in precede("review", "pairs", "--type", "person", "--json").json] == [
        "crm:contact:2"
    ]
    shown = precede("review", "pairs").out
    assert "Elm Partners LLP" in shown
    assert "possible 0.700" in shown


def test_the_next_pair_is_shown_side_by_side_and_goes_once_it_is_judged(precede: Precede, doubting: Store) -> None:
    propose(doubting, "act_1", "org_elm", "open_review_pair")
    shown = precede("review", "pairs", "--next").out
    assert "crm:company:5 and support:organization:15 are two entities" in shown
    assert "1 action waits for it." in shown
    assert "A decision could change: name." in shown
    assert "Elm Partners " in shown
    judged = precede("review", "judge", *ELM, "same", "--note", "same website")
    assert "are the same, says Ada Okafor (judgement_000001). The next graph obeys it" in " ".join(judged.out.split())
    assert "crm:company:5" not in [record for record, _ in listed(precede)]
    with doubting.read() as connection:
        assert not [problem for problem in record_of(connection).problems if "judgement" in problem]


def test_a_skipped_pair_comes_last_and_is_not_the_next(precede: Precede, doubting: Store) -> None:
    propose(doubting, "act_1", "org_elm", "open_review_pair")
    first = precede("review", "pairs", "--next", "--json").json
    assert first["pair"]["record_a"] == "crm:company:5"
    assert first["records"]["support:organization:15"]["name"] == "Elm Partner"
    precede("review", "judge", *reversed(ELM), "skip")
    assert listed(precede)[-1] == ("crm:company:5", 1)
    for pair in (("crm:company:2", "erp:customer:104"), ("crm:contact:2", "crm:contact:7")):
        precede("review", "judge", *pair, "different")
    assert precede("review", "pairs", "--next", "--json").json is None


def test_on_a_terminal_each_pair_is_asked_about(
    precede: Precede, doubting: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doubting.is_sqlite
    typed = iter(["x", "different two streets", "k", "quit"])
    with monkeypatch.context() as terminal:
        terminal.setattr(sys.stdin, "isatty", lambda: True)
        terminal.setattr(type(sys.stdout), "isatty", lambda _: True)
        terminal.setattr(Paper, "input", lambda *_: next(typed))
        shown = precede("review", "pairs").out
    assert "1 of 3" in shown
    assert "Type s, d, k or q." in shown
    said = precede("review", "judgements", "--json").json
    assert sorted((one["verdict"], one["note"], one["state"]) for one in said) == [
        ("different", "two streets", "waiting"),
        ("skip", "", "withdrawn"),
    ]


def test_what_the_data_contradicts_is_listed_first(
    precede: Precede, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    became = """
        INSERT INTO judgement VALUES
        ('judgement_000001', 'organisation', 'crm:company:5', 'support:organization:15', NULL, 'same', 'obeyed', NULL),
        ('judgement_000002', 'organisation', 'crm:company:1', 'crm:company:2', NULL, 'same', 'contradicted',
         'Two valid VAT numbers that differ.');
    """
    settings = Settings(home=home)
    with closing(open_store(settings)) as store:
        publish_graph(store, settings).close()
        signed_in(monkeypatch, "Ada")
        precede("review", "judge", *ELM, "same")
        signed_in(monkeypatch, "Ben")
        precede("review", "judge", "crm:company:1", "crm:company:2", "same")
        publish_graph(store, settings, became, snapshot_id="snap_second", built_at=NOW).close()
    said = precede("review", "judgements", "--json").json
    assert [(one["judgement_id"], one["state"]) for one in said] == [
        ("judgement_000002", "contradicted"),
        ("judgement_000001", "obeyed"),
    ]
    shown = precede("review", "judgements", "--state", "contradicted").out
    assert "Two valid VAT numbers that differ." in shown
    assert "judgement_000001" not in shown


def test_a_conflict_is_listed_by_entity_and_by_systems_and_can_be_settled(precede: Precede, doubting: Store) -> None:
    propose(doubting, "act_1", "org_crane", "conflict")
    (found,) = precede("conflicts", "--json").json
    assert (found["entity_id"], found["field"], found["waiting"]) == ("org_crane", "vat_number", ["act_1"])
    assert found["stated"] == [
        {"value": "GB111111111", "record_id": "crm:company:3"},
        {"value": "GB222222222", "record_id": "erp:customer:103"},
    ]
    (systems,) = precede("conflicts", "--by-system", "--json").json
    assert (systems["system_a"], systems["system_b"], systems["conflicts"], systems["entities"]) == ("crm", "erp", 1, 1)
    assert "GB222222222  erp:customer:103" in precede("conflicts", "org_crane").out
    assert "crm, erp" in precede("conflicts", "--by-system").out
    assert precede("conflicts", "org_acme").out == "No records of one entity disagree there.\n"

    settle = ("review", "settle", "crm:company:3", "vat_number")
    said = precede(*settle, "GB222222222", "--until", "2027-01-31", "--json").json
    assert (said["judgement_id"], said["value"], said["until"]) == ("settlement_000001", "GB222222222", "2027-01-31")
    assert "says nothing of the vat number" in " ".join(precede(*settle, "--withdraw").out.split())
    assert [one["state"] for one in precede("review", "judgements", "--json").json] == ["withdrawn"]
    assert len(precede("review", "judgements", "--state", "withdrawn", "--json").json) == 1
    assert precede("review", "judgements", "--state", "waiting", "--json").json == []


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        (("judge", "crm:company:5", "crm:company:404", "same"), "needed one such as crm:company:12"),
        (("judge", "crm:company:5", "crm:contact:7", "same"), "needed two records of one type"),
        (("settle", "crm:company:3", "vat_number", "GB9"), "needed a value that a record of org_crane states"),
        (("settle", "crm:company:3", "vat_number"), "needed either a value or --withdraw"),
        (("settle", "crm:company:3", "opted_out", "true"), "which every record of an entity adds to"),
        (("show", "crm:company:404", "crm:company:1"), "needed one such as crm:company:12"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_as_json(
    precede: Precede, doubting: Store, command: tuple[str, ...], needed: str
) -> None:
    refused = precede("review", *command)
    assert (refused.code, refused.out) == (1, "")
    assert needed in refused.err
    told: dict[str, Any] = json.loads(precede("review", *command, "--json").err)
    assert needed in told["message"]
    assert told["error"] in {"NotFound", "ConfigurationError"}
    with doubting.read() as connection:
        assert connection.execute(tables.judgement.select()).all() == []


def test_a_command_that_is_called_wrongly_says_so_as_json_too(precede: Precede, doubting: Store) -> None:
    assert doubting.is_sqlite
    result = precede("review", "judge", *ELM, "perhaps", "--json")
    assert (result.code, result.out) == (2, "")
    assert "'perhaps'" in json.loads(result.err)["message"]


JUDGING = (
    ("judge", *ELM, "same"),
    ("settle", "crm:company:3", "vat_number", "GB222222222"),
)


@pytest.mark.parametrize("command", JUDGING, ids=["judge", "settle"])
def test_nobody_judges_without_being_known_as_a_reviewer(
    precede: Precede, doubting: Store, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    signed_in(monkeypatch, "Otto", Role.OPERATOR, Role.AUDITOR)
    refused = precede("review", *command)
    assert (refused.code, refused.out) == (1, "")
    assert "Otto is identified with the roles: auditor, operator; needed reviewer;" in refused.err
    monkeypatch.delenv("PRECEDE_TOKEN")
    assert "no token was shown; needed yours in PRECEDE_TOKEN" in precede("review", *command).err
    Settings().people.unlink()
    monkeypatch.setenv("PRECEDE_TOKEN", "precede_" + "A" * 43)
    assert "precede people add" in precede("review", *command).err
    with doubting.read() as connection:
        assert connection.execute(tables.judgement.select()).all() == []
        assert connection.execute(tables.settlement.select()).all() == []


@pytest.mark.parametrize("option", ["--reviewer", "--operator"])
def test_no_option_says_who_judges(precede: Precede, doubting: Store, option: str) -> None:
    assert doubting.is_sqlite
    assert precede("review", "judge", *ELM, "same", option, "Ben").code == 2


def test_reading_takes_nobody(precede: Precede, doubting: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doubting.is_sqlite
    monkeypatch.delenv("PRECEDE_TOKEN")
    assert precede("review", "pairs").code == 0
    assert precede("review", "show", *ELM).code == 0
    assert precede("review", "judgements").code == 0

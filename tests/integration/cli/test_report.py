"""`precede report`: one set of numbers in every form."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.integration.cli.conftest import Precede
from tests.integration.ledger.story import DENIED, DONE

NOVEMBER = ("--since", "2026-11-01", "--until", "2026-12-01")


@pytest.mark.usefixtures("told")
def test_a_report_says_who_did_what_why_and_how_to_walk_it_back(precede: Precede) -> None:
    result = precede("report", *NOVEMBER)
    assert result.code == 0, result.err
    for said in (
        "What the agents did from 2026-11-01 up to 2026-12-01 (UTC), the end not included",
        "The record verifies",
        "Credit control",
        "1 allowed, 0 in review, 1 denied",
        "1 invoice paid",
        "finance.external (1)",
        f"precede trace {DONE}",
        "Nothing was stopped.",
        "no checkpoint says",
    ):
        assert said in result.out
    assert max(map(len, result.out.splitlines())) <= 130


def test_json_page_and_tables_are_the_same_report(precede: Precede, told: Path) -> None:
    said = precede("report", *NOVEMBER, "--json", "--html", str(told / "r.html"), "--csv", str(told / "r")).json
    assert (said["total"]["proposals"], said["total"]["done"], said["total"]["denied"]) == (2, 1, 1)
    assert {one["action"] for one in said["actions"]} == {DONE, DENIED}
    assert said["basis"]["verified"] is True
    page = (told / "r.html").read_text()
    assert f'<tr id="{DENIED}">' in page
    with (told / "r" / "agents.csv").open() as file:
        [row] = csv.DictReader(file)
    assert [int(row[name]) for name in ("proposals", "done", "denied")] == [2, 1, 1]


@pytest.mark.usefixtures("told")
def test_last_month_is_what_is_meant_where_nothing_is_said(precede: Precede) -> None:
    said = precede("report", "--json", "--no-verify").json
    assert said["since"].endswith("-01T00:00:00Z")
    assert said["until"].endswith("-01T00:00:00Z")
    assert said["basis"]["verified"] is None


def test_a_report_of_an_edited_record_says_so_first_and_fails(precede: Precede, told: Path) -> None:

    with create_engine(f"sqlite:///{told / 'store.db'}").begin() as connection:
        connection.execute(text("UPDATE decision SET verdict = 'allow'"))
    result = precede("report", *NOVEMBER)
    assert result.code == 1
    assert "does not verify, so these numbers prove nothing" in result.out.splitlines()[1]
    assert precede("report", *NOVEMBER, "--json").json["basis"]["problem_count"] > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "soon"], "--since: found 'soon'; needed a date"),
        (["--since", "2026-11-02", "--until", "2026-11-02"], "a time after --since"),
        (["--zone", "Mars/Base"], "the name of a zone"),
        ([*NOVEMBER, "--html", "/proc/none/report.html"], "The folder /proc/none is not there; needed one that is"),
        ([*NOVEMBER, "--csv", "/proc/none/tables"], "The folder /proc/none is not there; needed one that is"),
        ([*NOVEMBER, "--html", "/proc/report.html"], "cannot be written"),
    ],
)
@pytest.mark.usefixtures("told")
def test_what_cannot_be_reported_is_refused_with_what_to_do(precede: Precede, options: list[str], said: str) -> None:
    result = precede("report", "--no-verify", *options)
    assert result.code == 1
    assert said in result.err

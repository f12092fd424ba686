"""What a report counts, on a store that was filled through the gate."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from orchestration.ledger.verify import verify
from orchestration.report.make import make
from orchestration.report.model import Numbers, Report
from orchestration.report.page import page
from orchestration.report.page_words import COLUMNS
from orchestration.report.period import Period, period
from orchestration.report.publish import publish
from orchestration.store import tables
from tests.integration.report.conftest import FIRST, LAST, LATE, STARTED, STOPPED, Month

NOW = datetime(2026, 11, 3, tzinfo=UTC)


def reported(month: Month, since: str, until: str, zone: str = "UTC", **asked: Any) -> Report:
    world = month.world
    return make(world.store, world.settings, period(since, until, zone, NOW), None, NOW, most=100, **asked)


def numbers(report: Report) -> dict[str, dict[str, float]]:
    """Of each agent what is not zero."""
    return {one.agent: {k: v for k, v in one.numbers.model_dump().items() if v} for one in report.agents}


OF_FINANCE = {
    "wakes": 1,
    "shown": 3,
    "proposals": 3,
    "allowed": 1,
    "reviewed": 1,
    "denied": 1,
    "held": 1,
    "waiting": 1,
    "effects": 1,
    "done": 1,
}
OF_COLLECTIONS = {"wakes": 1, "shown": 3, "proposals": 3, "allowed": 2, "denied": 1, "effects": 1, "unknown": 1}


def test_a_month_is_counted_by_agent(month: Month) -> None:
    found = reported(month, "2026-10-01", "2026-11-01")
    assert numbers(found) == {"finance": OF_FINANCE, "collections": OF_COLLECTIONS}
    assert found.total.proposals == 6
    assert (found.total.allowed, found.total.reviewed, found.total.denied) == (3, 1, 2)
    assert found.stops == ()
    [finance] = [one for one in found.agents if one.agent == "finance"]
    assert finance.owner == "Credit control"
    assert [(one.name, one.actions) for one in finance.reasons["deny"]] == [("invoice_disputed", 1)]
    assert [one.name for one in finance.policies["review"]] == ["finance-large"]
    assert [one.name for one in finance.policies["allow"]] == ["finance-remind"]


def test_days_begin_in_the_zone_that_is_asked_for(month: Month) -> None:
    """Half past eleven at night in UTC is the next month in Berlin."""
    assert numbers(reported(month, "2026-10-01", "2026-11-01", "Europe/Berlin")) == {"finance": OF_FINANCE}
    later = reported(month, "2026-11-01", "2026-11-03", "Europe/Berlin")
    assert numbers(later)["collections"].items() >= {"proposals": 4, "allowed": 2, "undecided": 1}.items()
    assert [(one.day, one.allowed, one.denied) for one in later.days] == [
        (date(2026, 11, 1), 2, 1),
        (date(2026, 11, 2), 0, 0),
    ]


@pytest.mark.parametrize(
    ("since", "until", "counted"),
    [
        (FIRST, FIRST + timedelta(microseconds=1), 3),
        (FIRST - timedelta(days=1), FIRST, 0),
        (FIRST + timedelta(microseconds=1), LATE, 0),
        (LATE, LAST, 3),
        (LAST, NOW, 1),
    ],
)
def test_what_happens_at_the_beginning_counts_and_at_the_end_does_not(
    month: Month, since: datetime, until: datetime, counted: int
) -> None:
    assert reported(month, since.isoformat(), until.isoformat()).total.proposals == counted


def test_a_month_in_which_nothing_happened_says_so(month: Month) -> None:
    found = reported(month, "2026-09-01", "2026-10-01")
    assert (found.agents, found.actions, found.total) == ((), (), Numbers())
    assert len(found.days) == 30
    said = page(found)
    assert "No agent was woken, and nothing was proposed, decided or done." in said
    assert "<figure>" not in said


def test_a_stop_counts_for_as_long_as_it_lasts_within_the_period(month: Month) -> None:
    whole = reported(month, "2026-11-01", "2026-11-03")
    assert numbers(whole)["finance"] == {"stops": 1, "stopped_seconds": 86_400.0, "waiting": 1}
    assert [(one.name, one.stopped_at, one.started_at, one.person) for one in whole.stops] == [
        ("finance", STOPPED, STARTED, "Olive Otis")
    ]
    part = reported(month, "2026-11-01T18:00", "2026-11-02T12:00")
    assert numbers(part)["finance"] == {"stopped_seconds": 21_600.0, "waiting": 1}


def test_a_report_says_what_it_rests_on_and_what_is_missing(month: Month) -> None:
    world = month.world
    found = verify(world.store, None, world.settings)
    assert found.problems == ()
    made = make(world.store, world.settings, period("2026-11-01", "2026-12-01", "UTC", NOW), found, NOW, most=5)
    with world.store.read() as connection:
        last = connection.execute(select(tables.ledger_entry).order_by(tables.ledger_entry.c.seq.desc())).first()
    assert last is not None
    assert (made.basis.entries, made.basis.head, made.basis.verified) == (last.seq, last.hash, True)
    assert made.basis.snapshot == f"snap_{world.published}"
    assert {one.what: one.number for one in made.basis.missing} == {"rest_of_the_period": 1, "decisions": 1}


def test_a_record_that_does_not_verify_is_told_before_anything_else(month: Month) -> None:
    found = verify(month.world.store, None).model_copy(update={"ok": False, "problems": ("Entry 1 <b> was edited.",)})
    world = month.world
    made = make(world.store, world.settings, period("2026-10-01", "2026-11-01", "UTC", NOW), found, NOW, most=5)
    said = page(made)
    assert "The record does not verify: these numbers prove nothing." in said[: said.index("By agent")]
    assert "Entry 1 &lt;b&gt; was edited." in said


def test_each_listed_action_says_how_to_walk_it_back(month: Month) -> None:
    found = reported(month, "2026-10-01", "2026-11-01")
    listed = {one.action: one for one in found.actions}
    assert set(listed) >= {month.done, month.denied, month.held, month.unknown, month.unused}
    assert (listed[month.done].trace, listed[month.done].outcome) == (f"precede trace {month.done}", "done")
    assert listed[month.denied].reasons == ("invoice_disputed",)
    said = page(found)
    assert f'<tr id="{month.done}">' in said
    assert f"<code>precede trace {month.done}</code>" in said


def test_what_somebody_should_look_at_is_listed_first_where_not_all_are(month: Month) -> None:
    world, asked = month.world, period("2026-10-01", "2026-11-01", "UTC", NOW)
    found = make(world.store, world.settings, asked, None, NOW, most=1)
    assert {one.action for one in found.actions} == {month.done, month.unknown}
    assert found.actions_left_out == 4


def test_one_agent_can_be_asked_for(month: Month) -> None:
    found = reported(month, "2026-10-01", "2026-11-03", agent="collections")
    assert [one.agent for one in found.agents] == ["collections"]
    assert (found.stops, {one.agent for one in found.actions}) == ((), {"collections"})


def test_entities_are_named_only_where_that_is_asked_for(month: Month) -> None:
    assert {one.name for one in reported(month, "2026-10-01", "2026-11-01").actions} == {None}
    named = reported(month, "2026-10-01", "2026-11-01", names=True)
    assert {one.name for one in named.actions} == {"org_1", "org_2", "org_3"}


class Cells(HTMLParser):
    """The rows of a page's tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  the parser's
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def audit(month: Month) -> duckdb.DuckDBPyConnection:
    made = publish(month.world.store, month.world.settings, now=NOW)
    assert made is not None
    return duckdb.connect(str(month.world.settings.audit_link), read_only=True)


EDGES = st.sampled_from(
    [edge + timedelta(microseconds=off) for edge in (FIRST, LATE, STOPPED, STARTED, LAST, NOW) for off in (-1, 0, 1)]
)


@settings(max_examples=6, deadline=None)
@given(st.tuples(EDGES, EDGES).filter(lambda both: both[0] < both[1]))
def test_page_json_and_tables_say_the_same_numbers(
    month: Month, audit: duckdb.DuckDBPyConnection, between: tuple[datetime, datetime]
) -> None:
    world, asked = month.world, Period(*between, "UTC")
    made = make(world.store, world.settings, asked, None, NOW, most=100)
    said = made.model_dump(mode="json")
    shown = {row[0]: row for row in Cells(page(made)).rows if len(row) == len(COLUMNS) + 3}
    for one in said["agents"]:
        assert shown[one["agent"]][2:-1] == [f"{one['numbers'][key]:,}" for _, key in COLUMNS]
    if said["agents"]:  # else there is a sentence in place of the table
        assert shown["all"][2:-1] == [f"{said['total'][key]:,}" for _, key in COLUMNS]
    within = "{0} >= $1 AND {0} < $2"
    for key, query in {
        "proposals": f"SELECT count(*) FROM action WHERE {within.format('proposed_at')}",
        "effects": f"SELECT count(*) FROM outcome WHERE {within.format('intended_at')}",
        "denied": f"SELECT count(*) FROM decision WHERE verdict = 'deny' AND {within.format('decided_at')}",
        "held": f"SELECT count(DISTINCT action) FROM approval WHERE {within.format('held_at')}",
        "stops": f"SELECT count(*) FROM stop WHERE {within.format('stopped_at')}",
        "wakes": f"SELECT count(*) FROM wake WHERE {within.format('woken_at')}",
    }.items():
        assert audit.execute(query, list(between)).fetchall() == [(said["total"][key],)], key


def test_the_tables_join_with_the_graph_that_is_published_beside_them(month: Month) -> None:
    settings = month.world.settings
    publish(month.world.store, settings, now=NOW)
    graph = settings.snapshots / f"snap_{month.world.published}.duckdb"
    with closing(duckdb.connect()) as analyst:
        analyst.execute(f"ATTACH '{graph}' AS graph (READ_ONLY)")
        analyst.execute(f"ATTACH '{settings.audit_link}' AS audit (READ_ONLY)")
        found = analyst.execute(
            "SELECT e.name, count(*) FROM audit.action JOIN graph.entity AS e USING (entity_id) GROUP BY 1 ORDER BY 1"
        ).fetchall()
        tags = analyst.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'audit'").fetchall()
    assert found == [("org_1", 3), ("org_2", 2), ("org_3", 2)]
    assert "v1.0.0" in str(tags)

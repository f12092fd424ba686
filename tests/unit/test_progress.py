"""What a person sees while a job runs."""

from __future__ import annotations

import io

from rich.console import Console

from orchestration.cli.processes import Event
from orchestration.cli.progress import Progress


def shown(*events: Event, quiet: bool = False) -> list[str]:
    page = io.StringIO()
    progress = Progress(Console(file=page, width=60), quiet=quiet)
    with progress.stage("Insight reads"):
        for event in events:
            progress.tell(event)
    return page.getvalue().splitlines()


def asset(name: str, rows: int, *, summary: str = "", unchanged: bool = False) -> Event:
    return Event("asset", "land_crm", name, summary, rows=rows, unchanged=unchanged)


DONE = Event("done", "land_crm", seconds=0.2)


def test_a_step_that_made_one_thing_is_told_by_its_summary() -> None:
    assert shown(asset("crm/company", 3, summary="3 rows, 1 deleted"), DONE)[1].split(maxsplit=2) == [
        "land", "crm", "3 rows, 1 deleted",
    ]  # fmt: skip


def test_a_step_that_made_many_is_told_by_their_number_and_rows() -> None:
    line = shown(asset("crm/company", 1200), asset("crm/contact", 34), DONE)[1]
    assert line.endswith("2 tables, 1,234 rows")


def test_what_did_nothing_says_so() -> None:
    assert shown(asset("a", 1, unchanged=True), DONE)[1].endswith("1 rows, unchanged")
    assert shown(asset("a", 1, unchanged=True), asset("b", 1), DONE)[1].endswith("2 rows, 1 of them unchanged")


def test_a_step_is_told_how_long_it_took_where_that_can_be_felt() -> None:
    assert "(" not in shown(asset("a", 1), DONE)[1]
    assert shown(asset("a", 1), Event("done", "land_crm", seconds=12.34))[1].endswith("(12.3 s)")


def test_a_failed_check_is_told_and_one_that_passed_is_not() -> None:
    failed = Event("check", "checks", "enough_rows", "too few", passed=False, blocking=True)
    noted = Event("check", "checks", "standing_share", "0.5, was 0.7", passed=False)
    passed = Event("check", "checks", "no_duplicate_entity", "none")
    lines = shown(failed, noted, passed)
    assert [line.split(maxsplit=3)[-1] for line in lines[1:3]] == ["failed: too few", "noted: 0.5, was 0.7"]
    assert not any("duplicate" in line for line in lines)


def test_a_line_is_never_broken_and_a_name_never_taken_for_markup() -> None:
    summary = "[bold]" + "x" * 100
    assert shown(asset("a", 1, summary=summary), DONE)[1].endswith(summary)


def test_quiet_tells_nothing() -> None:
    assert shown(asset("a", 1), DONE, quiet=True) == []

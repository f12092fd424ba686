"""What an agent's feedback says on the current graph, and that nothing it says gets in the way."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from orchestration.registry import Agent, load_agent
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.feedback import feedback_page
from tests.waking import FINANCE, World


def measuring(folder: Path, sql: str) -> Agent:
    """The finance agent with other feedback."""
    shutil.copytree(FINANCE, folder / "finance")
    (folder / "finance" / "feedback.sql").write_text(sql, encoding="utf-8")
    return load_agent(folder / "finance")


def said(world: World, tmp_path: Path, sql: str) -> dict[str, float | str]:
    return feedback_page(world.store, world.settings, measuring(tmp_path / "agents", sql))


def test_each_figure_stands_by_itself_with_its_unit_and_all_of_them_as_text(world: World, tmp_path: Path) -> None:
    sql = """
        SELECT * FROM (VALUES
            ('amount_collected', 'EUR', 12.5::DECIMAL(9, 2)), ('amount_collected', 'GBP', 800), ('days', 'days', NULL)
        ) AS f(metric, unit, value)
    """
    assert said(world, tmp_path, sql) == {
        "feedback": "amount_collected: 12.5 EUR\namount_collected: 800 GBP\ndays: nothing yet",
        "feedback/amount_collected (EUR)": 12.5,
        "feedback/amount_collected (GBP)": 800.0,
    }


def test_where_nobody_was_reminded_yet_the_finance_agent_has_no_figure(world: World) -> None:
    assert feedback_page(world.store, world.settings, load_agent(FINANCE)) == {"feedback": "It returned no row."}


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT 1 FROM nowhere", "nowhere"),
        ("SELECT 'a' AS metric, 1 AS value", "needed metric, unit and value"),
        ("SELECT 'a' AS metric, 'b' AS unit, 'c' AS value", "needed a number"),
        ("SELECT 'a' AS metric, 'b' AS unit, count(*) AS value FROM read_csv('/etc/passwd')", "disabled"),
        ("DELETE FROM entity", "read-only"),
    ],
)
def test_feedback_that_cannot_be_asked_is_a_sentence(world: World, tmp_path: Path, sql: str, why: str) -> None:
    found = said(world, tmp_path, sql)
    assert list(found) == ["feedback"]
    assert str(found["feedback"]).startswith("It could not be asked. ")
    assert why in str(found["feedback"])


def test_no_figure_is_infinite(world: World, tmp_path: Path) -> None:
    assert said(world, tmp_path, "SELECT 'a' AS metric, 'b' AS unit, 'inf'::DOUBLE AS value") == {
        "feedback": "a: nothing yet"
    }


def test_without_a_graph_there_is_a_sentence_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    settings = Settings(home=tmp_path / "empty")
    with closing(open_store(settings)) as store:
        assert "No graph has been published yet" in str(feedback_page(store, settings, load_agent(FINANCE))["feedback"])

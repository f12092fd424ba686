"""Scores are what Splink predicts with the same model, and nothing that reaches the review threshold is missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from insight.linkage import score as scoring
from insight.linkage.model import load_model
from insight.linkage.read import open_memory
from insight.linkage.weights import scales
from insight.linkage.whole import link
from tests.integration.linkage.histories import History
from tests.integration.linkage.splink_linker import predicted


@pytest.mark.parametrize("record_type", ["organisation", "person"])
@pytest.mark.parametrize("few", [0, scoring.FEW])
def test_a_score_is_splinks_prediction(
    tmp_path: Path, record_type: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "FEW", few)
    history = History(record_type, tmp_path, 5, 260)
    model = load_model(record_type)
    with open_memory() as con:
        numbers = link(con, history.records().record, None, model, history.employer())
        prediction = predicted(con, model, numbers, "SELECT a AS one, b AS other FROM pair")
        review = numbers.thresholds.review
        expected = con.execute(f"""
            SELECT unique_id_l, unique_id_r FROM {prediction} WHERE match_weight >= {review}
            UNION SELECT record_a, record_b FROM tier_pair ORDER BY ALL
        """).fetchall()
        found = con.execute("SELECT record_a, record_b FROM scored ORDER BY ALL").fetchall()
        assert found == expected
        assert len(found) > 100
        levels = " OR ".join(f"scored.gamma_{one.name} <> splink.gamma_{one.name}" for one in scales(model.splink))
        unlike = con.execute(f"""
            SELECT record_a, record_b FROM scored
            JOIN {prediction} AS splink ON splink.unique_id_l = record_a AND splink.unique_id_r = record_b
            WHERE abs(scored.match_weight - splink.match_weight) > 1e-4
                OR abs(scored.match_probability - splink.match_probability) > 1e-6 OR {levels}
        """).fetchall()
        assert unlike == []


@pytest.mark.parametrize("record_type", ["organisation", "person"])
def test_a_firm_weight_is_splinks_prediction_for_the_firm_rows(tmp_path: Path, record_type: str) -> None:
    history = History(record_type, tmp_path, 6, 260)
    model = load_model(record_type)
    with open_memory() as con:
        numbers = link(con, history.records().record, None, model, history.employer())
        firm = """
            SELECT x.firm_position AS one, y.firm_position AS other
            FROM scored JOIN firm_id AS x ON x.position = a JOIN firm_id AS y ON y.position = b
            WHERE x.firm_position <> a OR y.firm_position <> b
        """
        prediction = predicted(con, model, numbers, firm)
        found = con.execute(f"""
            SELECT count(*), max(abs(scored.firm_weight - splink.match_weight))
            FROM scored JOIN firm_id AS x ON x.position = a JOIN firm_id AS y ON y.position = b
            JOIN {prediction} AS splink ON splink.unique_id_l = x.firm_id AND splink.unique_id_r = y.firm_id
        """).fetchall()
        assert found[0][0] > 10
        assert found[0][1] < 1e-4

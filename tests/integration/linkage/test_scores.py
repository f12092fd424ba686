"""Scores are what Splink predicts with the same model, and nothing that reaches the review threshold is missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from insight.linkage import whole
from insight.linkage.model import load_model
from insight.linkage.read import open_memory
from insight.linkage.sketch import make_sketch
from insight.linkage.weights import prior_weight, scales
from insight.linkage.whole import link
from tests.integration.linkage.histories import History
from tests.integration.linkage.splink_linker import predicted


@pytest.mark.parametrize("record_type", ["organisation", "person"])
@pytest.mark.parametrize("many", [0, whole.MANY])
def test_a_score_is_splinks_prediction(
    tmp_path: Path, record_type: str, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "MANY", many)
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


@pytest.mark.parametrize("record_type", ["organisation", "person"])
def test_sketches_put_no_pair_aside_that_weighs_enough_and_most_of_those_that_do_not(
    tmp_path: Path, record_type: str
) -> None:
    history = History(record_type, tmp_path, 7, 260)
    model = load_model(record_type)
    with open_memory() as con:
        numbers = link(con, history.records().record, None, model, history.employer())
        every = "SELECT l.position AS a, r.position AS b FROM feature AS l JOIN feature AS r ON l.position < r.position"
        con.execute(f"CREATE TABLE every_pair AS {every} WHERE NOT l.is_firm AND NOT r.is_firm")
        prediction = predicted(con, model, numbers, "SELECT a AS one, b AS other FROM every_pair")
        sketch = make_sketch(con, model, numbers.stated)
        for least in (-12, -4, 0, 6, 14):
            sketch.promise(con, "promised", "FROM every_pair", prior_weight(numbers.prior), least)
            missed = con.execute(f"""
                SELECT unique_id_l, unique_id_r, match_weight FROM {prediction}
                JOIN feature AS l ON l.unique_id = unique_id_l JOIN feature AS r ON r.unique_id = unique_id_r
                ANTI JOIN promised ON a = l.position AND b = r.position
                WHERE match_weight >= {least}
            """).fetchall()
            assert missed == []
        pairs, promised = (
            con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in ("every_pair", "promised")
        )
        assert 100 < promised < pairs / 20


@pytest.mark.parametrize("record_type", ["organisation", "person"])
def test_thresholds_are_the_same_whether_sketches_are_asked_or_not(
    tmp_path: Path, record_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(record_type, tmp_path, 8, 600)
    model = load_model(record_type)
    found = []
    for many in (0, whole.MANY):
        monkeypatch.setattr(whole, "MANY", many)
        with open_memory() as con:
            found.append(link(con, history.records().record, None, model, history.employer()))
    assert found[0] == found[1]
    assert found[0].thresholds != model.thresholds

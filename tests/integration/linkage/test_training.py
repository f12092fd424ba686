"""Models are trained on the records at hand, kept, and used from then on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from insight.linkage import train as training
from insight.linkage.model import LINKAGES, load_model, save_model, untrained
from insight.linkage.train import train
from orchestration.errors import ConfigurationError
from orchestration.settings import Settings
from tests.lists import Resolved, Row, resolve

TOWNS = ("Leeds", "York", "Bath", "Ely", "Wells")


def firms(count: int) -> list[Row]:
    """Firms that two systems know: one in four by a name with a slip, and by the number that tells them apart."""
    rows: list[Row] = []
    for n in range(count):
        word = "".join(chr(97 + (n * step + 7 * step) % 26) for step in (1, 3, 5, 11, 17, 19))
        stated = {"name": f"{word.title()} Coatings", "company_number": f"{10_000_000 + n * 37}", "city": TOWNS[n % 5]}
        slip = {"name": f"{word.title()[:-1]} Coatings"} if n % 4 == 0 else {}
        rows += [{"system": "crm", "id": str(n), **stated}, {"system": "erp", "id": str(n), **stated, **slip}]
    return rows


def graded(splink: dict[str, Any], comparison: str) -> dict[str, dict[str, float]]:
    found = next(one for one in splink["comparisons"] if one["output_column_name"] == comparison)
    return {level["label_for_charts"]: level for level in found["comparison_levels"] if not level.get("is_null_level")}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "RANDOM_PAIRS", 10_000)


def trained(result: Resolved, record_type: str) -> Any:
    return train(result.records[record_type], result.aliases, note="a test")


@pytest.mark.usefixtures("quick")
def test_names_are_learnt_from_pairs_that_numbers_bring_together(tmp_path: Path) -> None:
    model = trained(resolve(tmp_path, firms(160)), "organisation")
    name = graded(model.splink, "name")
    assert 0.70 < name["same"]["m_probability"] < 0.80
    assert 0.18 < name["nearly the same"]["m_probability"] < 0.28
    assert model.trained_on == 320
    assert model.note == "a test"


@pytest.mark.usefixtures("quick")
def test_what_no_record_states_stays_as_assumed(tmp_path: Path) -> None:
    model = trained(resolve(tmp_path, firms(160)), "organisation")
    assumed = untrained(LINKAGES["organisation"])
    for comparison in ("phone", "web_and_mail"):
        for label, level in graded(model.splink, comparison).items():
            assert level["m_probability"] == graded(assumed, comparison)[label]["m_probability"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("count", [0, 1])
def test_too_few_records_teach_nothing(tmp_path: Path, count: int) -> None:
    result = resolve(tmp_path, firms(1)[:count])
    for record_type, linkage in LINKAGES.items():
        assert trained(result, record_type).splink == untrained(linkage)


def test_a_model_trained_here_stands_before_the_shipped_one(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    shipped = load_model("organisation", settings)
    ours = replace(shipped, note="trained here")
    kept = save_model(ours, settings)
    assert load_model("organisation", settings) == ours
    assert ours.model_id != shipped.model_id
    assert (kept.parent / f"{ours.model_id}.json").exists()
    assert load_model("person", settings).note != "trained here"


def test_another_model_makes_other_links(tmp_path: Path) -> None:
    first = resolve(tmp_path, firms(2))
    shipped = load_model("organisation", first.settings)
    save_model(replace(shipped, thresholds=replace(shipped.thresholds, accept=90.0)), first.settings)
    second = resolve(tmp_path, firms(2))
    assert second.links("organisation").version != first.links("organisation").version
    assert second.links("organisation").model_id == load_model("organisation", second.settings).model_id


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"linkage": {}, "splink": {}}'])
def test_a_file_that_is_no_model_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    settings = Settings(home=tmp_path)
    settings.models.mkdir()
    (settings.models / "organisation.json").write_text(text)
    with pytest.raises(ConfigurationError, match="train again, or delete the file"):
        load_model("organisation", settings)


def test_a_model_of_another_record_type_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    save_model(load_model("person"), settings)
    (settings.models / "person.json").rename(settings.models / "organisation.json")
    with pytest.raises(ConfigurationError, match="a model of person"):
        load_model("organisation", settings)

"""Tuning keeps a candidate, shows what it would alter, and tells how good linkage is from judgements."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from insight.linkage import train as training
from insight.linkage.model import find_model, load_model
from insight.linkage.tuning import command
from insight.linkage.tuning.estimate import quality
from insight.linkage.tuning.records import read_records
from insight.linkage.tuning.sample import draw, estimated, keep, kept
from insight.linkage.tuning.vetoes import ENOUGH, Trial
from orchestration.errors import ConfigurationError
from orchestration.settings import Settings
from tests.integration.linkage.test_training import firms
from tests.lists import Resolved, resolve


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "RANDOM_PAIRS", 10_000)


@pytest.fixture
def listed(tmp_path: Path) -> tuple[Settings, Resolved]:
    """A home whose sources are lists of firms that two systems know."""
    result = resolve(tmp_path, firms(120))
    return Settings(home=tmp_path, sources=tmp_path / "sources"), result


def test_a_candidate_is_kept_and_not_current_until_it_is_promoted(listed: tuple[Settings, Resolved]) -> None:
    settings, _ = listed
    shipped = load_model("organisation", settings)
    page = command.tuned(settings, ("organisation",), lambda _: None, promote=False)
    (told,) = page.data["models"]
    assert load_model("organisation", settings) == shipped
    assert told["before"] == shipped.model_id
    assert any("precede linkage promote" in line for line in page.lines)
    candidate = find_model(told["model"], settings)
    assert candidate.trained_on == 240
    command.promoted(settings, told["model"])
    assert load_model("organisation", settings) == candidate
    command.promoted(settings, "shipped/organisation")
    assert load_model("organisation", settings) == shipped


def test_what_has_no_records_is_not_tuned(listed: tuple[Settings, Resolved]) -> None:
    settings, _ = listed
    assert command.tuned(settings, ("person",), lambda _: None, promote=True).data["models"] == []


def test_a_model_that_is_not_there_is_named_with_those_that_are(listed: tuple[Settings, Resolved]) -> None:
    settings, _ = listed
    with pytest.raises(ConfigurationError, match="precede tune"):
        find_model("organisation-nothing", settings)


def test_a_record_type_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="organisation, person"):
        command.chosen("invoice")


def test_a_sample_is_kept_and_estimates_what_was_judged(listed: tuple[Settings, Resolved]) -> None:
    settings, result = listed
    model = load_model("organisation", settings)
    crosswalk = result.entities("organisation").table("crosswalk")
    (sample,) = draw(result.records["organisation"], result.aliases, model, crosswalk, size=40)
    keep(sample, settings)
    assert kept(settings, "organisation") == sample
    assert 0 < len(sample.pairs) <= 40
    right = {pair: pair[0].rsplit(":", 1)[1] == pair[1].rsplit(":", 1)[1] for pair in sample.pairs}
    found = estimated(sample, right)
    assert found.judged == len(sample.pairs)
    assert found.precision.low <= 1.0 == found.precision.high
    wrong = estimated(sample, dict.fromkeys(sample.pairs, False))
    assert wrong.precision.high < 0.2
    assert quality(sample.strata, sample.once, sample.twice).judged == 0


def test_a_sample_takes_no_pair_twice_and_the_same_seed_the_same_pairs(listed: tuple[Settings, Resolved]) -> None:
    _, result = listed
    shape, aliases = result.records["organisation"], result.aliases
    crosswalk = result.entities("organisation").table("crosswalk")
    model = load_model("organisation")
    one, other, third = draw(shape, aliases, model, crosswalk, size=30, seeds=(1, 1, 2))
    assert one == other
    assert one.pairs != third.pairs
    assert all(first < second for first, second in one.pairs)


@pytest.mark.parametrize(
    ("trial", "fails"),
    [
        (Trial("v", 200, 180, 1000, 920), True),  # as often as the others: titles in the place of given names
        (Trial("v", 200, 20, 1000, 920), False),  # they differ where relatives differ: twins
        (Trial("v", ENOUGH - 1, ENOUGH - 1, 1000, 920), False),  # too few
        (Trial("v", 200, 2, 1000, 10), False),  # nobody agrees on it: it tells nothing
    ],
)
def test_a_veto_is_set_aside_where_what_it_forbids_is_no_relative(trial: Trial, *, fails: bool) -> None:
    assert trial.fails is fails


def test_a_set_aside_veto_is_not_obeyed(tmp_path: Path) -> None:
    model = load_model("person")
    stated = model.as_json()
    stated["linkage"]["set_aside"] = ["given_name_differs"]
    file = tmp_path / "other.json"
    file.write_text(json.dumps(stated))
    other = find_model(str(file), Settings(home=tmp_path))
    assert [veto.name for veto in model.linkage.vetoes if veto not in other.linkage.vetoes] == ["given_name_differs"]
    assert other.model_id != model.model_id


def test_what_sources_declare_of_resolving_is_read_with_the_records(listed: tuple[Settings, Resolved]) -> None:
    settings, _ = listed
    spec = settings.sources / "lists" / "source.yml"
    stated = yaml.safe_load(spec.read_text())
    assert read_records(settings).rarely_twice["organisation"] == frozenset()
    spec.write_text(
        yaml.safe_dump({**stated, "rarely_twice": ["organisation"], "survivorship": {"organisation": {"name": 1}}})
    )
    read = read_records(settings)
    assert read.rarely_twice["organisation"] >= {"crm", "erp"}
    assert not read.rarely_twice["person"]
    assert read.priority["organisation"]["crm"] == {"name": 1}

"""Trained models: what one is, where it is kept, and how declared comparisons become Splink's settings.

A model is two things in one JSON file: `splink`, exactly what Splink saves and loads, and `linkage`, our side of it:
the thresholds to fall back on, how many records it was trained on, on what, and which vetoes those records speak
against. Its id is a digest of both, so that a link can always be led back to the parameters that made it.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from insight.linkage.organisation import ORGANISATION
from insight.linkage.person import PERSON
from insight.linkage.rules import Comparison, Linkage, Thresholds
from insight.stage import version_of, writing_file
from orchestration.errors import ConfigurationError
from orchestration.settings import Settings

SHIPPED: Final = Path(__file__).parent / "models"
TWO_AGREEMENTS: Final = "two_agreements"
"""The rule that a link by weight needs two agreements, one of which says who it is. It can be set aside, as a veto."""
LEAST: Final = 0.001
"""No grade is so rare that it is impossible: m and u stay above nothing."""

LINKAGES: Final[dict[str, Linkage]] = {"organisation": ORGANISATION, "person": PERSON}


@dataclass(frozen=True, slots=True)
class Model:
    """A trained linkage model.

    Attributes:
        record_type: Whose records it links.
        splink: Splink's settings with their trained parameters.
        thresholds: From which match weight on a pair is accepted or in doubt, where the records cannot say.
        trained_on: How many records it was trained on; the prior is carried over to other numbers from there.
        note: What it was trained on, for people.
        beyond_strong: Pairs that are one entity for each that strong keys find.
        copies: How many further records of its own entity a record has, as an average over those that have any. A
            record's own copies do not make its name common.
        set_aside: Names of vetoes, or `two_agreements`, that do not hold in these records
            (`insight/linkage/tuning/vetoes.py`).
    """

    record_type: str
    splink: dict[str, Any]
    thresholds: Thresholds
    trained_on: int
    note: str
    beyond_strong: float = 2.0
    copies: float = 1.0
    set_aside: tuple[str, ...] = ()

    @property
    def linkage(self) -> Linkage:
        """What is declared about linking the record type, without the rules that are set aside: what links obey."""
        declared = LINKAGES[self.record_type]
        obeyed = tuple(veto for veto in declared.vetoes if veto.name not in self.set_aside)
        if TWO_AGREEMENTS in self.set_aside:
            return replace(declared, vetoes=obeyed, agreements=1, identifying=0)
        return replace(declared, vetoes=obeyed)

    @property
    def model_id(self) -> str:
        """A digest of all that decides a score."""
        return f"{self.record_type}-{version_of(json.dumps(self.as_json(), sort_keys=True))[:12]}"

    def as_json(self) -> dict[str, Any]:
        """The model as it is written to its file."""
        return {
            "linkage": {
                "record_type": self.record_type,
                "thresholds": asdict(self.thresholds),
                "trained_on": self.trained_on,
                "note": self.note,
                "beyond_strong": self.beyond_strong,
                "copies": self.copies,
                "set_aside": list(self.set_aside),
            },
            "splink": self.splink,
        }


def load_model(record_type: str, settings: Settings | None = None) -> Model:
    """The model trained here last, or the shipped one where none was.

    Raises:
        ConfigurationError: The file is no model of that record type.
    """
    trained = settings.models / f"{record_type}.json" if settings is not None else None
    return read_model(
        trained if trained is not None and trained.exists() else SHIPPED / f"{record_type}.json", record_type
    )


def read_model(path: Path, record_type: str) -> Model:
    """The model in a file.

    Raises:
        ConfigurationError: The file is no model of that record type.
    """
    try:
        content = json.loads(path.read_text())
        ours = content["linkage"]
        model = Model(
            ours["record_type"],
            content["splink"],
            Thresholds(**ours["thresholds"]),
            int(ours["trained_on"]),
            ours["note"],
            float(ours.get("beyond_strong", 2.0)),
            float(ours.get("copies", 1.0)),
            tuple(ours.get("set_aside", ())),
        )
        levels = _levels(model.splink)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            str(path), f"no linkage model ({error})", "a model written by training: train again, or delete the file"
        ) from error
    if model.record_type != record_type:
        raise ConfigurationError(str(path), f"a model of {model.record_type}", f"one of {record_type}")
    if levels != _levels(untrained(LINKAGES[record_type])):
        raise ConfigurationError(
            str(path), "a model of other comparisons than this version's", "one of this version: run `precede tune`"
        )
    return model


def keep_model(model: Model, settings: Settings) -> Path:
    """Keeps a model under its id, without making it the current one, and returns where."""
    path = settings.models / f"{model.model_id}.json"
    writing_file(path, json.dumps(model.as_json(), indent=1, sort_keys=True))
    return path


def save_model(model: Model, settings: Settings) -> Path:
    """Keeps a model under its id and makes it the current one, and returns where the current one is."""
    kept = keep_model(model, settings)
    path = settings.models / f"{model.record_type}.json"
    writing_file(path, kept.read_text())
    return path


def find_model(name: str, settings: Settings) -> Model:
    """The model that an operator names: an id, or the path of a file; `shipped/person` is the one that came along.

    Raises:
        ConfigurationError: There is no such model.
    """
    path = Path(name) if name.endswith(".json") else settings.models / f"{name}.json"
    if name.startswith("shipped/"):
        path = SHIPPED / f"{name.removeprefix('shipped/')}.json"
    if not path.is_file():
        known = sorted(one.stem for one in settings.models.glob("*-*.json"))
        there = ", ".join(known) or "none: run `precede tune`"
        raise ConfigurationError(name, "no such model", f"the id of a model under {settings.models} ({there})")
    try:
        record_type = str(json.loads(path.read_text())["linkage"]["record_type"])
    except (ValueError, KeyError, TypeError) as error:
        found = f"no linkage model ({error})"
        raise ConfigurationError(str(path), found, "a model that `precede tune` wrote") from error
    if record_type not in LINKAGES:
        raise ConfigurationError(str(path), f"a model of {record_type}", f"one of {', '.join(LINKAGES)}")
    return read_model(path, record_type)


def _levels(splink: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The comparisons of Splink's settings, each with the conditions of its levels."""
    return [
        (one["output_column_name"], [level["sql_condition"] for level in one["comparison_levels"]])
        for one in splink["comparisons"]
    ]


def column(comparison: Comparison) -> str:
    """The name of a comparison as part of a column."""
    return comparison.name.replace(" ", "_")


def splink_sql(sql: str) -> str:
    """A rule's SQL over `l.` and `r.` in Splink's manner: `l.name` becomes `name_l`."""
    return re.sub(r"\b([lr])\.(\w+)", r"\2_\1", " ".join(sql.split()))


def untrained(linkage: Linkage) -> dict[str, Any]:
    """Splink's settings for the declared comparisons, with the parameters that are assumed before training."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": linkage.prior,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [_comparison(comparison) for comparison in linkage.comparisons],
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [
        {"sql_condition": splink_sql(comparison.missing), "label_for_charts": "missing", "is_null_level": True}
    ]
    for level in comparison.levels:
        entry: dict[str, Any] = {
            "sql_condition": splink_sql(level.sql),
            "label_for_charts": level.label,
            "m_probability": level.m,
            "u_probability": level.u,
        }
        if level.frequency:
            entry |= {
                "tf_adjustment_column": level.frequency,
                "tf_adjustment_weight": level.share,
                "disable_tf_exact_match_detection": True,
            }
        levels.append(entry)
    levels.append(
        {
            "sql_condition": "ELSE",
            "label_for_charts": comparison.differs,
            "m_probability": max(1 - sum(level.m for level in comparison.levels), LEAST),
            "u_probability": 1 - sum(level.u for level in comparison.levels),
        }
    )
    return {
        "output_column_name": column(comparison),
        "comparison_description": comparison.name,
        "comparison_levels": levels,
    }

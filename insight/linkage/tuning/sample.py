"""Pairs for a person to judge, so that the quality of the linkage can be told: a stratified sample.

A sample is drawn once, kept in the home and judged with `precede review judge`; who judges it need not know how sure
linkage is. Its strata and their sizes stand in the same file, so that judgements made later still estimate the linkage
that the sample was drawn from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from insight.layers import rows
from insight.linkage.calibrate import curve, look, looked_sql
from insight.linkage.features import add_commons
from insight.linkage.model import Model
from insight.linkage.read import open_memory
from insight.linkage.score import terms
from insight.linkage.statistics import count_terms
from insight.linkage.train import prepare
from insight.linkage.tuning.estimate import Quality, Stratum, quality
from insight.records.record_set import AliasSet, RecordSet
from insight.stage import writing_file
from orchestration.settings import Settings

SIZE: Final = 300
SHARES: Final = {"strong key": 0.15, "weight": 0.25, "through others": 0.1, "above": 0.15, "doubt": 0.2, "below": 0.15}
"""Stratum to its share of the sample; what a small one leaves over goes to the others."""
HARDLY: Final = 0.01
"""Compared pairs that the model holds for less likely than this, taken together, are not judged."""
_TOGETHER: Final = frozenset({"strong key", "weight", "through others"})

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of the pairs of one record type.

    Attributes:
        record_type: The type.
        model_id: The model whose linkage it tells of.
        strata: All pairs, by how sure linkage is of them.
        once: Pairs in one entity that one blocking rule found.
        twice: Pairs in one entity that two found.
        pairs: The sampled pairs, the lesser id first, and the stratum of each.
    """

    record_type: str
    model_id: str
    strata: tuple[Stratum, ...]
    once: int
    twice: int
    pairs: Mapping[Pair, str]


def draw(  # noqa: PLR0913, PLR0917  one argument for each thing the sample depends on
    records: RecordSet,
    aliases: AliasSet,
    model: Model,
    crosswalk: Path,
    employer: Path | None = None,
    size: int = SIZE,
    seeds: Sequence[int] = (1,),
) -> list[Sample]:
    """Samples of the pairs of a record type, one for each seed.

    Args:
        records: The records.
        aliases: The merges that sources made themselves.
        model: The model that linked them, with the thresholds by which it did.
        crosswalk: The entities that came of it.
        employer: The organisations' `crosswalk.parquet`, for people.
        size: How many pairs to judge.
        seeds: Which samples.
    """
    with open_memory() as con:
        prepare(con, records, aliases, employer)
        add_commons(con, count_terms(con, terms(model), model.copies))
        _place_pairs(con, model, crosswalk)
        found = con.execute("SELECT stratum, count(*), sum(expected) FROM placed GROUP BY stratum").fetchall()
        strata = tuple(Stratum(name, name in _TOGETHER, int(pairs), float(sure)) for name, pairs, sure in sorted(found))
        once, twice = _found_by(con, len(model.linkage.blocks))
        wanted = _allotted(strata, size)
        return [
            Sample(model.record_type, model.model_id, strata, once, twice, _picked(con, wanted, seed)) for seed in seeds
        ]


def _picked(con: duckdb.DuckDBPyConnection, wanted: Mapping[str, int], seed: int) -> dict[Pair, str]:
    """So many random pairs of each stratum.

    Hashed twice: once, seeds whose hashes begin alike would draw the same pairs.
    """
    pairs: dict[Pair, str] = {}
    for name, number in wanted.items():
        drawn = con.execute(
            """
            SELECT l.unique_id, r.unique_id
            FROM (SELECT a, b FROM placed WHERE stratum = $name ORDER BY hash(hash(a, b, $seed)), a, b LIMIT $number)
            JOIN feature AS l ON l.position = a
            JOIN feature AS r ON r.position = b
            """,
            {"name": name, "seed": seed, "number": number},
        ).fetchall()
        pairs |= {(min(pair), max(pair)): name for pair in drawn}
    return pairs


def estimated(sample: Sample, verdicts: Mapping[Pair, bool]) -> Quality:
    """What verdicts on a sample say of the linkage; pairs without a verdict are as if they had not been drawn."""
    strata = []
    for one in sample.strata:
        said = [verdicts[pair] for pair, name in sample.pairs.items() if name == one.name and pair in verdicts]
        strata.append(replace(one, sampled=len(said), same=sum(said)))
    return quality(strata, sample.once, sample.twice)


def keep(sample: Sample, settings: Settings) -> Path:
    """Keeps a sample in the home, and returns where."""
    path = _file(settings, sample.record_type)
    stated = asdict(sample) | {"pairs": [[*pair, name] for pair, name in sample.pairs.items()]}
    writing_file(path, json.dumps(stated, indent=1))
    return path


def kept(settings: Settings, record_type: str) -> Sample | None:
    """The sample of a type that was drawn last; None where none was."""
    path = _file(settings, record_type)
    if not path.is_file():
        return None
    stated = json.loads(path.read_text())
    strata = tuple(Stratum(**one) for one in stated["strata"])
    pairs = {(one, other): name for one, other, name in stated["pairs"]}
    return Sample(record_type, stated["model_id"], strata, stated["once"], stated["twice"], pairs)


def _file(settings: Settings, record_type: str) -> Path:
    return settings.home / "tuning" / f"{record_type}.json"


def _place_pairs(con: duckdb.DuckDBPyConnection, model: Model, crosswalk: Path) -> None:
    """Makes `placed(a, b, stratum, expected)`: every pair that was compared or stands in one entity, once."""
    seen = look(con, model)
    a, b = curve(seen)
    con.execute(f"""
        CREATE OR REPLACE TABLE together AS
        WITH member AS (
            SELECT position, entity_id FROM {rows(crosswalk)} JOIN firm_id USING (record_id)
        )
        SELECT one.position AS a, other.position AS b
        FROM member AS one JOIN member AS other ON one.entity_id = other.entity_id AND one.position < other.position
    """)
    con.execute(f"""
        CREATE OR REPLACE TABLE believed AS
        SELECT a, b, strong, forbidden, match_weight AS weight,
               1 / (1 + pow(2::DOUBLE, -greatest(least({a!r} + {b!r} * match_weight, 60), -60))) AS sure
        FROM ({looked_sql(con, model, "SELECT a, b FROM pair UNION SELECT a, b FROM together")})
    """)
    accept = model.thresholds.accept
    con.execute(f"""
        CREATE OR REPLACE TABLE placed AS
        SELECT a, b,
               CASE
                   WHEN together.a IS NOT NULL AND strong THEN 'strong key'
                   WHEN together.a IS NOT NULL AND weight >= {accept} THEN 'weight'
                   WHEN together.a IS NOT NULL THEN 'through others'
                   WHEN forbidden OR sure < {HARDLY} THEN 'hardly possible'
                   WHEN weight >= {accept} THEN 'above'
                   WHEN sure >= 0.3 THEN 'doubt'
                   ELSE 'below'
               END AS stratum,
               CASE WHEN forbidden THEN least(sure, {HARDLY}) ELSE sure END AS expected
        FROM believed LEFT JOIN together USING (a, b)
    """)


def _allotted(strata: Sequence[Stratum], size: int) -> dict[str, int]:
    """How many pairs of each stratum to judge."""
    left = {one.name: one.size for one in strata if one.name in SHARES}
    given = dict.fromkeys(left, 0)
    rest = size
    while rest and any(left.values()):
        open_ = {name: SHARES[name] for name, there in left.items() if there}
        for name in sorted(open_, key=lambda one: -SHARES[one]):
            share = max(1, round(rest * open_[name] / sum(open_.values())))
            taken = min(share, left[name], size - sum(given.values()))
            given[name] += taken
            left[name] -= taken
        rest = size - sum(given.values())
    return given


def _found_by(con: duckdb.DuckDBPyConnection, blocks: int) -> tuple[int, int]:
    """How many pairs in one entity exactly one blocking rule found, and how many two."""
    found = con.execute(f"""
        SELECT count(*) FILTER (rules = 1), count(*) FILTER (rules = 2)
        FROM (
            SELECT together.a, together.b, count(DISTINCT one.rule) AS rules
            FROM together
            JOIN key AS one ON one.position = together.a
            JOIN key AS other ON other.position = together.b AND other.key = one.key
            SEMI JOIN shared ON shared.key = one.key
            WHERE one.rule < {blocks}
            GROUP BY together.a, together.b
        )
    """).fetchall()
    return int(found[0][0]), int(found[0][1])


__all__ = ["Sample", "draw", "estimated", "keep", "kept"]

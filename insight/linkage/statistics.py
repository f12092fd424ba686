"""What links take from all records at once, frozen: how common values are, how many match, from which weight on.

A pair's weight depends on how rare a shared name is among all records. If that were counted anew for every changed
row, each change would move every link a little and nothing could be kept. So a full build freezes the counts, later
builds reuse them, and `drift` says how far the records have moved away from them when the next full build counts anew.
A value that the frozen counts do not know is as rare as a value can be.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import duckdb

from insight.linkage.rules import Thresholds
from insight.stage import writing
from orchestration.sql import literal, quoted

_HERE = Path(__file__).parent
TABLES: Final[dict[str, tuple[str, ...]]] = {
    "organisation": ("frequency", "held", "domain_use"),
    "person": ("frequency", "phone_use", "namesake"),
}
"""What is frozen of each type: `frequency(term, value, records)`, and what features are made with."""
LOOKED_UP: Final[dict[str, tuple[str, ...]]] = {"organisation": (), "person": ("form",)}
"""What is frozen beside it because it takes long to look up: `form(key, forms)`, as `word` has them."""
_NUMBERS: Final = "numbers.json"
_COMMON: Final = 20
"""How many of a term's commonest values drift is told by."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is counted once.

    Attributes:
        records: Records there were.
        names: Distinct names that they firmly stated; 0 for people.
        strong: Pairs that shared a strong key.
        prior: The probability that two random records match.
        thresholds: From which weight on a pair is accepted or in doubt.
        stated: Of each term whose rarity counts, how many records firmly stated it.
    """

    records: int
    names: int
    strong: int
    prior: float
    thresholds: Thresholds
    stated: Mapping[str, int]

    def rarest(self, term: str) -> float:
        """log2 of the least frequency that a value of a term can have."""
        return -math.log2(max(self.stated.get(term, 0), 1))


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the records have moved from what was frozen, as a full build that counts anew reports it.

    Attributes:
        records: Records now for each that there were.
        prior: How many bits more likely two random records match.
        accept: How many bits higher the accept threshold is.
        review: The same of the review threshold.
        terms: Of each term, how many bits the rarity of one of its commonest values moved at most, either way.
    """

    records: float
    prior: float
    accept: float
    review: float
    terms: Mapping[str, float]


def count_uses(con: duckdb.DuckDBPyConnection, record_type: str) -> None:
    """Makes `held`, or `phone_use` and `namesake`, from `firmly` and `employer`, as features are made with.

    `domain_use` takes words that are looked up by then: `load_words` makes it.
    """
    for table in TABLES[record_type][1:]:
        if table != "domain_use":
            con.execute((_HERE / f"{table}.sql").read_text())


def count_terms(con: duckdb.DuckDBPyConnection, terms: tuple[str, ...], copies: float) -> dict[str, int]:
    """Makes `frequency(term, value, records)` from `feature`, and returns how many records firmly state each term.

    What only `public` or `precede` asserts is not counted: else a stranger who writes in often enough under a rare name
    would make it a common one, and take from its owner what speaks for him.

    How rare a shared value is, is asked of the other records: a record and its copies do not count as their own
    namesakes. Small lists would otherwise hold every name for a common one. `records` counts the
    others; a value that one other has is as rare as one that nobody has, and is left out.
    """
    con.execute("CREATE OR REPLACE TABLE frequency (term VARCHAR, value VARCHAR, records DOUBLE)")
    stated: dict[str, int] = {}
    for term in terms:
        con.execute(
            f"""
            INSERT INTO frequency SELECT $term, {quoted(term)}::VARCHAR, count(*) - $copies::DOUBLE
            FROM feature SEMI JOIN firm_id ON firm_position = feature.position
            WHERE {quoted(term)} IS NOT NULL GROUP BY {quoted(term)} HAVING count(*) - $copies > 1
            """,
            {"term": term, "copies": copies},
        )
        found = con.execute(
            f"SELECT count({quoted(term)}) FROM feature SEMI JOIN firm_id ON firm_position = feature.position"
        ).fetchall()
        stated[term] = int(found[0][0])
    return stated


def freeze(con: duckdb.DuckDBPyConnection, record_type: str, numbers: Numbers, folder: Path) -> None:
    """Writes the tables and numbers into a folder named by their version."""
    with writing(folder) as draft:
        for table in (*TABLES[record_type], *LOOKED_UP[record_type]):
            con.sql(f"FROM {table} ORDER BY ALL").write_parquet(str(draft / f"{table}.parquet"), compression="zstd")
        (draft / _NUMBERS).write_text(json.dumps(asdict(numbers), indent=1, sort_keys=True))


def thaw(con: duckdb.DuckDBPyConnection, record_type: str, folder: Path) -> Numbers:
    """Makes the tables that were frozen into a folder, and returns the numbers."""
    for table in (*TABLES[record_type], *LOOKED_UP[record_type]):
        file = literal(folder / f"{table}.parquet")
        con.execute(f"CREATE OR REPLACE TABLE {table} AS FROM read_parquet({file})")
    return numbers(folder)


def numbers(folder: Path) -> Numbers:
    """The numbers that were frozen into a folder."""
    stated = json.loads((folder / _NUMBERS).read_text())
    return Numbers(**stated | {"thresholds": Thresholds(**stated["thresholds"])})


def drift(earlier: Path, later: Path) -> Drift:
    """How far the records moved between two folders of statistics of one type."""
    was, now = numbers(earlier), numbers(later)
    with duckdb.connect() as con:
        found = con.execute(
            """
            WITH one AS (FROM read_parquet($earlier)),
            other AS (FROM read_parquet($later)),
            common AS (
                SELECT term, value FROM (FROM one UNION ALL FROM other)
                GROUP BY term, value
                QUALIFY row_number() OVER (PARTITION BY term ORDER BY max(records) DESC, value) <= $common
            )
            SELECT term, coalesce(one.records, 1), coalesce(other.records, 1)
            FROM common LEFT JOIN one USING (term, value) LEFT JOIN other USING (term, value)
            """,
            {
                "earlier": str(earlier / "frequency.parquet"),
                "later": str(later / "frequency.parquet"),
                "common": _COMMON,
            },
        ).fetchall()
    terms = dict.fromkeys(sorted({*was.stated, *now.stated}), 0.0)
    for term, before, after in found:
        moved = math.log2(after / max(now.stated[term], 1)) - math.log2(before / max(was.stated[term], 1))
        terms[term] = max(terms[term], round(abs(moved), 3))
    return Drift(
        round(now.records / max(was.records, 1), 4),
        round(math.log2(now.prior / was.prior), 3),
        round(now.thresholds.accept - was.thresholds.accept, 3),
        round(now.thresholds.review - was.thresholds.review, 3),
        terms,
    )

"""What becomes of a compared pair: accepted, possible, ambiguous or vetoed, and by which rule."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from insight.linkage.components import joined
from insight.linkage.model import column
from insight.linkage.rules import Comparison, Linkage, Thresholds, Veto
from insight.linkage.weights import guarded

_HERE = Path(__file__).parent
CLOSED: Final = 60
"""Records that a component may have for all its pairs to be asked for vetoes, not only the compared ones."""

BINDING: Final = """
    SELECT record_a, record_b FROM {pairing} WHERE strength <= 1 OR (strength IS NOT NULL AND system_a = system_b)
"""
"""A query for the pairs that make their records one candidate."""


def give_verdicts(con: duckdb.DuckDBPyConnection, linkage: Linkage, thresholds: Thresholds) -> None:
    """Makes `verdict` and `pairing`: what each scored pair comes to by itself.

    Expects `feature`, `scored`, `tier_pair` and `judged`.
    """
    identifying = tuple(comparison for comparison in linkage.comparisons if comparison.identifies)
    con.execute(
        _sql("verdict").format(
            veto=veto_sql(linkage.vetoes),
            agreements=_agreements(linkage.comparisons),
            identifying=_agreements(identifying),
            firm_agreements=_agreements(linkage.comparisons, "firm_"),
            firm_identifying=_agreements(identifying, "firm_"),
            attaches=str(linkage.attaches).lower(),
            needed=linkage.agreements,
            needed_identifying=linkage.identifying,
            accept=thresholds.accept,
            review=thresholds.review,
        )
    )
    con.execute(_sql("pairing"))


def decide(con: duckdb.DuckDBPyConnection, margin: float, binding: str = BINDING.format(pairing="pairing")) -> None:
    """Makes `decided`: what becomes of each pair of `pairing` beside the others. Expects `alias`.

    Args:
        con: Where `pairing` is.
        margin: How far apart the weights of two candidates are that are not equally good.
        binding: A query for the pairs that make their records one candidate.
    """
    with joined(con, binding):
        con.execute(_sql("bound"))
    con.execute(_sql("rival").format(margin=margin))
    con.execute(_sql("decided"))


def part(con: duckdb.DuckDBPyConnection, linkage: Linkage, accepted: str, compared: str) -> None:
    """Makes `apart(record_a, record_b, veto)`: what accepted links join, was not compared, and a veto forbids.

    Args:
        con: Where `feature` and `alias` are.
        linkage: Whose vetoes to ask.
        accepted: A query for the accepted pairs.
        compared: A table with the `record_a` and `record_b` of the compared pairs.
    """
    with joined(con, accepted):
        con.execute(_sql("apart").format(veto=veto_sql(linkage.vetoes), closed=CLOSED, compared=compared))


def write_links(con: duckdb.DuckDBPyConnection, linkage: Linkage) -> None:
    """Makes `link`, the graph's table, and `footing` from `verdict`, `decided` and `apart`."""
    comparisons = _comparisons(linkage.comparisons)
    con.execute(_sql("link").format(comparisons=comparisons), {"record_type": linkage.record_type})
    con.execute(_sql("footing"))


def veto_sql(vetoes: tuple[Veto, ...]) -> str:
    """SQL over `l` and `r` that gives the first veto that holds, or NULL."""
    return "CASE " + " ".join(f"WHEN {guarded(veto.sql)} THEN '{veto.name}'" for veto in vetoes) + " END"


def _agreements(comparisons: tuple[Comparison, ...], side: str = "") -> str:
    """SQL that counts the comparisons that agree, as stated or as firmly stated."""
    counted = ["0"]
    for comparison in comparisons:
        grades = [len(comparison.levels) - place for place, level in enumerate(comparison.levels) if level.agrees]
        if grades:
            counted.append(f"({side}gamma_{column(comparison)} IN ({', '.join(map(str, grades))}))::INTEGER")
    return " + ".join(counted)


def _comparisons(comparisons: tuple[Comparison, ...]) -> str:
    """SQL of a JSON object: of each comparison the level reached, what it adds, and whether weak values made it."""
    entries = []
    for comparison in comparisons:
        name = column(comparison)
        grades = " ".join(
            f"WHEN {len(comparison.levels) - place} THEN '{level.label}'"
            for place, level in enumerate(comparison.levels)
        )
        entries.append(f"""
            '{comparison.name}': CASE WHEN gamma_{name} >= 0 THEN {{
                'level': CASE gamma_{name} {grades} ELSE '{comparison.differs}' END,
                'weight': mw_{name},
                'weak': gamma_{name} <> firm_gamma_{name}
            }} END
        """)
    return f"to_json({{{', '.join(entries)}}})"


def _sql(name: str) -> str:
    return (_HERE / f"{name}.sql").read_text()

"""What becomes of a compared pair: accepted, possible, ambiguous or vetoed, and by which rule."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from insight.linkage.components import joined
from insight.linkage.model import LINKAGES, Model, column
from insight.linkage.rules import Comparison, Veto

_HERE = Path(__file__).parent
CLOSED: Final = 60
"""Records that a component may have for all its pairs to be asked for vetoes, not only the compared ones."""


def give_verdicts(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Makes `link`, the graph's table, and `footing(record_a, record_b, strength, firm)`.

    Expects `record`, `alias`, `feature`, `scored` and `tier_pair`.
    """
    linkage = LINKAGES[model.record_type]
    identifying = tuple(comparison for comparison in linkage.comparisons if comparison.identifies)
    typed = {"record_type": model.record_type}
    con.execute(
        _sql("verdict").format(
            veto=veto_sql(linkage.vetoes),
            agreements=_agreements(linkage.comparisons),
            identifying=_agreements(identifying),
            firm_agreements=_agreements(linkage.comparisons, "firm_"),
            firm_identifying=_agreements(identifying, "firm_"),
            attaches=str(linkage.attaches).lower(),
            accept=model.thresholds.accept,
            review=model.thresholds.review,
        )
    )
    with joined(
        con,
        "SELECT record_a, record_b FROM verdict WHERE strength = 1 OR (strength IS NOT NULL AND system_a = system_b)",
    ):
        con.execute(_sql("bound"))
    con.execute(_sql("rival").format(margin=model.thresholds.margin))
    con.execute(_sql("link").format(comparisons=_comparisons(linkage.comparisons)), typed)
    with joined(con, "SELECT record_a, record_b FROM link WHERE status = 'accepted'"):
        con.execute(_sql("closure").format(veto=veto_sql(linkage.vetoes), closed=CLOSED), typed)
    con.execute(_sql("footing"))


def veto_sql(vetoes: tuple[Veto, ...]) -> str:
    """SQL over `l` and `r` that gives the first veto that holds, or NULL."""
    return "CASE " + " ".join(f"WHEN {veto.sql} THEN '{veto.name}'" for veto in vetoes) + " END"


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

"""Pairs counted by how they compare: how often each combination of levels occurs, and what the model believes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from insight.linkage.weights import prior_weight, scales

Figures = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Patterns:
    """One row is one combination of levels.

    Attributes:
        gammas: The level of each comparison, as Splink numbers it: -1 where there is nothing to compare.
        forbidden: Whether a veto holds.
        counts: How many pairs compare so.
    """

    gammas: npt.NDArray[np.int8]
    forbidden: Flags
    counts: Figures

    def believed(self, splink: Mapping[str, Any], prior: float) -> Figures:
        """The probability of each combination that its pairs are one entity, without the rarity of values."""
        weight = np.full(len(self.counts), prior_weight(prior))
        for place, comparison in enumerate(splink["comparisons"]):
            added = bits(comparison)
            weight += np.where(self.gammas[:, place] >= 0, added[self.gammas[:, place]], 0.0)
        return np.asarray(1 / (1 + np.exp2(-np.clip(weight, -60, 60))))

    def shares(self, place: int, counts: Figures, levels: int) -> Figures | None:
        """The share of each level of a comparison among the pairs that have something to compare, the best first.

        Returns:
            None where no pair has.
        """
        there = self.gammas[:, place] >= 0
        seen = np.bincount(self.gammas[there, place], weights=counts[there], minlength=levels)
        total = float(seen.sum())
        return None if total <= 0 else np.asarray(seen[::-1] / total)


def patterns(
    con: duckdb.DuckDBPyConnection, splink: Mapping[str, Any], pairs: str, forbidden: str = "false"
) -> Patterns:
    """The pairs of a query for `a` and `b`, positions in `feature`, counted by how they compare.

    Args:
        con: Where `feature` is.
        splink: Splink's settings, whose levels are asked.
        pairs: The query.
        forbidden: SQL over `l` and `r`: whether a veto holds.
    """
    asked = scales(splink)
    gammas = ", ".join(f"{scale.gamma} AS gamma_{scale.name}" for scale in asked)
    found = con.execute(f"""
        SELECT {gammas}, {forbidden} AS forbidden, count(*)::DOUBLE AS pairs
        FROM ({pairs}) AS asked
        JOIN feature AS l ON l.position = a
        JOIN feature AS r ON r.position = b
        GROUP BY ALL
    """).fetchnumpy()
    columns = [np.asarray(found[f"gamma_{scale.name}"], dtype=np.int8) for scale in asked]
    size = len(found["pairs"])
    return Patterns(
        np.column_stack(columns) if size else np.zeros((0, len(asked)), dtype=np.int8),
        np.asarray(found["forbidden"], dtype=np.bool_),
        np.asarray(found["pairs"], dtype=np.float64),
    )


def graded(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The levels of a comparison of Splink's settings but for the one of missing values, the best first."""
    return [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]


def bits(comparison: Mapping[str, Any]) -> Figures:
    """What each level of a comparison adds, in bits, by Splink's number of it: 0 is what differs."""
    return np.array(
        [
            np.log2(max(level["m_probability"], 1e-300) / max(level["u_probability"], 1e-300))
            for level in reversed(graded(comparison))
        ]
    )

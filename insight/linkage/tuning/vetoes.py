"""Which vetoes do not hold in the records at hand.

A veto is right as a rule, and wrong in a list where the field that it looks at cannot be trusted: where a column of
given names holds titles, or a name in another language. Pairs that share a key which is one entity's, or at most that
of close relatives (born on one day, one family name, one postcode), tell which: where those that the veto forbids
agree with each other on what relatives do not share as often as those that it leaves alone, they are no relatives.
Such a
veto is set aside; what it forbade is then weighed as everything else. Where there are too few of either to tell, it
stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb

from insight.linkage.blocking import shared_key_sql
from insight.linkage.model import Model, column
from insight.linkage.rules import Comparison, Veto
from insight.linkage.tuning.intervals import wilson
from insight.linkage.verdict import veto_sql
from insight.linkage.weights import scales

ENOUGH: Final = 30
"""Pairs that a veto forbids, and that state something to tell them by, from which it is judged."""
AS_OFTEN: Final = 0.8
"""How often forbidden pairs must agree, for each time that the others do."""
_SHARING: Final = 30


@dataclass(frozen=True, slots=True)
class Trial:
    """What the records say of one veto.

    Attributes:
        veto: Its name.
        forbidden: Pairs that it forbids and that state something to tell them by.
        agreeing: How many of them agree.
        left_alone: The same of pairs that it does not forbid.
        left_alone_agreeing: How many of those agree.
    """

    veto: str
    forbidden: int
    agreeing: int
    left_alone: int
    left_alone_agreeing: int

    @property
    def fails(self) -> bool:
        """Whether the pairs that the veto forbids are one entity, for all that the records say."""
        if self.forbidden < ENOUGH or self.left_alone < ENOUGH:
            return False
        usual = self.left_alone_agreeing / self.left_alone
        return wilson(self.agreeing, self.forbidden)[0] >= AS_OFTEN * usual and usual > 1 - AS_OFTEN


def try_vetoes(con: duckdb.DuckDBPyConnection, model: Model) -> list[Trial]:
    """What the records in a connection say of each veto that can be tried. Expects `feature` and `firm_id`."""
    return [_try(con, model, veto) for veto in model.linkage.vetoes if veto.tried_by and veto.tried_against]


def _try(con: duckdb.DuckDBPyConnection, model: Model, veto: Veto) -> Trial:
    compared = [one for one in model.linkage.comparisons if one.name in veto.tried_against]
    gammas = {scale.name: scale.gamma for scale in scales(model.splink)}
    others = tuple(one for one in model.linkage.vetoes if one.name != veto.name)
    shared = " UNION ".join(f"({shared_key_sql(key, _SHARING)})" for key in veto.tried_by)
    agrees = " OR ".join(f"gamma_{column(one)} > {_worst(one)}" for one in compared)
    states = " OR ".join(f"gamma_{column(one)} >= 0" for one in compared)
    found = con.execute(f"""
        SELECT forbidden, count(*), count(*) FILTER ({agrees})
        FROM (
            SELECT ({veto_sql((veto,))}) IS NOT NULL AS forbidden,
                   {", ".join(f"{gammas[column(one)]} AS gamma_{column(one)}" for one in compared)}
            FROM ({shared})
            JOIN firm_id AS one ON one.record_id = record_a
            JOIN firm_id AS other ON other.record_id = record_b
            JOIN feature AS l ON l.position = one.position
            JOIN feature AS r ON r.position = other.position
            WHERE ({veto_sql(others)}) IS NULL
        )
        WHERE {states}
        GROUP BY forbidden
    """).fetchall()
    counts = {bool(forbidden): (int(pairs), int(agreeing)) for forbidden, pairs, agreeing in found}
    return Trial(veto.name, *counts.get(True, (0, 0)), *counts.get(False, (0, 0)))


def _worst(comparison: Comparison) -> int:
    """The level above which a comparison counts as agreeing here: what differs, and nothing else."""
    return 0 if comparison.levels else -1

"""Which rules do not hold in the records at hand.

A rule that keeps pairs apart is right for most records, and wrong in a list where the field that it looks at cannot be
trusted: where a column of given names holds titles, numbers are mistyped, or a name is written in another language. So
each is tried on pairs that would be linked but for it, by a witness: a comparison that relatives and colleagues do not
share and that had no part in choosing the pairs, for what they agree on otherwise suffices without it. Pairs of two
entities agree with the witness as seldom as relatives do, pairs of one entity as often as pairs that the rule leaves
alone. Where they do so about as often, the rule is set aside, and what it kept apart is then weighed as everything
else. No witness may speak against that, and where there are too few pairs to tell, the rule stands.

The rule that a link needs two agreements is tried alike. Organisations are often listed without any number that could
bear witness. Then it is asked whether the pairs that only the rule keeps apart lie in two systems: a source that lists
two firms of one family lists both, and one that lists a firm under another name than the next source lists it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb

from insight.linkage.model import TWO_AGREEMENTS, Model, column
from insight.linkage.rules import Comparison
from insight.linkage.tuning.intervals import wilson
from insight.linkage.tuning.tried import TRIED, WITNESSES
from insight.linkage.verdict import veto_sql
from insight.linkage.weights import guarded

ENOUGH: Final = 10
"""Pairs of either kind from which a witness is heard."""
ENOUGH_OF_ALL: Final = 50
"""Pairs that must lack two agreements for that rule to be set aside, which stands before pairs of every kind."""
AS_OFTEN: Final = 0.8
"""How often pairs that the rule keeps apart must agree with the witness, for each time that the others do."""
SUFFICES: Final = 5.0
"""Bits that a pair must have without the witness."""
_SYSTEM: Final = "another system"


@dataclass(frozen=True, slots=True)
class Trial:
    """What one witness says of one rule.

    Attributes:
        rule: The name of a veto, or `two_agreements`.
        forbidden: Pairs that nothing but the rule keeps apart, and of which the witness says something.
        agreeing: How many of them agree with it.
        left_alone: The same of pairs that no rule keeps apart.
        left_alone_agreeing: How many of those agree.
        by_chance: How often two random records agree, where that is not next to never.
    """

    rule: str
    forbidden: int
    agreeing: int
    left_alone: int
    left_alone_agreeing: int
    by_chance: float = 0.0

    @property
    def is_heard(self) -> bool:
        """Whether there are enough pairs to say anything."""
        return min(self.forbidden, self.left_alone) >= ENOUGH

    @property
    def fails(self) -> bool:
        """Whether the pairs that the rule keeps apart are one entity, for all that the witness says."""
        if not self.is_heard:
            return False
        if self.rule == TWO_AGREEMENTS and self.forbidden < ENOUGH_OF_ALL:
            return False
        usual = self.left_alone_agreeing / self.left_alone
        surely = wilson(self.agreeing, self.forbidden)[0]
        return surely >= AS_OFTEN * usual and surely > self.by_chance and usual > 1 - AS_OFTEN


def failing(trials: list[Trial]) -> tuple[str, ...]:
    """The rules that every witness who is heard speaks against, in order."""
    heard = [trial for trial in trials if trial.is_heard]
    rules = {trial.rule for trial in heard}
    return tuple(sorted(rule for rule in rules if all(trial.fails for trial in heard if trial.rule == rule)))


def try_rules(con: duckdb.DuckDBPyConnection, model: Model, weighed: str) -> list[Trial]:
    """What the records in a connection say of each rule that can be tried.

    Args:
        con: Where `feature` is.
        model: The model, whose comparisons are asked.
        weighed: A query for `a, b, weight` and `gamma_*`, `mw_*` of pairs, all vetoes left out of account.
    """
    vetoes = model.linkage.vetoes
    cores = {name: sql for name, (sql, _) in TRIED[model.record_type].items() if name in {one.name for one in vetoes}}
    others = {name: veto_sql(tuple(one for one in vetoes if one.name != name)) for name in cores}
    asked = "".join(
        f", coalesce({guarded(cores[name])}, false) AS core_{name}, ({others[name]}) IS NULL AS but_for_{name}"
        for name in cores
    )
    con.execute(f"""
        CREATE OR REPLACE TABLE tried AS
        SELECT weighed.*, ({veto_sql(vetoes)}) IS NULL AS allowed, l.system <> r.system AS crosses{asked}
        FROM ({weighed}) AS weighed
        JOIN feature AS l ON l.position = weighed.a
        JOIN feature AS r ON r.position = weighed.b
    """)
    named = {one.name: one for one in model.linkage.comparisons}
    trials = [
        _heard(con, name, named[witness], f"core_{name}", f"but_for_{name}")
        for name in cores
        for witness in TRIED[model.record_type][name][1]
    ]
    trials += [
        _of_systems(con, name, f"core_{name}", f"but_for_{name}")
        for name in cores
        if model.record_type == "organisation" and not any(one.is_heard for one in trials if one.rule == name)
    ]
    agreements = [
        _heard(con, TWO_AGREEMENTS, named[witness], _lacks(model, witness), "allowed")
        for witness in WITNESSES[model.record_type]
    ]
    if not any(trial.is_heard for trial in agreements):
        agreements = [_of_systems(con, TWO_AGREEMENTS, _lacks(model), "allowed")]
    con.execute("DROP TABLE tried")
    return trials + agreements


def _heard(con: duckdb.DuckDBPyConnection, rule: str, witness: Comparison, kept_apart: str, but_for: str) -> Trial:
    """What a comparison says of the pairs that are linked but for a rule, which is SQL over `tried`."""
    name = column(witness)
    found = con.execute(f"""
        SELECT {kept_apart}, count(*), count(*) FILTER ({_agrees(witness)})
        FROM tried
        WHERE gamma_{name} >= 0 AND weight - mw_{name} >= {SUFFICES} AND ({kept_apart} OR allowed) AND {but_for}
        GROUP BY ALL
    """).fetchall()
    return _trial(rule, found)


def _of_systems(con: duckdb.DuckDBPyConnection, rule: str, kept_apart: str, but_for: str) -> Trial:
    """Whether pairs that are linked but for a rule lie in two systems as those do that nothing keeps apart."""
    found = con.execute(f"""
        SELECT {kept_apart}, count(*), count(*) FILTER (crosses) FROM tried
        WHERE weight >= {SUFFICES} AND ({kept_apart} OR allowed) AND {but_for} GROUP BY ALL
    """).fetchall()
    chance = con.execute("""
        WITH held AS (SELECT system, count(*)::DOUBLE AS records FROM feature WHERE NOT is_firm GROUP BY system)
        SELECT 1 - sum(records * records) / sum(records) ** 2 FROM held
    """).fetchall()
    return _trial(rule, found, float(chance[0][0] or 1.0))


def _trial(rule: str, found: list[tuple[bool, int, int]], by_chance: float = 0.0) -> Trial:
    counts = {bool(kept_apart): (int(pairs), int(agreeing)) for kept_apart, pairs, agreeing in found}
    return Trial(rule, *counts.get(True, (0, 0)), *counts.get(False, (0, 0)), by_chance)


def _lacks(model: Model, witness: str = "") -> str:
    """SQL over `tried`: two agreements, one of which says who it is, are not there without the witness."""
    counted = [one for one in model.linkage.comparisons if one.name != witness]
    agreements = " + ".join(["0", *(f"({_agrees(one)})::INTEGER" for one in counted)])
    identifying = " + ".join(["0", *(f"({_agrees(one)})::INTEGER" for one in counted if one.identifies)])
    return f"({agreements} < {model.linkage.agreements} OR {identifying} < {model.linkage.identifying})"


def _agrees(comparison: Comparison) -> str:
    grades = [len(comparison.levels) - place for place, level in enumerate(comparison.levels) if level.agrees]
    return f"gamma_{column(comparison)} IN ({', '.join(map(str, grades)) or 'NULL'})"

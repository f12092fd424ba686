"""What must hold of the sketches of two records where a condition holds of the records themselves.

A condition of a model is SQL over two rows of `feature`. Each part that looks at one record alone becomes a column of
its sketch; each comparison of the two becomes one of these columns that can be no stricter:

| of the records | of their sketches |
|---|---|
| two values are the same | their hashes are |
| two lists share an element, or one has all of the other | so do the bits of their elements |
| two texts are no more than so many slips apart | no more than two letters for each slip are in one of them alone |
| two texts are as alike as that (Jaro-Winkler) | as many letters are in both as that takes |

Where that says nothing, nothing is asked, so that what is left holds at least as often.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import sqlglot
from sqlglot import exp

BITS: Final = 62
"""Bits of a column that are used."""
_SIDES: Final = frozenset({"l", "r"})
_LISTED: Final = 3
"""Elements of a list whose bits are set without calling a function for each; longer lists are rare."""
_BOOST: Final = 0.4
"""The most that a common start adds in Jaro-Winkler: a tenth for each of four letters."""
_SUM_SLACK: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of two sketches.

    Attributes:
        sql: SQL over the sketches `l` and `r`.
        exact: Whether it says the same as the condition, and not only what that takes.
    """

    sql: str
    exact: bool = False


@dataclass
class Columns:
    """The columns of a sketch, as they come to be asked for.

    Attributes:
        made: SQL over a row of `feature`, to the name of its column.
        lettered: The same of texts whose letters are kept; `<name>_length` says how many there are.
    """

    made: dict[str, str] = field(default_factory=dict)
    lettered: dict[str, str] = field(default_factory=dict)

    def named(self, sql: str) -> str:
        """The column with this value."""
        return self.made.setdefault(sql, f"k{len(self.made)}")

    def letters(self, sql: str) -> str:
        """The column with the letters of this text."""
        return self.lettered.setdefault(sql, f"t{len(self.lettered)}")


def relaxed(sql: str, columns: Columns) -> Condition | None:
    """What must hold of two sketches where `sql` holds of two records `l` and `r`; None where nothing is known."""
    return _relaxed(_parsed(sql), columns, wanted=True)


@cache
def _parsed(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, dialect="duckdb")


def _relaxed(found: exp.Expr, columns: Columns, *, wanted: bool) -> Condition | None:
    """The same of an expression that is true, or where that is not `wanted`, of one that is false."""
    found = found.unnest()
    if isinstance(found, exp.Not):
        return _relaxed(found.this, columns, wanted=not wanted)
    if isinstance(found, exp.Is) and isinstance(found.expression, exp.Boolean):
        return _relaxed_is(found, columns, wanted=wanted)
    if isinstance(found, exp.And | exp.Or):
        parts = [_relaxed(part, columns, wanted=wanted) for part in (found.left, found.right)]
        return _all(parts) if isinstance(found, exp.And) is wanted else _any(parts)
    side = _side(found)
    if side is None:
        return _compared(found, columns) if wanted else None
    if _is_dear(found):
        return None
    flag = f"{side}.{columns.named(f'coalesce({_alone(found)}, false)')}"
    return Condition(flag if wanted else f"NOT {flag}", exact=wanted or isinstance(found, exp.Is))


def _relaxed_is(found: exp.Is, columns: Columns, *, wanted: bool) -> Condition | None:
    """Of `... IS true` or `... IS false`: neither is ever unknown, so that what is not true may be unknown or false."""
    if wanted:
        return _relaxed(found.this, columns, wanted=bool(found.expression.this))
    inner = _relaxed(found.this, columns, wanted=bool(found.expression.this))
    return Condition(f"NOT coalesce({inner.sql}, false)", exact=True) if inner is not None and inner.exact else None


def _all(parts: list[Condition | None]) -> Condition | None:
    known = [part for part in parts if part is not None]
    if not known:
        return None
    exact = len(known) == len(parts) and all(part.exact for part in known)
    return Condition("(" + " AND ".join(part.sql for part in known) + ")", exact)


def _any(parts: list[Condition | None]) -> Condition | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return Condition("(" + " OR ".join(part.sql for part in known) + ")", all(part.exact for part in known))


def _side(found: exp.Expr) -> str | None:
    """The one record that an expression is about; None where it is about both, or none."""
    sides = {column.table for column in found.find_all(exp.Column)} & _SIDES
    return sides.pop() if len(sides) == 1 else None


def _alone(found: exp.Expr) -> str:
    """An expression about one record as SQL over its own row."""
    mine = found.copy()
    for column in mine.find_all(exp.Column):
        column.set("table", None)
    return mine.sql(dialect="duckdb")


def _is_dear(found: exp.Expr) -> bool:
    """Whether it takes longer to know of every record than it saves."""
    return found.find(exp.RegexpReplace) is not None


def _compared(found: exp.Expr, columns: Columns) -> Condition | None:
    """Of one function of two records."""
    if isinstance(found, exp.Anonymous) and found.name.lower() == "list_has_all":
        return _holds(found.expressions[0], found.expressions[1], columns)
    return next((made(found, columns) for kind, made in _KINDS.items() if isinstance(found, kind)), None)


def _equal(found: exp.EQ, columns: Columns) -> Condition | None:
    slips = _slips(found.left, found.right, 0, columns)
    if slips is not None:
        return slips
    parts = (found.left, found.right)
    if {_side(part) for part in parts} != _SIDES or any(_is_dear(part) for part in parts):
        return None
    one, other = (
        f"{_side(part)}.{columns.named(f'CASE WHEN {_alone(part)} IS NOT NULL THEN hash({_alone(part)}) END')}"
        for part in parts
    )
    return Condition(f"{one} = {other}", exact=True)


def _fewer(found: exp.LTE | exp.LT, columns: Columns) -> Condition | None:
    return _slips(found.left, found.right, int(isinstance(found, exp.LT)), columns)


def _slips(found: exp.Expr, most: exp.Expr, less: int, columns: Columns) -> Condition | None:
    """Of a distance of so many slips at most: each takes one letter away, adds another, or both."""
    found, limits = found.unnest(), _numbers(most)
    if not (isinstance(found, exp.Anonymous) and found.name.lower() == "damerau_levenshtein") or not limits:
        return None
    pair = _lettered(found.expressions[0], found.expressions[1], columns)
    if pair is None:
        return None
    one, other = pair
    slips = int(max(limits)) - less
    return Condition(
        f"((bit_count(xor({one}, {other})) <= {2 * slips}) IS NOT false"
        f" AND (abs({one}_length - {other}_length) <= {slips}) IS NOT false)"
    )


def _alike(found: exp.GTE, columns: Columns) -> Condition | None:
    """Of a Jaro-Winkler similarity of at least so much.

    It is at most `j + 0.4 (1 - j)`, and j at most a third of `m / length + m / other length + 1`, where m letters are
    in both: no more than either text has beside those that the other is without.
    """
    if not isinstance(found.left, exp.JarowinklerSimilarity) or not isinstance(found.right, exp.Literal):
        return None
    pair = _lettered(found.left.this, found.left.expression, columns)
    if pair is None:
        return None
    one, other = pair
    least = 3 * (float(found.right.this) - _BOOST) / (1 - _BOOST) - 1 - _SUM_SLACK
    shared = f"least({one}_length - bit_count({one} & ~{other}), {other}_length - bit_count({other} & ~{one}))"
    together = f"{shared}::DOUBLE * ({one}_length + {other}_length)"
    return Condition(f"({together} >= {least!r} * {one}_length * {other}_length) IS NOT false")


def _starts(found: exp.StartsWith, columns: Columns) -> Condition | None:
    pair = _lettered(found.this, found.expression, columns)
    return None if pair is None else Condition(f"({pair[1]} & ~{pair[0]} = 0) IS NOT false")


def _overlap(found: exp.ArrayOverlaps, columns: Columns) -> Condition | None:
    one, other = (_bits(part, columns) for part in (found.this, found.expression))
    return None if one is None or other is None else Condition(f"{one} & {other} <> 0")


def _contains(found: exp.ArrayContains, columns: Columns) -> Condition | None:
    side, every = _side(found.expression), _bits(found.this, columns)
    if side is None or every is None:
        return None
    return Condition(f"{every} & {side}.{columns.named(_bit(_alone(found.expression)))} <> 0")


def _holds(every: exp.Expr, some: exp.Expr, columns: Columns) -> Condition | None:
    held, asked = _bits(every, columns), _bits(some, columns)
    return None if held is None or asked is None else Condition(f"{asked} & ~{held} = 0")


def _bits(found: exp.Expr, columns: Columns) -> str | None:
    """SQL over two sketches: a bit for each element of a list."""
    side = _side(found)
    if side is not None:
        return f"{side}.{columns.named(_set(_alone(found)))}"
    if isinstance(found, exp.ArrayConcat):
        parts = [_bits(part, columns) for part in (found.this, *found.expressions)]
        known = [part for part in parts if part is not None]
        return "(" + " | ".join(known) + ")" if len(known) == len(parts) else None
    return None


def _set(values: str) -> str:
    """SQL: the bits of the elements of a list; 0 where there is none."""
    short = " | ".join(f"({_bit(f'({values})[{place}]')})" for place in range(1, _LISTED + 1))
    each = f"list_aggregate(list_transform({values}, lambda one: {_bit('one')}), 'bit_or')"
    return f"CASE WHEN len({values}) > {_LISTED} THEN {each} WHEN len({values}) > 0 THEN {short} ELSE 0 END::BIGINT"


def _bit(value: str) -> str:
    return f"CASE WHEN {value} IS NULL THEN 0::BIGINT ELSE 1::BIGINT << (hash({value}) % {BITS})::BIGINT END"


def _lettered(one: exp.Expr, other: exp.Expr, columns: Columns) -> tuple[str, str] | None:
    if {_side(one), _side(other)} != _SIDES:
        return None
    mine, theirs = (f"{_side(part)}.{columns.letters(_alone(part))}" for part in (one, other))
    return mine, theirs


def _numbers(found: exp.Expr) -> list[float]:
    """The numbers that an expression can give: its own, or each of a `CASE`; none where it may give others."""
    found = found.unnest()
    if isinstance(found, exp.Literal) and not found.is_string:
        return [float(found.this)]
    if not isinstance(found, exp.Case) or found.args.get("default") is None:
        return []
    given = [_numbers(branch.args["true"]) for branch in found.args["ifs"]] + [_numbers(found.args["default"])]
    return [number for numbers in given for number in numbers] if all(given) else []


_KINDS: Final[dict[type[exp.Expr], Callable[..., Condition | None]]] = {
    exp.EQ: _equal,
    exp.LTE: _fewer,
    exp.LT: _fewer,
    exp.GTE: _alike,
    exp.StartsWith: _starts,
    exp.ArrayOverlaps: _overlap,
    exp.ArrayContains: _contains,
}

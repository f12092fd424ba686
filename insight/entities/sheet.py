"""The records of entities as arrays, so that survivors are found for many entities at once, field by field.

The rules stand in `survivorship`. A group is an entity, or two that might be one; a record may be of several groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from insight.entities.survivorship import (
    ASSERTED,
    COMPLETE,
    FREQUENT,
    IDENTIFIED,
    IDENTIFYING,
    PRIORITY,
    RECENT,
    Criterion,
    Priority,
    Rule,
)
from orchestration.graph.model import RECORD_TYPES

Integers = npt.NDArray[np.int64]

NONE: Final = -1
"""The place of no record, and the code of no value."""
_VERIFIED, _STAFF, _WEAK = 0, 1, 2


@dataclass(frozen=True)
class Groups:
    """Records in groups: rows of a sheet, group after group, and in each the one touched last first.

    Attributes:
        rows: The rows.
        group: The group of each, from 0 on without a gap.
    """

    rows: Integers
    group: Integers

    @cached_property
    def starts(self) -> Integers:
        """Where each group begins."""
        return np.flatnonzero(np.r_[True, self.group[1:] != self.group[:-1]]) if len(self.group) else self.group


class Sheet:
    """Records of some entities, as arrays.

    Args:
        con: Where `member` and `settled(record_id, field)` are, and `node`, whose order is that of record ids.
        record_type: The record type.
        chosen: A query for the `entity_id`s.
        priority: Which system the user believes first, by field.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, record_type: str, chosen: str, priority: Priority) -> None:
        self.fields = RECORD_TYPES[record_type].names
        self.table = (
            con.sql(f"""
            SELECT member.*,
                   coalesce(-epoch(updated_at), 0) AS touched, identifiers::VARCHAR AS identifiers__text
            FROM member SEMI JOIN ({chosen}) AS chosen USING (entity_id)
        """)
            .to_arrow_table()
            .combine_chunks()
        )
        self.record_id: pa.Array = self.column("record_id")
        touched = self.column("touched").to_numpy(zero_copy_only=False)
        self._rank = np.empty(len(self), dtype=np.int64)
        self._rank[np.lexsort((self.column("position").to_numpy(), touched))] = np.arange(len(self))
        self._recency = np.unique(touched, return_inverse=True)[1].astype(np.int64)
        self.entities = self.column("entity_id").dictionary_encode()
        self._class = self._classes()
        self._codes: dict[str, Integers] = {}
        identifying = (self._stated(field) & (self._class[field] < _WEAK) for field in IDENTIFYING[record_type])
        self._identified = np.logical_or.reduce([np.zeros(len(self), dtype=np.bool_), *identifying])
        self._priority = priority
        self._settled = self._settlements(con)

    def __len__(self) -> int:
        """How many records there are."""
        return int(self.table.num_rows)

    @cached_property
    def groups(self) -> Groups:
        """Each entity as a group, in the order of `entities.dictionary`."""
        return self.arranged(np.arange(len(self)), np.asarray(self.entities.indices, dtype=np.int64))

    def arranged(self, rows: Integers, group: Integers) -> Groups:
        """Rows in groups, in the order that groups want."""
        order = np.lexsort((self._rank[rows], group))
        return Groups(rows[order], group[order])

    def codes(self, field: str) -> Integers:
        """Of each record, a number of the value it states of a field, the same for the same; `NONE` for nothing."""
        if field not in self._codes:
            column = self.column("identifiers__text" if field == "identifiers" else field)
            indices = column.dictionary_encode().indices
            self._codes[field] = pc.fill_null(indices, NONE).to_numpy(zero_copy_only=False).astype(np.int64)
        return self._codes[field]

    def winners(self, rule: Rule, groups: Groups) -> Integers:
        """Of each group, the row whose fields of a rule survive; `NONE` where no record states any."""
        if not len(groups.starts):
            return np.empty(0, dtype=np.int64)
        rows = groups.rows
        size = np.diff(np.r_[groups.starts, len(rows)])
        within = np.arange(len(rows)) - np.repeat(groups.starts, size)
        first = self._first(rule)[rows]
        stated = first < len(rule.fields)
        key = np.zeros(len(rows), dtype=np.int64)
        for asked in (self._unsettled(rule)[rows], *(self._asked(one, rule, groups, first) for one in rule.by)):
            low = int(asked.min())
            key = key * (int(asked.max()) - low + 1) + (asked - low)
        span = int(size.max())
        key = np.where(stated, key * span + within, np.iinfo(np.int64).max)
        best = np.minimum.reduceat(key, groups.starts)
        found = rows[np.minimum(groups.starts + best % span, len(rows) - 1)]
        return np.where(best == np.iinfo(np.int64).max, NONE, found)

    def _asked(  # noqa: PLR0911  one for each criterion
        self, criterion: Criterion, rule: Rule, groups: Groups, first: Integers
    ) -> Integers:
        """What a criterion says of each row of some groups; less is better."""
        rows = groups.rows
        if criterion == ASSERTED:
            return self._of_first(rule, rows, first, self._class)
        if criterion == PRIORITY:
            return self._preferred(rule)[rows]
        if criterion == IDENTIFIED:
            return np.where(self._identified[rows], 0, 1)
        if criterion == COMPLETE:
            return -self._fullness(rule)[rows] * (len(rule.fields) + 1) + first
        if criterion == FREQUENT:
            counts = {field: -self._counts(self.codes(field)[rows], groups) for field in rule.fields}
            return counts[rule.fields[0]] if len(counts) == 1 else _by_first(rule, first, counts)
        if criterion == RECENT and criterion != rule.by[-1]:
            return self._recency[rows]
        return np.zeros(len(rows), dtype=np.int64)  # rows of a group are in this order already

    def _first(self, rule: Rule) -> Integers:
        """Of each record, which field of a rule it states first; their number where none."""
        first = np.full(len(self), len(rule.fields), dtype=np.int64)
        for place in reversed(range(len(rule.fields))):
            first[self._stated(rule.fields[place])] = place
        return first

    def _of_first(self, rule: Rule, rows: Integers, first: Integers, values: Mapping[str, Integers]) -> Integers:
        if len(rule.fields) == 1:
            return values[rule.fields[0]][rows]
        return _by_first(rule, first, {field: values[field][rows] for field in rule.fields})

    def _counts(self, codes: Integers, groups: Groups) -> Integers:
        """How many rows of its group state the same as each; 0 where all that state anything agree."""
        counts = np.zeros(len(codes), dtype=np.int64)
        low = np.minimum.reduceat(np.where(codes == NONE, np.iinfo(np.int64).max, codes), groups.starts)
        split = np.maximum.reduceat(codes, groups.starts) > low
        asked = np.flatnonzero(split[groups.group] & (codes != NONE))
        if len(asked):
            together = groups.group[asked] * (int(codes.max()) + 1) + codes[asked]
            _, place, number = np.unique(together, return_inverse=True, return_counts=True)
            counts[asked] = number[place]
        return counts

    def _fullness(self, rule: Rule) -> Integers:
        """How much of a block each record states: 2 for a part, 1 for an initial."""
        lengths = (
            pc.fill_null(pc.utf8_length(self.column(field)), 0).to_numpy(zero_copy_only=False) for field in rule.fields
        )
        return np.asarray(sum(np.minimum(length, 2) for length in lengths), dtype=np.int64)

    def _preferred(self, rule: Rule) -> Integers:
        """Of each record, its system's place in the order that the user declared for a rule's fields."""
        stated = {
            system: min(order[field] for field in rule.fields if field in order)
            for system, order in self._priority.items()
            if any(field in order for field in rule.fields)
        }
        if not stated:
            return np.zeros(len(self), dtype=np.int64)
        systems = self.column("system").dictionary_encode()
        order = sorted(set(stated.values()))
        places = [order.index(stated[one]) if one in stated else len(order) for one in systems.dictionary.to_pylist()]
        of_system: Integers = np.array(places, dtype=np.int64)
        return np.asarray(of_system[systems.indices.to_numpy(zero_copy_only=False)], dtype=np.int64)

    def _unsettled(self, rule: Rule) -> Integers:
        """Of each record, 0 where a person said that what it states of a rule's field is right, otherwise 1."""
        unsettled = np.ones(len(self), dtype=np.int64)
        for field in rule.fields:
            unsettled[self._settled.get(field, [])] = 0
        return unsettled

    def _settlements(self, con: duckdb.DuckDBPyConnection) -> dict[str, Integers]:
        stated = con.execute("SELECT field, record_id FROM settled").fetchall()
        if not stated:
            return {}
        places = pc.index_in(pa.array([row[1] for row in stated]), value_set=self.record_id).to_pylist()
        found: dict[str, list[int]] = {}
        for (field, _), place in zip(stated, places, strict=True):
            if place is not None:
                found.setdefault(field, []).append(place)
        return {field: np.array(places, dtype=np.int64) for field, places in found.items()}

    def _classes(self) -> dict[str, Integers]:
        """Of each field and record, who asserts it."""
        classes = {field: np.full(len(self), _STAFF, dtype=np.int64) for field in self.fields}
        for column, asserted in (("weak_fields", _WEAK), ("verified_fields", _VERIFIED)):
            lists = self.column(column)
            rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
            named = pc.list_flatten(lists).dictionary_encode()
            codes = named.indices.to_numpy(zero_copy_only=False)
            for code, field in enumerate(named.dictionary.to_pylist()):
                if field in classes:
                    classes[field][rows[codes == code]] = asserted
        return classes

    def _stated(self, field: str) -> npt.NDArray[np.bool_]:
        return np.asarray(self.column(field).is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_)

    def column(self, name: str) -> Any:  # noqa: ANN401  an Arrow array
        """A column of the records."""
        column = self.table.column(name)
        return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _by_first(rule: Rule, first: Integers, values: Mapping[str, Integers]) -> Integers:
    """Of each row, the value of the field that it states first."""
    chosen = np.zeros(len(first), dtype=np.int64)
    for place, field in enumerate(rule.fields):
        chosen[first == place] = values[field][first == place]
    return chosen

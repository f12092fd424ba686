"""A small world of records, links and judgements that changes step by step, kept as stages keep their tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import duckdb
import pyarrow as pa

from insight import layers
from insight.linkage.link import LinkSet
from insight.linkage.read import open_memory
from insight.records.record_set import AliasSet, RecordSet

Row = dict[str, Any]
Pair = tuple[str, str]

SYSTEMS: Final = ("crm", "erp", "support")
NUMBERS: Final = 14
"""Records that a system may have: enough for most to have little to do with each other."""
_POOLS: Final[dict[str, tuple[Any, ...]]] = {
    "name": ("Fernley Ltd", "Fernley Coatings", "Oakham Bakery"),
    "legal_name": (None, "Fernley Coatings Limited", "Oakham Bakery plc", "Fernley coatings ltd."),
    "vat_number": (None, None, "GB111", "GB222"),
    "payment_terms": (None, "Net 30", "30 days", "Net 60"),
    "country": (None, "GB", "FR"),
    "email": (None, "a@fernley.co.uk", "b@oakham.co.uk"),
    "phone": (None, "+441134960123", "+441134960456"),
    "address": (None, "12 Mill Street", "9 Dock Road"),
    "city": (None, "Leeds", "Hull"),
    "k_postcode": (None, "LS14AP", "HU11AA"),
    "k_street_number": (None, "12", "9"),
    "opted_out": (None, False, True),
    "updated_at": (None, datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)),
}
_TYPES: Final = {
    "record": {
        **dict.fromkeys(("record_id", "system", "source_table", "source_key", "row_hash"), pa.string()),
        **{name: pa.list_(pa.string()) for name in ("weak_fields", "verified_fields")},
        **{name: pa.string() for name in _POOLS},
        "opted_out": pa.bool_(),
        "updated_at": pa.timestamp("us", "UTC"),
    },
    "link": {
        **dict.fromkeys(("entity_type", "record_a", "record_b"), pa.string()),
        **dict.fromkeys(("match_weight", "match_probability"), pa.float64()),
        **dict.fromkeys(("tier", "veto", "status", "comparisons"), pa.string()),
    },
    "footing": {"record_a": pa.string(), "record_b": pa.string(), "strength": pa.int32(), "firm": pa.bool_()},
    "alias": dict.fromkeys(("record_type", "from_record", "to_record"), pa.string()),
    "judgements": dict.fromkeys(("entity_type", "record_a", "record_b", "verdict", "judgement_id"), pa.string()),
    "settlements": {
        **dict.fromkeys(("judgement_id", "entity_type", "record_id", "field", "value"), pa.string()),
        "until": pa.date32(),
        "expired": pa.bool_(),
    },
}
_KEYS: Final = {"record": ("record_id",), "link": ("record_a", "record_b"), "footing": ("record_a", "record_b")}


TODAY: Final = date(2026, 6, 1)
"""The day by which a value that somebody said is right may have ended."""


@dataclass
class World:
    """What is so at one step."""

    random: Random
    records: dict[str, Row] = field(default_factory=dict)
    links: dict[Pair, Row] = field(default_factory=dict)
    merges: set[Pair] = field(default_factory=set)
    judged: dict[Pair, str] = field(default_factory=dict)
    settled: dict[Pair, tuple[str, date | None]] = field(default_factory=dict)
    said: int = 0

    def change(self) -> None:
        """Something happens."""
        choices = [self.write] * 4 + [self.link] * 4 + [self.delete, self.unlink, self.merge, self.judge, self.settle]
        self.random.choice(choices)()

    def write(self) -> None:
        """A record is new, or edited."""
        system = self.random.choice(SYSTEMS)
        name = f"{system}:t:{self.random.randrange(NUMBERS)}"
        stated = {key: self.random.choice(pool) for key, pool in _POOLS.items()}
        weak = [key for key in ("email", "payment_terms", "name", "vat_number") if self.random.random() < 0.15]
        self.records[name] = {
            "record_id": name,
            "system": system,
            "source_table": "t",
            "source_key": name.split(":")[2],
            "row_hash": f"{self.random.getrandbits(32):x}",
            "weak_fields": weak,
            "verified_fields": [key for key in ("email", "phone") if key not in weak and self.random.random() < 0.2],
            **stated,
        }

    def link(self) -> None:
        """Two records are compared."""
        if (pair := self._pair()) is None:
            return
        status = self.random.choice(["accepted"] * 3 + ["possible"] * 3 + ["ambiguous", "vetoed"])
        strength = self.random.choice([1, 2, 2, 2, 3]) if status == "accepted" else None
        self.links[pair] = {
            "entity_type": "organisation",
            "record_a": pair[0],
            "record_b": pair[1],
            "match_weight": float(self.random.randrange(3, 9)),
            "match_probability": 0.9,
            "tier": "key" if strength == 1 else None,
            "veto": "differs" if status == "vetoed" else None,
            "status": status,
            "comparisons": "{}",
            "strength": strength,
            "firm": strength != 3 and self.random.random() < 0.9,
        }

    def delete(self) -> None:
        """A record goes, and with it what it was compared with."""
        if not self.records:
            return
        gone = self.random.choice(sorted(self.records))
        del self.records[gone]
        self.links = {pair: link for pair, link in self.links.items() if gone not in pair}

    def unlink(self) -> None:
        """Two records no longer resemble each other."""
        if self.links:
            del self.links[self.random.choice(sorted(self.links))]

    def merge(self) -> None:
        """A source merges one record into another, or takes it back."""
        if self.merges and self.random.random() < 0.4:
            self.merges.discard(self.random.choice(sorted(self.merges)))
            return
        system = self.random.choice(SYSTEMS)
        one, other = (f"{system}:t:{number}" for number in self.random.sample(range(NUMBERS + 2), 2))
        self.merges.add((one, other))

    def judge(self) -> None:
        """A person says whether two records are one."""
        if (pair := self._pair()) is not None:
            self.said += 1
            self.judged[pair] = f"{self.random.choice(['same', 'different'])}:pair_{self.said}"

    def settle(self) -> None:
        """A person says which value is right."""
        if self.records:
            name = self.random.choice(["payment_terms", "vat_number", "address", "legal_name"])
            value = self.random.choice([one for one in _POOLS[name] if one] + ["Unheard of"])
            until = self.random.choice([None, date(2026, 1, 1), date(2030, 1, 1)])
            self.said += 1
            key = (self.random.choice(sorted(self.records)), name)
            self.settled[key] = (f"{value}:value_{self.said}", until)

    def _pair(self) -> Pair | None:
        if len(self.records) < 2:
            return None
        one, other = sorted(self.random.sample(sorted(self.records), 2))
        return one, other


class Kept:
    """The steps of a world as folders, each a layer over the one before."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._step = 0
        self._was: dict[str, dict[Any, Row]] = {"record": {}, "link": {}, "footing": {}}
        self._before: dict[str, Path | None] = {"records": None, "links": None}

    def keep(self, world: World) -> tuple[RecordSet, AliasSet, LinkSet, Path, Path]:
        """The world as it is: records, merges, links, judgements and settlements."""
        self._step += 1
        footing = {pair: {key: link[key] for key in _TYPES["footing"]} for pair, link in world.links.items()}
        with open_memory() as con:
            records = self._layer(con, "records", {"record": {(name,): row for name, row in world.records.items()}})
            links = self._layer(con, "links", {"link": world.links, "footing": footing})
            merges = [
                {"record_type": "organisation", "from_record": one, "to_record": other} for one, other in world.merges
            ]
            alias = self._whole(con, "alias", merges)
            judged = [
                {"entity_type": "organisation", "record_a": one, "record_b": other}
                | dict(zip(("verdict", "judgement_id"), said.split(":"), strict=True))
                for (one, other), said in world.judged.items()
            ]
            settled = [
                {"entity_type": "organisation", "record_id": record, "field": name, "until": until}
                | {"expired": until is not None and until < TODAY}
                | dict(zip(("value", "judgement_id"), said.rsplit(":", 1), strict=True))
                for (record, name), (said, until) in world.settled.items()
            ]
            said = [self._whole(con, name, rows) for name, rows in (("judgements", judged), ("settlements", settled))]
        step = f"{self._step}"
        return (
            RecordSet("organisation", step, records),
            AliasSet(step, alias.parent),
            LinkSet("organisation", step, links, "model", 2.0, 3.0),
            *(said[0], said[1]),
        )

    def _layer(self, con: duckdb.DuckDBPyConnection, stage: str, tables: dict[str, dict[Any, Row]]) -> Path:
        folder, before = self._home / stage / f"{self._step}", self._before[stage]
        folder.mkdir(parents=True)
        for table, rows in tables.items():
            was = self._was[table]
            moved = sorted(key for key in was.keys() | rows.keys() if was.get(key) != rows.get(key))
            _register(con, "changed", table, [rows[key] for key in moved if key in rows])
            con.register(
                "gone", pa.table({n: pa.array([k[i] for k in moved], pa.string()) for i, n in enumerate(_KEYS[table])})
            )
            layers.put(
                con, folder, table, "FROM changed", "FROM gone" if before else None, before,
                whole=not layers.may_layer(before), keys=_KEYS[table],
            )  # fmt: skip
            self._was[table] = dict(rows)
        earlier = layers.read_layer(before) if before else None
        height = earlier.height + 1 if earlier is not None and layers.may_layer(before) else 0
        keys = {table: _KEYS[table] for table in tables}
        layers.describe(folder, layers.Layer(keys, before.name if before else None, height))
        self._before[stage] = folder
        return folder

    def _whole(self, con: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> Path:
        path = self._home / table / f"{self._step}" / f"{table}.parquet"
        path.parent.mkdir(parents=True)
        _register(con, "stated", table, rows)
        con.sql("FROM stated").write_parquet(str(path))
        return path


def _register(con: duckdb.DuckDBPyConnection, name: str, table: str, rows: list[Row]) -> None:
    columns = {key: pa.array([row.get(key) for row in rows], kind) for key, kind in _TYPES[table].items()}
    con.register(name, pa.table(columns))

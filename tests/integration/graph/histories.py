"""A small company that changes: its folders of Parquet as insight leaves them, each version a layer on the one before.

`State` says what is so, `tables_of` what every table of every folder holds then, and `Folders.write` keeps only what
differs from the version before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from orchestration.graph.inputs import CandidateInputs
from orchestration.layers import Layer, describe, may_layer, put, read_layer, write
from tests.graph_fixture import LandedTable
from tests.integration.graph.folders import READ_AT

Rows = list[tuple[Any, ...]]

COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "row": ("id VARCHAR, name VARCHAR, _key VARCHAR, _row_hash VARCHAR", ("_key",)),
    "record": (
        (
            "record_id VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR, row_hash VARCHAR, "
            "weak_fields VARCHAR[], verified_fields VARCHAR[], name VARCHAR, vat_number VARCHAR"
        ),
        ("source_table", "source_key"),
    ),
    "fact": (
        (
            "record_id VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR, row_hash VARCHAR, "
            "organisation_record VARCHAR, amount DECIMAL(18,2)"
        ),
        ("record_id",),
    ),
    "quarantine": (
        (
            "record_id VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR, shape VARCHAR, "
            "reason VARCHAR, detail VARCHAR, row VARCHAR"
        ),
        ("source_table", "source_key"),
    ),
    "note": (
        "record_id VARCHAR, system VARCHAR, source_table VARCHAR, field VARCHAR, value VARCHAR, problem VARCHAR",
        ("record_id",),
    ),
    "support": ("record_id VARCHAR, supporting_record VARCHAR", ("record_id",)),
    "crosswalk": (
        "record_id VARCHAR, entity_id VARCHAR, entity_type VARCHAR, probability DOUBLE, reason VARCHAR",
        ("record_id",),
    ),
    "entity": (
        (
            "entity_id VARCHAR, entity_type VARCHAR, version VARCHAR, name VARCHAR, standing VARCHAR, "
            "standing_reasons VARCHAR[], systems VARCHAR[], resolution VARCHAR, record_count INTEGER, opted_out BOOLEAN"
        ),
        ("entity_id",),
    ),
    "golden": ("entity_id VARCHAR, name VARCHAR, name_record VARCHAR", ("entity_id",)),
    "conflict": (
        (
            "entity_id VARCHAR, entity_type VARCHAR, field VARCHAR, record_a VARCHAR, value_a VARCHAR, "
            "record_b VARCHAR, value_b VARCHAR"
        ),
        ("entity_id",),
    ),
    "review_pair": (
        "entity_type VARCHAR, record_a VARCHAR, record_b VARCHAR, entity_a VARCHAR, entity_b VARCHAR, reason VARCHAR",
        ("entity_type", "record_a", "record_b"),
    ),
    "contact_point": (
        "entity_id VARCHAR, channel VARCHAR, value VARCHAR, record_id VARCHAR, asserted_by VARCHAR",
        ("entity_id",),
    ),
    "entity_event": (
        (
            "entity_id VARCHAR, entity_type VARCHAR, event VARCHAR, other_entity_id VARCHAR, snapshot_id VARCHAR, "
            '"at" TIMESTAMPTZ'
        ),
        ("entity_id",),
    ),
    "link": (
        (
            "entity_type VARCHAR, record_a VARCHAR, record_b VARCHAR, match_weight DOUBLE, status VARCHAR, "
            "comparisons JSON"
        ),
        ("record_a", "record_b"),
    ),
    "relationship": ("from_entity VARCHAR, to_entity VARCHAR, kind VARCHAR, record_id VARCHAR", ("record_id",)),
    "alias": ("record_type VARCHAR, system VARCHAR, from_record VARCHAR, to_record VARCHAR", ("from_record",)),
}
"""What the tables of the folders look like, and by which columns their layers replace rows."""
SYSTEMS = ("crm", "erp")


@dataclass(frozen=True)
class State:
    """What is so: names of companies by key, the entity of each, invoices with owner and amount."""

    names: dict[int, str] = field(default_factory=dict)
    entities: dict[int, int] = field(default_factory=dict)
    invoices: dict[int, tuple[int, int]] = field(default_factory=dict)


def company(key: int) -> str:
    """The record of a company: the even ones are the crm's."""
    return f"{SYSTEMS[key % 2]}:company:{key}"


def tables_of(state: State, at: datetime) -> dict[str, dict[str, Rows]]:
    """Folder to table to rows."""
    members: dict[str, list[int]] = {}
    for key in sorted(state.names):
        members.setdefault(f"org_{state.entities.get(key, key)}", []).append(key)
    of = {key: entity for entity, keys in members.items() for key in keys}
    landed: dict[str, dict[str, Rows]] = {
        f"landing/{system}/company": {
            "row": [(str(k), n, str(k), f"{hash(n) & 255:02x}") for k, n in state.names.items() if k % 2 == place]
        }
        for place, system in enumerate(SYSTEMS)
    }
    odd = [key for key in state.names if state.names[key].startswith("b")]
    owing = {owner for owner, _ in state.invoices.values()}
    return landed | {
        "landing/erp/invoice": {
            "row": [(str(k), f"{o}/{amount}", str(k), f"{amount:02x}") for k, (o, amount) in state.invoices.items()]
        },
        "stages/records/organisation": {
            "record": [
                (company(k), SYSTEMS[k % 2], "company", str(k), "h", [], ["name"], n, f"GB {len(n)}")
                for k, n in state.names.items()
            ],
            "quarantine": [
                (company(k), SYSTEMS[k % 2], "company", str(k), "organisation", "odd", state.names[k], "{}")
                for k in odd
                for _ in range(2)
            ],
            "note": [(company(k), SYSTEMS[k % 2], "company", "phone", state.names[k], "odd") for k in odd],
            "support": [],
        },
        "stages/records/invoice": {
            "record": [
                (f"erp:invoice:{k}", "erp", "invoice", str(k), "h", company(o) if o in of else None, amount)
                for k, (o, amount) in state.invoices.items()
            ],
            "quarantine": [],
            "note": [],
            "support": [(f"erp:invoice:{k}", company(o)) for k, (o, _) in state.invoices.items() if o in of],
        },
        "stages/entities/organisation": {
            "crosswalk": [(company(k), e, "organisation", None, "model") for k, e in of.items()],
            "entity": [
                (e, "organisation", f"v{len(ks)}", state.names[ks[0]], "reconciled", [], ["crm"], "{}", len(ks), False)
                for e, ks in members.items()
            ],
            "golden": [(e, state.names[ks[0]], company(ks[0])) for e, ks in members.items()],
            "conflict": [
                (e, "organisation", "name", company(a), state.names[a], company(b), state.names[b])
                for e, ks in members.items()
                for a, b in pairwise(ks)
                if state.names[a] != state.names[b]
            ],
            "review_pair": [
                ("organisation", company(a), company(b), of[a], of[b], "possible")
                for a, b in pairwise(sorted(of, key=company))
                if of[a] != of[b]
            ],
            "contact_point": [(of[k], "email", n, company(k), "staff") for k, n in state.names.items()],
            "entity_event": [(e, "organisation", f"seen {len(ks)}", None, None, at) for e, ks in members.items()],
        },
        "stages/links/organisation": {
            "link": [
                ("organisation", *sorted((company(a), company(b))), float(a + b), "accepted", "{}")
                for ks in members.values()
                for a, b in pairwise(ks)
            ]
        },
        "stages/entities/relationship": {
            "relationship": [(of[k], of[o], "parent_of", company(k)) for k in of for o in of if o == k + 3]
        },
        "stages/records/alias": {
            "alias": [("organisation", SYSTEMS[k % 2], f"{SYSTEMS[k % 2]}:company:9{k}", company(k)) for k in odd]
        },
        "stages/records/rejected": {
            "quarantine": [
                ("crm:company:0", "crm", "company", "0", "", "odd", str(len(odd)), "{}"),
                *(
                    (company(k), SYSTEMS[k % 2], "company", str(k), "any", "refused", "", "{}")
                    for k in odd
                    if k in owing
                ),
            ]
        },
    }


@dataclass
class Folders:
    """Where the versions of a history stand; `written` is how many there are."""

    home: Path
    written: int = 0
    held: dict[str, tuple[Path, dict[str, Rows]]] = field(default_factory=dict)

    def write(self, state: State, previous: Path | None = None) -> CandidateInputs:
        """Write what differs from the version before, and return the inputs of a graph of this one."""
        self.written += 1
        at = READ_AT + timedelta(hours=self.written)
        with duckdb.connect(config={"threads": 1}) as con:
            for name, tables in tables_of(state, READ_AT).items():
                self._write(con, name, tables)
        path = {name: folder for name, (folder, _) in self.held.items()}
        landed = [
            LandedTable(system, table, path[f"landing/{system}/{table}"] / "row.parquet", name, len(rows["row"]), at)
            for full, (folder, rows) in self.held.items()
            if full.startswith("landing")
            for (system, table), name in [(full.split("/")[1:], folder.name)]
        ]
        return CandidateInputs(
            landed=landed,
            records={shape: path[f"stages/records/{shape}"] for shape in ("organisation", "invoice")},
            entities={"organisation": path["stages/entities/organisation"]},
            links={"organisation": path["stages/links/organisation"]},
            aliases=path["stages/records/alias"],
            relationships=path["stages/entities/relationship"],
            rejected=path["stages/records/rejected"],
            run_id=f"run-{self.written}",
            code_version="code-1",
            previous=previous,
            hashed={("crm", "company"): "printf('%02x', length(name))"},
        )

    def _write(self, con: duckdb.DuckDBPyConnection, name: str, tables: dict[str, Rows]) -> None:
        before = self.held.get(name)
        if before is not None and before[1] == tables:
            return
        folder = self.home / name / f"v{self.written}"
        folder.mkdir(parents=True)
        keys = {}
        layer = before is not None and may_layer(before[0])
        for table, rows in tables.items():
            if table == "entity_event":
                _table(con, "now", COLUMNS[table][0], rows)
                write(con, "FROM now", folder / "entity_event.parquet")
                continue
            declared, keys[table] = COLUMNS["fact" if name.endswith("invoice") and table == "record" else table]
            places = [[one.split()[0] for one in declared.split(", ")].index(key) for key in keys[table]]
            then = before[1][table] if before is not None else []
            gone = {
                tuple(row[place] for place in places) for row in (*then, *rows) if then.count(row) != rows.count(row)
            }
            _table(con, "gone", ", ".join(f"{key} VARCHAR" for key in keys[table]), sorted(gone))
            _table(con, "now", declared, rows)
            using = ", ".join(keys[table])
            changed = f"FROM now SEMI JOIN gone USING ({using})" if before is not None else "FROM now"
            put(
                con,
                folder,
                table,
                changed,
                "FROM gone" if before is not None else None,
                before[0] if before is not None else None,
                whole=not layer,
                keys=keys[table],
            )
        since = before[0].name if before is not None else None
        describe(folder, Layer(keys, since, self._height(before[0]) + 1 if before is not None and layer else 0))
        self.held[name] = (folder, tables)

    @staticmethod
    def _height(folder: Path) -> int:
        layer = read_layer(folder)
        return 0 if layer is None else layer.height


def _table(con: duckdb.DuckDBPyConnection, name: str, declared: str, rows: Rows) -> None:
    con.execute(f"CREATE OR REPLACE TABLE {name} ({declared})")
    if rows:
        con.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)

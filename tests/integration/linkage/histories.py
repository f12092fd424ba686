"""Random histories of records that provoke what linking after a change could get wrong.

Few names, towns, numbers and mailboxes, so that keys are shared by many: blocks grow and shrink across what their rules
allow, candidates of one system rival each other, and numbers and birth dates forbid links.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from insight import layers
from insight.linkage.read import open_memory
from insight.records.record_set import AliasSet, RecordSet
from insight.stage import version_of, writing
from orchestration.settings import Settings

Row = dict[str, Any]
_TEXT: Final = pa.string()
_LIST: Final = pa.list_(pa.string())
COLUMNS: Final[dict[str, dict[str, pa.DataType]]] = {
    "organisation": {
        **dict.fromkeys(("record_id", "system", "k_name", "k_domain", "email", "phone", "vat_number"), _TEXT),
        **dict.fromkeys(("k_company_number", "k_postcode", "k_postcode_area", "k_street_number"), _TEXT),
        **dict.fromkeys(("k_address", "k_city"), _TEXT),
        **dict.fromkeys(("k_names", "weak_fields", "identifiers"), _LIST),
    },
    "person": {
        **dict.fromkeys(("record_id", "system", "k_given", "k_family", "email", "k_email_local"), _TEXT),
        **dict.fromkeys(("k_email_domain", "phone", "k_city", "k_postcode", "organisation_record"), _TEXT),
        **dict.fromkeys(("weak_fields", "identifiers"), _LIST),
        "birth_date": pa.date32(),
    },
}
"""The columns that rows have, as `insight/records` writes them."""

_SYSTEMS: Final = ("crm", "erp", "support")
_NAMES: Final = (
    *("fernley coatings", "fernley coating", "fernley coatings holdings", "fernley", "coatings fernley"),
    *("harrow mill 12", "harrow mill 14", "harrow mill", "harow mill", "mill logistics north", "mill logistics"),
    *("okafor ireland", "okafor scotland", "okafor"),
)
_GIVEN: Final = ("jane", "john", "jon", "robert", "bob", "j", "janet", "mary ann")
_FAMILY: Final = ("abernathy", "abernethy", "smith", "smyth", "okafor", "li")
_PLACES: Final = (("leeds", "LS1 4AP", "LS1"), ("york", "YO1 7HH", "YO1"), ("hull", "HU1 1AA", "HU1"))
_DOMAINS: Final = ("fernley.co.uk", "harrow.com", "okafor.ie")
_PHONES: Final = tuple(f"+4411349600{number:02}" for number in range(12))
_FIRMS: Final = tuple(f"crm:company:{number}" for number in range(6))


def any_row(record_type: str, record_id: str, draw: random.Random) -> Row:
    """A row of a type, each field of which may be missing."""
    made = _firm(draw) if record_type == "organisation" else _person(draw)
    weak = [name for name in ("name", "email", "phone") if draw.random() < 0.1]
    return {"record_id": record_id, "system": record_id.split(":", maxsplit=1)[0], "weak_fields": weak, **made}


def _maybe(draw: random.Random, values: Sequence[Any], share: float = 0.6) -> Any:
    return draw.choice(values) if draw.random() < share else None


def _firm(draw: random.Random) -> Row:
    name = draw.choice(_NAMES)
    city, postcode, area = _maybe(draw, _PLACES) or (None, None, None)
    return {
        "k_name": name,
        "k_names": [name, *filter(None, [_maybe(draw, _NAMES, 0.1)])],
        "k_domain": _maybe(draw, _DOMAINS, 0.4),
        "email": _maybe(draw, [f"info@{domain}" for domain in _DOMAINS], 0.2),
        "phone": _maybe(draw, _PHONES, 0.4),
        "vat_number": _maybe(draw, ["GB100190874", "GB980780684", "GB123456782"], 0.2),
        "k_company_number": _maybe(draw, ["gb:01234567", "gb:07654321", "gb:11111111"], 0.25),
        "identifiers": _maybe(draw, [["gate:7"], ["gate:8"]], 0.1),
        "k_postcode": postcode,
        "k_postcode_area": area,
        "k_city": city,
        "k_street_number": _maybe(draw, ["12", "14"]) if city else None,
        "k_address": _maybe(draw, ["12 mill street", "14 mill street"]) if city else None,
    }


def _person(draw: random.Random) -> Row:
    given, family, domain = draw.choice(_GIVEN), draw.choice(_FAMILY), draw.choice(_DOMAINS)
    local = draw.choice([f"{given}.{family}".replace(" ", ""), f"{given[0]}{family}", "info"])
    mailbox = {"email": f"{local}@{domain}", "k_email_local": local, "k_email_domain": domain}
    city, postcode, _ = _maybe(draw, _PLACES, 0.3) or (None, None, None)
    return {
        "k_given": given,
        "k_family": family if draw.random() < 0.9 else None,
        **(mailbox if draw.random() < 0.6 else {}),
        "phone": _maybe(draw, _PHONES, 0.4),
        "birth_date": _maybe(draw, [date(1970, 3, 1), date(1970, 1, 3), date(1994, 11, 22)], 0.3),
        "identifiers": _maybe(draw, [["passport:7"], ["passport:8"]], 0.1),
        "organisation_record": _maybe(draw, _FIRMS, 0.5),
        "k_city": city,
        "k_postcode": postcode,
    }


class History:
    """Records, a source's merges, judgements and employers of one type, which change step by step."""

    def __init__(self, record_type: str, home: Path, seed: int, records: int) -> None:
        self.record_type = record_type
        self.settings = Settings(home=home / "layers")
        self.elsewhere = Settings(home=home / "whole")
        self._draw = random.Random(seed)  # noqa: S311  no secret
        self._made = 0
        self._rows: dict[str, Row] = {}
        self._aliases: set[tuple[str, str]] = set()
        self._judged: dict[tuple[str, str], str] = {}
        self._employers = {firm: f"org_{place % 4}" for place, firm in enumerate(_FIRMS)}
        for _ in range(records):
            self._insert()
        self._folder: dict[str, Path] = {}
        self._kept: dict[str, dict[Any, Row]] = {}

    def step(self, changes: int) -> None:
        """Change a few things."""
        for _ in range(changes):
            kind = self._draw.random()
            if kind < 0.25:
                self._insert()
            elif kind < 0.6:
                self._edit()
            elif kind < 0.8:
                del self._rows[self._any()]
            elif kind < 0.9:
                self._judge()
            elif kind < 0.95:
                self._merge()
            else:
                self._employers[self._draw.choice(_FIRMS)] = f"org_{self._draw.randrange(4)}"

    def grow(self, records: int, **stated: object) -> None:
        """Add records that all state something."""
        for _ in range(records):
            self._insert(**stated)

    def records(self) -> RecordSet:
        """The records as they are, a layer on what they were."""
        folder = self._write("record", self._rows, COLUMNS[self.record_type], ("record_id",))
        return RecordSet(self.record_type, folder.name, folder)

    def aliases(self) -> AliasSet:
        """The merges as they are."""
        rows = {
            pair: {"record_type": self.record_type, "from_record": pair[0], "to_record": pair[1]}
            for pair in self._aliases
        }
        kinds = dict.fromkeys(("record_type", "from_record", "to_record"), _TEXT)
        folder = self._write("alias", rows, kinds, ("from_record", "to_record"))
        return AliasSet(folder.name, folder)

    def judgements(self) -> Path:
        """What people said, as it is."""
        rows = {
            pair: {"entity_type": self.record_type, "record_a": pair[0], "record_b": pair[1], "verdict": verdict}
            for pair, verdict in self._judged.items()
        }
        kinds = dict.fromkeys(("entity_type", "record_a", "record_b", "verdict"), _TEXT)
        return self._write("judgements", rows, kinds, ("record_a", "record_b")) / "judgements.parquet"

    def employer(self) -> Path | None:
        """The organisations' crosswalk as it is, for people."""
        if self.record_type != "person":
            return None
        rows = {firm: {"record_id": firm, "entity_id": entity} for firm, entity in self._employers.items()}
        kinds = dict.fromkeys(("record_id", "entity_id"), _TEXT)
        return self._write("crosswalk", rows, kinds, ("record_id",)) / "crosswalk.parquet"

    def _insert(self, **stated: object) -> None:
        record_id = f"{self._draw.choice(_SYSTEMS)}:{self.record_type}:{self._made}"
        self._made += 1
        self._rows[record_id] = any_row(self.record_type, record_id, self._draw) | stated

    def _any(self) -> str:
        return self._draw.choice(sorted(self._rows))

    def _edit(self) -> None:
        record_id = self._any()
        fresh = any_row(self.record_type, record_id, self._draw)
        if self._draw.random() < 0.5:
            field = self._draw.choice([name for name in fresh if name not in {"record_id", "system"}])
            fresh = self._rows[record_id] | {field: fresh[field]}
        self._rows[record_id] = fresh

    def _judge(self) -> None:
        if self._judged and self._draw.random() < 0.3:
            del self._judged[self._draw.choice(sorted(self._judged))]
            return
        one, other = self._any(), self._any()
        if one != other:
            self._judged[one, other] = self._draw.choice(("same", "different"))
            self._judged.pop((other, one), None)

    def _merge(self) -> None:
        if self._aliases and self._draw.random() < 0.4:
            self._aliases.discard(self._draw.choice(sorted(self._aliases)))
            return
        one, other = self._any(), self._any()
        if one != other:
            self._aliases.add((one, other))

    def _write(
        self, table: str, rows: Mapping[Any, Row], kinds: Mapping[str, pa.DataType], keys: tuple[str, ...]
    ) -> Path:
        """The rows as a version, with what differs from the version before."""
        before, kept = self._folder.get(table), self._kept.get(table, {})
        folder = self.settings.home / "tables" / table / version_of(repr(sorted(rows.items(), key=repr)))
        if not folder.exists():
            whole = not layers.may_layer(before)
            changed = [row for key, row in rows.items() if before is None or kept.get(key) != row]
            gone = [row for key, row in kept.items() if rows.get(key) != row]
            with open_memory() as con, writing(folder) as draft:
                _register(con, "changed", changed, kinds)
                _register(con, "gone", gone, kinds)
                moved = None if before is None else f"SELECT {', '.join(keys)} FROM gone"
                layers.put(con, draft, table, "FROM changed", moved, before, whole=whole, keys=keys)
                below = None if before is None else layers.read_layer(before)
                height = 0 if whole or below is None else below.height + 1
                since = None if before is None else before.name
                layers.describe(draft, layers.Layer({table: keys}, since, height))
        self._folder[table], self._kept[table] = folder, dict(rows)
        return folder


def _register(con: duckdb.DuckDBPyConnection, name: str, rows: Sequence[Row], kinds: Mapping[str, pa.DataType]) -> None:
    con.register(name, pa.table({key: pa.array([row.get(key) for row in rows], kind) for key, kind in kinds.items()}))

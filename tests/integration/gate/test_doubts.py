"""The law of open review pairs: one that the gate leaves aside changes nothing that an action reads, however decided.

Small random graphs are made by the product's own entities, decided either way, made again, and read by the gate.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import combinations, count
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, event, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from insight.entities import build as entity_stage
from insight.entities.build import EntitySet
from insight.linkage.link import LinkSet
from insight.records.record_set import AliasSet, RecordSet
from orchestration.action_types import ActionType
from orchestration.contracts import ActionId, EntityId, SnapshotId
from orchestration.gate.doubts import matters
from orchestration.gate.known import Ask, StoreFacts
from orchestration.gate.load import References, load_graph
from orchestration.gate.readset import read_set
from orchestration.gate.resolve import Case, resolve
from orchestration.gate.standing import standing
from orchestration.graph.ddl import create_schema
from orchestration.graph.reader import EntityGraph
from orchestration.settings import Settings
from tests.effort import EFFORT
from tests.integration.gate.world import SOURCE_ROWS

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
SYSTEMS: Final = ("crm", "erp", "support")
STATED: Final = ("name", "vat_number", "payment_terms", "city", "postcode")
_NUMBERS = count()


@dataclass(frozen=True)
class Link:
    """A link between two records, by their places."""

    a: int
    b: int
    kind: str  # tier | model | public | possible | weakly possible | vetoed, or what a person said: same | different
    weight: float


@dataclass(frozen=True)
class Small:
    """A few organisations' records and the links between them."""

    records: tuple[dict[str, Any], ...]
    links: tuple[Link, ...]
    rarely_twice: frozenset[str]

    @property
    def ids(self) -> list[str]:
        return [f"{one['system']}:company:{place}" for place, one in enumerate(self.records)]

    def judged(self, record_a: str, record_b: str, verdict: str) -> Small:
        """The same once linkage has heard what a person says of a pair that it compared."""
        ends = {record_a, record_b}
        links = (
            replace(link, kind=verdict) if {self.ids[link.a], self.ids[link.b]} == ends else link for link in self.links
        )
        return replace(self, links=tuple(links))


def mostly(usual: Any, *others: Any, times: int = 6) -> st.SearchStrategy[Any]:
    """A value that is nearly always the usual one: that many times for each one time of any other."""
    return st.sampled_from([usual] * times + list(others))


RECORDS: Final = st.fixed_dictionaries(
    {
        "system": st.sampled_from(SYSTEMS),
        **{name: mostly("one", "two", None, times=8) for name in STATED if name != "name"},
        "name": mostly("one", "two", times=8),
        "opted_out": st.sampled_from([False] * 30 + [True, None]),
        "weak": mostly([], ["name"], ["vat_number"], times=12),
        "verified": mostly([], ["name"], ["vat_number"], times=12),
        "day": st.integers(1, 3),
    }
)
KINDS: Final = ("tier", "model", "public", "possible", "weakly possible", "vetoed")


@st.composite
def smalls(draw: st.DrawFn) -> Small:
    """An entity of a few records, one or two that it may be one with, and now and then any link between any two."""
    core, others = draw(st.integers(2, 3)), draw(st.integers(1, 2))
    records = tuple(draw(RECORDS) for _ in range(core + others))
    links = {(place, place + 1): draw(mostly("tier", "model")) for place in range(core - 1)}
    for other in range(core, core + others):
        links[draw(st.integers(0, core - 1)), other] = "possible"
    for pair in combinations(range(core + others), 2):
        if pair not in links and (kind := draw(mostly(None, *KINDS, times=30))):
            links[pair] = kind
    last = {"system": "support", **dict.fromkeys(STATED), "name": "three", "opted_out": False}
    records = (*records, last | {"weak": [], "verified": [], "day": 1})  # so that every graph has all systems
    made = tuple(Link(a, b, kind, 5 + (7 * a + 3 * b) % 5 + (a + b) / 100) for (a, b), kind in sorted(links.items()))
    return Small(records, made, draw(st.sampled_from([frozenset(), frozenset({"erp"})])))


@st.composite
def actions(draw: st.DrawFn) -> ActionType:
    linked = draw(st.lists(st.sampled_from(SYSTEMS), min_size=1, max_size=2, unique=True))
    rest = [system for system in SYSTEMS if system not in linked]
    searched = draw(st.lists(st.sampled_from(rest), min_size=2 - len(linked) or 0, max_size=len(rest), unique=True))
    return action(linked, searched, draw(st.lists(st.sampled_from(STATED), max_size=2, unique=True)))


def action(linked: Sequence[str], searched: Sequence[str], reads: Sequence[str]) -> ActionType:
    """An action that takes one organisation."""
    parameter = {"kind": "entity", "type": "organisation", "linked": linked, "searched": searched, "reads": reads}
    return ActionType.model_validate(
        {
            "name": "act",
            "description": "Act.",
            "class": "external",
            "parameters": {"organisation": parameter},
            "max_age": dict.fromkeys(SYSTEMS, "26h"),
            "tool": {"server": "erp", "name": "act", "arguments": {}},
            "effect_key": "act:{organisation}",
            "compensation": "Undo.",
        }
    )


SAID: Final[dict[str, Any]] = {**dict.fromkeys(STATED, "one"), "opted_out": False, "weak": [], "verified": [], "day": 1}
THIRD_BESIDE_AN_AMBIGUOUS_LINK: Final = Small(
    tuple({**SAID, "system": system} for system in ("crm", "crm", "erp", "crm", "support")),
    (Link(0, 1, "tier", 8.01), Link(0, 2, "vetoed", 6.02), Link(1, 2, "tier", 8.03), Link(1, 3, "possible", 6.04)),
    frozenset(),
)
"""A record that two others want, which a veto keeps apart, and a third that may be one with it."""
TWO_THAT_A_VETO_PARTS: Final = Small(
    tuple({**SAID, "system": system} for system in ("crm", "erp", "crm", "crm", "support")),
    (Link(0, 1, "tier", 8.01), Link(0, 2, "possible", 6.02), Link(0, 3, "possible", 9.03), Link(2, 3, "vetoed", 8.03)),
    frozenset(),
)
"""An entity that may be one with either of two, and with both only against a veto."""
TWO_BESIDE_A_LINK_OF_THE_MODEL: Final = Small(
    tuple({**SAID, "system": system} for system in ("crm", "erp", "support", "support", "support")),
    (Link(0, 1, "model", 8.01), Link(0, 2, "possible", 6.02), Link(0, 3, "possible", 9.03)),
    frozenset(),
)
"""Two records that the model holds together, and two elsewhere that may be one with them."""
SEVERAL_BETWEEN_TWO: Final = Small(
    tuple({**SAID, "system": system} for system in ("crm", "erp", "crm", "support")),
    (Link(0, 1, "tier", 8.01), Link(0, 2, "possible", 7.04), Link(1, 2, "possible", 6.06)),
    frozenset(),
)
"""Two pairs that may make the same two entities one."""


@pytest.mark.law
@given(small=smalls(), action_type=actions())
@example(small=SEVERAL_BETWEEN_TWO, action_type=action(["crm"], ["erp"], []))
@example(small=THIRD_BESIDE_AN_AMBIGUOUS_LINK, action_type=action(["crm"], ["erp"], []))
@example(small=TWO_THAT_A_VETO_PARTS, action_type=action(["crm"], ["erp"], []))
@example(small=TWO_BESIDE_A_LINK_OF_THE_MODEL, action_type=action(["crm"], ["erp"], []))
@examples(max_examples=15 * EFFORT, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_doubt_that_is_left_aside_changes_nothing_that_is_read_however_it_is_decided(
    tmp_path_factory: pytest.TempPathFactory, small: Small, action_type: ActionType
) -> None:
    home = tmp_path_factory.mktemp("small")
    left_aside = decided(home, small, action_type)
    event(f"doubts left aside: {min(left_aside, 3)}")


def test_a_second_record_in_a_system_that_is_linked_already_is_left_aside(tmp_path: Path) -> None:
    whole = {"vat_number": "one", "payment_terms": None, "city": None, "postcode": None, "opted_out": False}
    said: dict[str, Any] = {"name": "one", "weak": [], "verified": [], "day": 1, **whole}
    twice = [{**said, "system": "crm"}, {**said, "system": "erp"}, {**said, "system": "erp", "payment_terms": "two"}]
    records = (*twice, {**said, "system": "support", "name": "two"})
    small = Small(records, (Link(0, 1, "tier", 20.0), Link(1, 2, "possible", 3.0)), frozenset())
    assert decided(tmp_path / "aside", small, action(["crm", "erp"], ["support"], ["name", "vat_number"])) == 1
    assert decided(tmp_path / "read", small, action(["crm", "erp"], ["support"], ["payment_terms"])) == 0
    elsewhere = Small((*twice[:2], {**twice[2], "system": "support"}), small.links, frozenset())
    assert decided(tmp_path / "linked", elsewhere, action(["crm", "erp"], ["support"], ["name"])) == 0
    assert decided(tmp_path / "unnamed", elsewhere, action(["crm", "erp"], [], ["name"])) == 1


def decided(home: Path, small: Small, action_type: ActionType) -> int:
    """Decide every doubt that is left aside, either way, and compare what is read; how many there were."""
    settings, number = Settings(home=home), 0
    first = entities(settings, small)
    with closing(graph_of(home, small, first)) as graph:
        owners = [row["entity_id"] for row in graph.rows("SELECT entity_id FROM entity ORDER BY 1")]
        before = {owner: case_of(graph, action_type, owner) for owner in owners}
        pairs = graph.rows("SELECT * FROM review_pair")
    for owner, case in before.items():
        for pair in pairs:
            if owner not in {pair["entity_a"], pair["entity_b"]} or not aside(case, owner, pair):
                continue
            number += 1
            for verdict in ("same", "different"):
                said = (pair["record_a"], pair["record_b"], verdict)
                heard = small.judged(*said)
                then = entities(settings, heard, first.table("crosswalk"), said)
                with closing(graph_of(home, heard, then)) as graph:
                    now = case_of(graph, action_type, owner)
                assert read_set(now) == read_set(case), (pair, verdict)
    return number


def aside(case: Case, owner: str, pair: dict[str, Any]) -> bool:
    """Whether every doubt between an entity and the other one of a pair is left aside."""
    entity, parameter = case.graph.entities[owner], case.action_type.entities["organisation"]
    other = pair["entity_b"] if pair["entity_a"] == owner else pair["entity_a"]
    between = [doubt for doubt in case.graph.doubts[owner] if doubt.other == other]
    assert between
    return not any(matters(doubt, entity, parameter, (), reads_people=False) for doubt in between)


def case_of(graph: EntityGraph, action_type: ActionType, owner: str) -> Case:
    """What the gate makes of an action on an entity."""
    ask = Ask(
        action=ActionId("act_1"),
        batch_id="b",
        agent="a",
        action_type="act",
        arguments={"organisation": owner},
        woken_entity=EntityId(owner),
        trigger_values={},
        business_date=date(2026, 11, 2),
    )
    facts = load_graph(graph, References.of([ask], {"act": action_type}))
    found = resolve(ask, action_type, facts)
    store = StoreFacts(snapshot_id=SnapshotId("snap_1"))
    failing = standing(action_type, found, facts, store, business_date=ask.business_date, now=NOW)
    return Case(ask, action_type, found, facts, (*found.objections, *failing))


def entities(
    settings: Settings, small: Small, previous: Path | None = None, said: tuple[str, str, str] | None = None
) -> EntitySet:
    """The entities of a small graph, with a judgement where there is one."""
    folder = settings.home / f"made_{next(_NUMBERS)}"
    folder.mkdir(parents=True)
    write(folder / "record.parquet", record_rows(small), RECORD)
    write(folder / "alias.parquet", [], ALIAS)
    write(folder / "link.parquet", link_rows(small), LINK)
    write(folder / "footing.parquet", footing_rows(small), FOOTING)
    judged = None
    if said is not None:
        judged = folder / "said.parquet"
        row = dict(zip(("record_a", "record_b", "verdict"), said, strict=True))
        write(judged, [row | {"entity_type": "organisation", "judgement_id": "judgement_000001"}], SAID_OF_PAIRS)
    version = folder.name
    return entity_stage.build(
        RecordSet("organisation", version, folder),
        AliasSet(version, folder),
        LinkSet("organisation", version, folder, "model", margin=1.0, accept=5.0),
        previous,
        settings,
        judgements=judged,
        rarely_twice=small.rarely_twice,
        now=NOW,
    )


def graph_of(home: Path, small: Small, made: EntitySet) -> EntityGraph:
    """A published graph with those entities."""
    path, empty, links = home / f"graph_{next(_NUMBERS)}.duckdb", home / "empty.duckdb", home / "link.parquet"
    if not empty.exists():
        make_empty(empty)
    shutil.copyfile(empty, path)
    write(links, link_rows(small), LINK)
    with duckdb.connect(path) as con:
        for table in ("entity", "crosswalk", "conflict", "review_pair", "contact_point"):
            fill(con, table, made.table(table))
        fill(con, "organisation", made.table("golden"))
        fill(con, "link", links)
    return EntityGraph(path)


def make_empty(path: Path) -> None:
    """Makes a graph of nothing."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{path}' AS graph (STORAGE_VERSION 'v1.0.0')")
        con.execute("USE graph")
        create_schema(con)
        con.execute(SOURCE_ROWS)
        con.execute("INSERT INTO snapshot VALUES ('snap_1', now(), 'run', 'code', '{}', NULL, 'in', '{}')")


def fill(con: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    """Fill a table with the columns that a file has of it."""
    there = {row[0] for row in con.execute(f"DESCRIBE FROM read_parquet('{path}')").fetchall()}
    shared = ", ".join(row[0] for row in con.execute(f"DESCRIBE {table}").fetchall() if row[0] in there)
    con.execute(f"INSERT INTO {table} ({shared}) SELECT {shared} FROM read_parquet('{path}')")


RECORD: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("record_id", "system", "source_table", "source_key", "row_hash", *STATED)),
        ("weak_fields", pa.list_(pa.string())),
        ("verified_fields", pa.list_(pa.string())),
        ("opted_out", pa.bool_()),
        ("updated_at", pa.timestamp("us", tz="UTC")),
    ]
)
ALIAS: Final = pa.schema([(name, pa.string()) for name in ("record_type", "from_record", "to_record")])
LINK: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("entity_type", "record_a", "record_b", "tier", "veto", "status")),
        ("comparisons", pa.string()),
        ("match_weight", pa.float64()),
        ("match_probability", pa.float64()),
    ]
)
FOOTING: Final = pa.schema(
    [("record_a", pa.string()), ("record_b", pa.string()), ("strength", pa.int32()), ("firm", pa.bool_())]
)
SAID_OF_PAIRS: Final = pa.schema(
    [(name, pa.string()) for name in ("entity_type", "record_a", "record_b", "verdict", "judgement_id")]
)
_STRENGTH: Final = {"same": 0, "tier": 1, "model": 2, "public": 3}
_TIER: Final = {"same": "judgement", "tier": "vat_number"}
_VETO: Final = {"different": "judgement", "vetoed": "rule"}


def record_rows(small: Small) -> list[dict[str, Any]]:
    return [
        {name: one[name] for name in (*STATED, "opted_out", "system")}
        | {"record_id": record_id, "source_table": "company", "source_key": str(place), "row_hash": str(place)}
        | {"weak_fields": one["weak"], "verified_fields": [each for each in one["verified"] if each not in one["weak"]]}
        | {"updated_at": NOW.replace(day=one["day"])}
        for place, (record_id, one) in enumerate(zip(small.ids, small.records, strict=True))
    ]


def placed(small: Small) -> Iterator[tuple[Link, dict[str, Any]]]:
    for link in small.links:
        one, other = sorted((small.ids[link.a], small.ids[link.b]))
        yield link, {"record_a": one, "record_b": other}


def link_rows(small: Small) -> list[dict[str, Any]]:
    return [
        pair
        | {"entity_type": "organisation", "comparisons": "{}", "match_probability": 0.9, "match_weight": link.weight}
        | {"tier": _TIER.get(link.kind), "veto": _VETO.get(link.kind), "status": status(link.kind)}
        for link, pair in placed(small)
    ]


def status(kind: str) -> str:
    if kind in _STRENGTH:
        return "accepted"
    return "vetoed" if kind in _VETO else "possible"


def footing_rows(small: Small) -> list[dict[str, Any]]:
    return [
        pair | {"strength": _STRENGTH.get(link.kind), "firm": link.kind not in {"weakly possible", "public"}}
        for link, pair in placed(small)
    ]


def write(path: Path, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)

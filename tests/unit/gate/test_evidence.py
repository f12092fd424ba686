"""Evidence is written down as JSON in parts, and reads as what the graph says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orchestration.canonical import canonical, plain
from orchestration.contracts import RecordId
from orchestration.gate.evidence import evidence
from orchestration.gate.resolve import Case
from orchestration.graph.rows import SourceRow, SourceText
from tests.unit.gate.case import ACME, ADA, INVOICE, RECORDS, Scene

NAMES = ("Acme Ltd", "", "\ud800", "\x00 \u2028", '"]}', "\U0001f600", "x" * 9000)


def case_of(scene: Scene) -> Case:
    case = scene.decide().case
    assert case is not None
    return case


def expected(case: Case) -> dict[str, Any]:
    graph, ids = case.graph, sorted({ACME, ADA})
    completed = {INVOICE: ["erp:line:1"], "crm:company:1": ["erp:line:1"]}
    rows = {*RECORDS[ACME], *RECORDS[ADA], INVOICE, *(["erp:line:1"] if graph.support else [])}
    return {
        "entities": {
            "entities": [graph.entities[one] for one in ids],
            "golden": {
                one: {
                    name: {"value": each.value, "record": each.record_id} for name, each in graph.goldens[one].items()
                }
                for one in ids
            },
            "crosswalk": [record for one in ids for record in graph.records[one]],
            "contact_points": list(case.found.contacts["mailbox"]),
            "facts": [case.found.facts["invoice"]],
        },
        "source_rows": [
            {
                **{
                    name: getattr(graph.source_rows[one], name)
                    for name in ("record_id", "system", "source_table", "source_key", "row_hash", "row")
                },
                "supports": sorted(record for record, by in completed.items() if graph.support and one in by),
            }
            for one in sorted(rows)
        ],
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("completed", [False, True])
def test_it_reads_as_what_the_graph_says(name: str, completed: bool) -> None:  # noqa: FBT001
    scene = Scene().entity(ACME, name=name)
    found = {one: row for one, row in scene.graph.source_rows.items() if isinstance(row, SourceRow)}
    rows = {one: replace(row, row={"name": name, "none": None}) for one, row in found.items()}
    if completed:
        line = replace(rows[INVOICE], record_id=RecordId("erp:line:1"))
        support = {RecordId(one): (RecordId("erp:line:1"),) for one in (INVOICE, "crm:company:1")}
        scene = scene.knowing(support=support)
        rows |= {line.record_id: line}
    case = case_of(scene.knowing(source_rows=rows))
    for _ in range(2):  # the second time of what was written down before
        kept = {column: json.loads(text) for column, text in evidence(case).items()}
        assert kept == json.loads(json.dumps(plain(expected(case))))


def test_a_row_that_drives_two_records_is_kept_once() -> None:
    scene = Scene()
    one = scene.graph.source_rows["crm:contact:1"]
    twice = (
        *scene.graph.records[ADA],
        replace(scene.graph.records[ADA][0], record_id=RecordId("crm:contact:1#person")),
    )
    scene = scene.knowing(
        source_rows={**scene.graph.source_rows, "crm:contact:1#person": one},
        records={**scene.graph.records, ADA: twice},
    )
    kept = json.loads(evidence(case_of(scene))["source_rows"])
    assert [each["record_id"] for each in kept] == sorted({*RECORDS[ACME], *RECORDS[ADA], INVOICE})


def test_what_is_known_otherwise_is_written_anew() -> None:
    first, other = case_of(Scene()), case_of(Scene().entity(ACME, name="Another Ltd"))
    assert evidence(first)["entities"] != evidence(other)["entities"]
    assert canonical(json.loads(evidence(first)["entities"])) == canonical(expected(first)["entities"])


@pytest.mark.parametrize("name", [name for name in NAMES if name.isprintable() or name == "\u2028"])
def test_a_row_that_is_text_is_kept_as_one_that_was_read(name: str) -> None:
    scene = Scene()
    found = {one: row for one, row in scene.graph.source_rows.items() if isinstance(row, SourceRow)}
    rows = {one: replace(row, row={"name": name, "none": None}) for one, row in found.items()}
    columns = SourceText._fields[:-1]
    texts = {
        one: SourceText._make([*(getattr(row, each) for each in columns), orjson.Fragment(orjson.dumps(row.row))])
        for one, row in rows.items()
    }
    read, handed_on = (evidence(case_of(scene.knowing(source_rows=each))) for each in (rows, texts))
    assert read == handed_on

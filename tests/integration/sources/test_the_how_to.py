"""The source that docs/how-to/add-a-source.md adds does what the page says."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from insight.landing import land
from insight.records import every, support
from insight.records.account import account
from insight.records.rejected import COMPLETES
from insight.records.stated import ROW
from insight.sources.loading import load_sources
from insight.sources.source import EXTRAS, Expectations, Source, TableSpec
from orchestration.graph.model import SHAPES, Shape
from orchestration.settings import PROJECT
from tests.documented import blocks
from tests.integration.sources.folders import rows, settings

PAGE = "docs/how-to/add-a-source.md"
TEXT = (PROJECT / PAGE).read_text()


def on_page(language: str) -> list[str]:
    return [block.text for block in blocks(language) if block.where.startswith(PAGE)]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "export").mkdir(parents=True)
    for name, text in zip(("customers.csv", "orders.csv"), on_page("csv"), strict=True):
        (folder / "export" / name).write_text(text)
    for name, text in zip(("organisation", "person", "sales_order", "reject"), on_page("duckdb"), strict=True):
        (folder / f"{name}.sql").write_text(text)
    declared, *_ = on_page("yaml")
    (folder / "source.yml").write_text(declared)
    return tmp_path


def test_the_source_of_the_page_yields_the_records_that_it_says(shop: Path) -> None:
    (source,) = load_sources(shop)
    landed = land(source, settings(shop / "home"))
    records = every.build([source], landed, settings(shop / "home"))
    found = {name: {row["record_id"]: row for row in rows(one.record)} for name, one in records.shapes.items()}
    assert set(found["organisation"]) == {"shop:customer:1"}
    assert set(found["person"]) == {"shop:customer:1#person", "shop:customer:2"}
    assert found["person"]["shop:customer:1#person"]["organisation_record"] == "shop:customer:1"
    first, second = found["sales_order"]["shop:order:A-1"], found["sales_order"]["shop:order:A-2"]
    assert (first["amount"], first["ordered_on"]) == (Decimal(1250), date(2026, 10, 1))
    assert (first["organisation_record"], first["person_record"]) == ("shop:customer:1", "shop:customer:1#person")
    assert (second["ordered_on"], second["person_record"]) == (None, "shop:customer:2")
    assert {(row["record_id"], row["supporting_record"]) for row in rows(records.shapes["sales_order"].support)} == {
        ("shop:order:A-1", "shop:customer:1"),
        ("shop:order:A-2", "shop:customer:2"),
    }
    refused = [(row["record_id"], row["reason"]) for path in records.quarantines for row in rows(path)]
    assert refused == [("shop:customer:4", "missing:name"), ("shop:order:A-3", "unfinished")]
    assert [one.deleted_count for one in landed] == [1, 0]
    assert [one.unaccounted for one in account(landed, records.shapes, records.rejected)] == [0, 0]


def test_the_page_names_every_field_of_a_declaration() -> None:
    described = set(re.findall(r"`([a-z_.*]+)`", TEXT))
    assert set(Source.model_fields) - {"expectations"} <= described
    assert {f"tables.*.{name}" for name in TableSpec.model_fields} <= described
    assert {f"expectations.{name}" for name in Expectations.model_fields} <= described


@pytest.mark.parametrize("shape", SHAPES.values(), ids=lambda shape: shape.name)
def test_the_page_names_every_field_of_a_shape(shape: Shape) -> None:
    (line,) = re.findall(rf"^\| `{shape.name}\.sql` \| (.+) \|$", TEXT, re.MULTILINE)
    told = [part.split(" ")[0] for part in re.sub(r" \([^)]*\)", "", line).split(", ")]
    assert [name.strip("*") for name in told] == list(shape.names)
    assert [name.strip("*") for name in told if name.startswith("**")] == [
        one.name for one in shape.fields if one.required
    ]


def test_the_page_names_every_other_sql() -> None:
    assert all(f"| `{name}.sql` |" in TEXT for name in EXTRAS)


def test_the_page_names_the_columns_that_say_what_completes_what() -> None:
    assert f"`{support.COLUMN}` (a list of `table:_key`)" in TEXT.split("## Reference: what each `.sql` returns")[1]
    assert f"| `supporting.sql` | {', '.join((*ROW, COMPLETES))}: " in TEXT

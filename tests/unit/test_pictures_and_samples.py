"""What a materialisation's page shows: pictures that say their numbers, and samples that show nobody."""

from __future__ import annotations

import base64
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from insight.pictures import bars, histogram, shares
from insight.samples import markdown_table, masked


def svg(markdown: str) -> ET.Element:
    encoded = markdown.partition("base64,")[2].removesuffix(")")
    return ET.fromstring(base64.b64decode(encoded))  # noqa: S314  our own picture


def widths(markdown: str) -> list[float]:
    return [float(bar.get("width", "0")) for bar in svg(markdown) if bar.tag.endswith("rect")]


def test_a_bar_is_as_long_as_its_share_of_the_longest() -> None:
    longest, half = widths(bars("records", {"crm": 200, "erp": 100}))
    assert longest == pytest.approx(2 * half)


def test_a_share_covers_its_part_of_the_whole() -> None:
    whole, part = widths(shares("standing", {"person": (1, 4)}))
    assert part == pytest.approx(whole / 4)


def test_a_column_is_as_tall_as_its_share_of_the_tallest() -> None:
    columns = [
        float(bar.get("height", "0")) for bar in svg(histogram("w", [(-1.0, 5), (0.0, 10)])) if bar.tag.endswith("rect")
    ]
    assert columns[1] == pytest.approx(2 * columns[0])


@pytest.mark.parametrize("markdown", [bars("none", {}), shares("none", {}), histogram("none", [])])
def test_nothing_to_show_is_still_a_picture(markdown: str) -> None:
    assert svg(markdown).tag.endswith("svg")
    assert markdown.startswith("![none: none](")


def test_a_name_in_a_picture_cannot_add_markup() -> None:
    assert "script" not in {element.tag for element in svg(bars("x", {"<script/>": 1})).iter()}


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("property_email", "jo.ann@example.org", "xx.xxx@xxxxxxx.xxx"),
        ("property_phone", "+44 20 7946 0018", "+00 00 0000 0000"),
        ("companyname", "Zoë & Sons", "xxx & xxxx"),
        ("birth_date", date(1970, 1, 2), "0000-00-00"),
        ("property_zip", "EC1A 1BB", "xx0x 0xx"),
        ("status", "open", "open"),
        ("amount", Decimal("12.50"), "12.50"),
        ("note", None, ""),
    ],
)
def test_a_sample_shows_the_form_of_personal_values_and_the_codes_themselves(
    column: str, value: object, shown: str
) -> None:
    assert masked(column, value) == shown


def test_a_column_nobody_thought_of_is_masked() -> None:
    assert masked("custbody_secret", "Ann") == "xxx"


def test_a_cell_cannot_break_the_table() -> None:
    assert markdown_table([{"status": "a|b"}], ["status"]).splitlines()[-1] == "| a\\|b |"

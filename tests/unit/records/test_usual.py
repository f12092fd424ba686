"""What is read a column at a time is what each value alone is read as; who reads it does not matter."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from insight.records import spread
from insight.records import usual as usual_names
from insight.records.columns import normalised, pair
from insight.records.fields import NORMALISERS, Locale
from insight.records.fields.people import folded, split_suffix
from insight.records.spread import worked
from insight.records.usual import USUAL, USUAL_THERE
from orchestration.graph.model import DUCKDB_TYPE, Field, Kind

PIECES = [
    *(
        "a",
        "B",
        "7",
        "0",
        "12.5",
        "-",
        "-3",
        ".",
        ",",
        ";",
        "'",
        '"',
        "&",
        "&amp;",
        " ",
        "  ",
        "\t",
        "@",
        "a@b.co",
        "+t",
        "\u00e9",
    ),
    *(
        "N/A",
        "null",
        "Null",
        "None",
        "nan",
        "tbc",
        "???",
        "Mr ",
        "Dr. ",
        "mailto:",
        "<",
        ">",
        "x.org",
        "\ufffd",
        "\u00a0",
        "\u201c",
    ),
    *("2024-03-31", "2024-02-29", "2025-02-30", "1799-01-01", "T", " ", "01:30:00", "25:00:00", "Z", "+01:00", ".123"),
    *("1,234.56", "(7)", "1e5", "00012", "9999999999999999", "GBP"),
]
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join), st.text(min_size=1, max_size=12)
)
LOCALES = [Locale(), Locale("GB", "Europe/London"), Locale("US", "America/New_York", "mdy")]


@pytest.mark.parametrize("kind", USUAL)
@given(texts=st.lists(TEXTS, min_size=1, max_size=20), locale=st.sampled_from(LOCALES))
def test_a_column_is_read_as_its_values_are(kind: Kind, texts: list[str], locale: Locale) -> None:
    field = Field("x", kind)
    assert field.duckdb_type == DUCKDB_TYPE.get(kind, "VARCHAR")
    values, problems = normalised(field, pa.array(texts, pa.string()), pa.nulls(len(texts), pa.string()), locale)
    assert list(zip(values.to_pylist(), problems.to_pylist(), strict=True)) == [
        tuple(NORMALISERS[kind](text, locale)) for text in texts
    ]


PHONES = st.tuples(
    st.sampled_from(["", "0", "+44", "+44 ", "+44 (0)", "(+44) ", "0044", "44", "+1", "+1 ", "1", "+33 ", "(0", "+"]),
    st.one_of(
        st.text("0123456789", min_size=8, max_size=11),
        st.text("0123456789", min_size=10, max_size=10),
        st.text("4", min_size=9, max_size=11),
        st.text("0123456789 ().-", min_size=8, max_size=16),
        st.from_regex(r"[2-9][0-9]{2}[ .-][0-9]{3}[ .-][0-9]{4}", fullmatch=True),
        st.from_regex(r"[1-9][0-9]{3}\)? [0-9]{6}", fullmatch=True),
    ),
    st.sampled_from(["", "", " ", " x12", "\x1f"]),
).map("".join)
POSTCODES = st.one_of(
    st.from_regex(r"[A-Za-z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}", fullmatch=True),
    st.from_regex(r"[0-9]{3,6}(-[0-9]{3,4})?", fullmatch=True),
    TEXTS,
)


@pytest.mark.parametrize(
    ("kind", "stated", "sure"), [("phone", PHONES, "+442079460958"), ("postcode", POSTCODES, "SW1A 1AA")]
)
def test_a_column_is_read_as_its_values_are_each_in_its_country(
    kind: Kind, stated: st.SearchStrategy[str], sure: str
) -> None:
    assert {"phone", "postcode"} == USUAL_THERE.keys()
    countries = st.sampled_from([None, "GB", "US", "FR", "CA"])
    usual = 0

    @given(rows=st.lists(st.tuples(stated, countries), min_size=1, max_size=40), locale=st.sampled_from(LOCALES))
    @example(rows=[(sure, "GB")], locale=Locale())
    def read(rows: list[tuple[str, str | None]], locale: Locale) -> None:
        nonlocal usual
        texts = pa.array([text for text, _ in rows], pa.string())
        theirs = pa.array([country for _, country in rows], pa.string())
        values, problems = normalised(Field("x", kind), texts, theirs, locale)
        for text, country, *found in zip(
            texts.to_pylist(), theirs.to_pylist(), values.to_pylist(), problems.to_pylist(), strict=True
        ):
            assert tuple(found) == tuple(NORMALISERS[kind](text, replace(locale, region=country or locale.region)))
        usual += len(USUAL_THERE[kind](pair(texts, theirs), locale).drop_null())

    read()
    assert usual > 0


NAMES = st.lists(
    st.sampled_from(
        ["Anna", "O'Neil", "Smith-Jones", "jr", "Junior", "MBE", "II", "3rd", "\u00e9", "-", "'", "7", ","]
    ),
    min_size=1,
    max_size=4,
)


@given(names=st.lists(st.tuples(NAMES, st.sampled_from([" ", "", ", "])).map(lambda it: it[1].join(it[0])), min_size=1))
def test_names_are_folded_as_each_alone(names: list[str]) -> None:
    texts = pa.array(names, pa.string())
    for name, whole in zip(names, usual_names.folded(texts).to_pylist(), strict=True):
        assert whole in {None, folded(name)}
    for name, bare in zip(names, usual_names.folded_without_suffix(texts).to_pylist(), strict=True):
        assert bare is None or (bare, None) == (folded(split_suffix(name)[0]), split_suffix(name)[1])


def test_plain_names_are_folded_at_once() -> None:
    texts = pa.array(["Anna", "Mary Ann O'Neil", "Smith-Jones", "Dyk jr"])
    assert usual_names.folded_without_suffix(texts).to_pylist() == ["anna", "mary ann oneil", "smith jones", None]


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe"])
def test_times_at_which_clocks_change_are_read_as_each_alone(zone: str) -> None:
    luck = random.Random(4)  # noqa: S311  luck, no secret
    start = datetime(1902, 1, 1, tzinfo=UTC)
    years = [start + timedelta(minutes=30 * luck.randrange(48 * 365 * 135)) for _ in range(4000)]
    hours = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * half) for half in range(48 * 366)]
    texts = [one.strftime("%Y-%m-%d %H:%M:%S") for one in [*years, *hours]]
    locale = Locale("GB", zone)
    read = USUAL["timestamp"](pa.array(texts), locale).to_pylist()
    assert sum(value is not None for value in read) > len(texts) / 2
    for text, value in zip(texts, read, strict=True):
        assert value is None or value == NORMALISERS["timestamp"](text, locale).value, text


def test_two_processes_read_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "MUCH", 10)
    monkeypatch.setattr(spread, "processors", lambda: 2)
    texts = pa.array([f"Ann {number}" if number % 7 else None for number in range(101)], pa.string())
    alone = worked(texts, [pa.string()], _folded, ())
    with spread.spread():
        together = worked(texts, [pa.string()], _folded, ())
        again = worked(texts.slice(3), [pa.string()], _folded, ())
    assert together == alone
    assert again == [alone[0].slice(3)]


def test_what_goes_wrong_in_the_other_process_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "MUCH", 2)
    monkeypatch.setattr(spread, "processors", lambda: 2)
    with spread.spread(), pytest.raises(ZeroDivisionError):
        worked(pa.array(["1", "1", "1", "0"]), [pa.string()], _divided, ())


def _folded(text: str) -> tuple[str | None]:
    return (folded(text),)


def _divided(text: str) -> tuple[str]:
    return (str(1 // int(text)),)

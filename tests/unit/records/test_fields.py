"""What a value of each kind becomes, and why it may not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from insight.records.fields import NORMALISERS, Locale, Normal
from orchestration.graph.model import Kind

BRITAIN = Locale("GB", "Europe/London", "dmy")
AMERICA = Locale("US", "America/Chicago", "mdy")


def read(kind: Kind, text: str, locale: Locale = BRITAIN) -> Any:
    return NORMALISERS[kind](text, locale).value


@pytest.mark.parametrize("kind", sorted(NORMALISERS))
@given(text=st.text(max_size=40))
def test_no_text_whatever_breaks_a_normaliser(kind: Kind, text: str) -> None:
    assert isinstance(NORMALISERS[kind](text, BRITAIN), Normal)
    assert isinstance(NORMALISERS[kind](text, AMERICA), Normal)


@pytest.mark.parametrize("kind", ["vat_number", "company_number", "phone", "email", "postcode", "country", "website"])
@given(text=st.text(alphabet="GB0123456789 +@.-/abcxyzSC", max_size=16))
@example(text="0000x1")
def test_what_is_normal_stays_as_it_is(kind: Kind, text: str) -> None:
    once = read(kind, text)
    if once is not None:
        assert read(kind, once) == once


@pytest.mark.parametrize("text", ["", "  ", "N/A", "tbc", "-", "not known", "NULL", "#N/A"])
@pytest.mark.parametrize("kind", ["text", "org_name", "email", "phone", "vat_number", "money", "date", "country"])
def test_what_says_nothing_is_no_value_and_no_problem(kind: Kind, text: str) -> None:
    assert NORMALISERS[kind](text, BRITAIN) == Normal(None, None)


def test_a_person_may_be_called_null() -> None:
    assert read("family_name", "Null") == "Null"
    assert read("given_name", "N/A") is None


def test_broken_encodings_are_mended() -> None:
    assert read("org_name", "MÃ¼ller &amp; SÃ¶hne") == "Müller & Söhne"
    assert read("org_name", "SmithÂ &amp;Â Sons") == "Smith & Sons"
    assert read("family_name", "Oâ€™Brien") == "O'Brien"
    assert NORMALISERS["text"]("caf\ufffd", BRITAIN).problem == "letters were lost"


class TestPhones:
    @pytest.mark.parametrize(
        "text",
        ["020 7946 0123", "+44 20 7946 0123", "+44 (0)20 7946 0123", "00442079460123", "(020) 7946 0123 ext 5"],
    )
    def test_each_way_to_write_a_number_is_the_same_number(self, text: str) -> None:
        assert read("phone", text) == "+442079460123"

    def test_a_number_is_of_the_country_of_its_row(self) -> None:
        assert read("phone", "702-919-1300", AMERICA) == "+17029191300"

    def test_a_local_number_without_its_area_code_stays_without_one(self) -> None:
        assert read("phone", "386-5286", AMERICA) == "3865286"

    def test_of_two_numbers_the_first_counts(self) -> None:
        assert read("phone", "020 7946 0123 / 07700 900123") == "+442079460123"

    @pytest.mark.parametrize("text", ["call me", "0", "00000000", "020 79", "77352211561150"])
    def test_what_is_no_number_is_a_problem(self, text: str) -> None:
        assert NORMALISERS["phone"](text, AMERICA).problem


class TestMailAndWeb:
    @pytest.mark.parametrize("text", ["A.B@X.co.uk", "mailto:a.b@x.co.uk", "Ann <a.b@x.co.uk>", "a.b@x.co.uk; c@d.com"])
    def test_an_address_is_found_in_what_is_around_it(self, text: str) -> None:
        assert read("email", text) == "a.b@x.co.uk"

    @pytest.mark.parametrize("text", ["a@b", "a b@c.com", "x@y..com", "nobody"])
    def test_what_is_no_address_is_a_problem(self, text: str) -> None:
        assert NORMALISERS["email"](text, BRITAIN) == Normal(None, "no e-mail address")

    def test_a_website_is_its_host(self) -> None:
        assert read("website", "https://www.Acme.co.uk/about?x=1") == "acme.co.uk"
        assert read("website", "acme.co.uk/") == "acme.co.uk"

    def test_a_page_on_a_host_that_many_share_keeps_its_path(self) -> None:
        assert read("website", "http://www.facebook.com/acme") == "facebook.com/acme"


class TestNumbers:
    @pytest.mark.parametrize("text", ["GB 980 7806 84", "980780684", "VAT GB980780684", "gb980780684"])
    def test_each_way_to_write_a_vat_number_is_the_same_number(self, text: str) -> None:
        assert read("vat_number", text) == "GB980780684"

    def test_a_vat_number_of_another_country_keeps_its_prefix(self) -> None:
        assert read("vat_number", "DE136695976") == "DE136695976"
        assert read("vat_number", "EL094259216") == "EL094259216"

    def test_a_vat_number_whose_checksum_is_wrong_is_a_problem(self) -> None:
        assert NORMALISERS["vat_number"]("GB980780685", BRITAIN) == Normal(None, "checksum or form is wrong")

    def test_a_company_number_has_the_zeros_that_a_spreadsheet_took(self) -> None:
        assert read("company_number", "1234567") == "01234567"
        assert read("company_number", "sc12345") == "SC012345"

    def test_a_company_number_of_no_register_is_a_problem(self) -> None:
        assert NORMALISERS["company_number"]("ABC123", BRITAIN).problem == "no British company number"

    def test_a_number_of_another_country_is_checked_by_its_register(self) -> None:
        france = Locale("FR")
        assert read("company_number", "552 008 443", france) == "552008443"
        assert read("company_number", "552 008 444", france) is None

    def test_identifiers_are_a_sorted_list_of_schemes_and_codes(self) -> None:
        assert read("identifiers", "SSN:294-66-9999|passport/US: 12 3|empty:") == ["passport/us:123", "ssn:294669999"]

    def test_an_identifier_is_of_one_place_however_that_is_called(self) -> None:
        for place in ("USA", "us", "United States"):
            assert read("identifiers", f"passport/{place}:123") == ["passport/us:123"]
        assert read("identifiers", "licence/Texas:1|licence/US-TX:1|licence/Narnia:1") == [
            "licence/narnia:1",
            "licence/us-tx:1",
        ]


class TestPlaces:
    @pytest.mark.parametrize(
        "text", ["United Kingdom", "UK", "U.K.", "GB", "England", "_unitedKingdom", "Great Britain"]
    )
    def test_each_name_of_a_country_is_its_code(self, text: str) -> None:
        assert read("country", text) == "GB"

    def test_what_is_no_country_is_a_problem(self) -> None:
        assert NORMALISERS["country"]("Atlantis", BRITAIN).problem == "no country"

    def test_a_british_postcode_has_its_blank(self) -> None:
        assert read("postcode", "sw1a1aa") == "SW1A 1AA"

    def test_an_american_postcode_has_the_zero_that_a_spreadsheet_took(self) -> None:
        assert read("postcode", "2134", AMERICA) == "02134"


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-07-02T03:04:05+01:00", datetime(2026, 7, 2, 2, 4, 5, tzinfo=UTC)),
            ("2026-07-02T03:04:05Z", datetime(2026, 7, 2, 3, 4, 5, tzinfo=UTC)),
            ("2026-07-02 3:04:05", datetime(2026, 7, 2, 2, 4, 5, tzinfo=UTC)),
            ("02/07/2026 03:04", datetime(2026, 7, 2, 2, 4, tzinfo=UTC)),
            ("2 Jul 2026 3:04pm BST", datetime(2026, 7, 2, 14, 4, tzinfo=UTC)),
            ("1767323045000", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
            ("1704121512123", datetime(2024, 1, 1, 15, 5, 12, 123000, tzinfo=UTC)),
            ("2026-07-02 03:04:05.5+00", datetime(2026, 7, 2, 3, 4, 5, 500000, tzinfo=UTC)),
        ],
    )
    def test_a_time_is_in_utc_whatever_it_states(self, text: str, expected: datetime) -> None:
        assert read("timestamp", text) == expected

    @pytest.mark.parametrize("text", ["2025-02-30 09:00:00", "31/11/2024 10:15", "2024-13-05 08:30:00", "soon"])
    def test_a_time_that_never_was_is_a_problem(self, text: str) -> None:
        assert NORMALISERS["timestamp"](text, BRITAIN) == Normal(None, "no time")

    @pytest.mark.parametrize("text", ["2026-04-03", "03/04/2026", "3 April 2026", "Apr 3, 2026", "20260403"])
    def test_each_way_to_write_a_day_is_the_same_day(self, text: str) -> None:
        assert read("date", text) == date(2026, 4, 3)

    def test_the_source_says_which_number_is_the_month(self) -> None:
        assert read("date", "12/11/1978", AMERICA) == date(1978, 12, 11)
        assert read("date", "12/11/1978", BRITAIN) == date(1978, 11, 12)

    def test_a_day_that_has_but_one_meaning_has_it(self) -> None:
        assert read("date", "13/3/2026", AMERICA) == date(2026, 3, 13)

    def test_a_birth_date_lies_in_the_past(self) -> None:
        assert read("birth_date", "1/1/60") == date(1960, 1, 1)
        assert NORMALISERS["birth_date"]("2099-01-01", BRITAIN).problem == "a birth date in the future"


class TestAmounts:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("1234.5", "1234.50"),
            ("£1,234.56", "1234.56"),
            ("(12.50)", "-12.50"),
            ("1.234,56 €", "1234.56"),
            ("GBP 12", "12.00"),
            ("-£5.00", "-5.00"),
            ("1.0e+3", "1000.00"),
        ],
    )
    def test_an_amount_is_a_decimal_to_the_cent(self, text: str, expected: str) -> None:
        assert read("money", text) == Decimal(expected)

    @pytest.mark.parametrize("text", ["12k-15k", "see quote", "1e99", "Infinity"])
    def test_what_is_no_amount_is_a_problem(self, text: str) -> None:
        assert NORMALISERS["money"](text, BRITAIN) == Normal(None, "no amount")

    def test_yes_and_no_have_many_forms(self) -> None:
        assert [read("boolean", text) for text in ("T", "yes", "1", "F", "No", "0")] == [True] * 3 + [False] * 3
        assert NORMALISERS["boolean"]("maybe", BRITAIN).problem == "neither yes nor no"

    def test_a_currency_is_a_code(self) -> None:
        assert [read("currency", text) for text in ("gbp", "£", "Euro")] == ["GBP", "GBP", "EUR"]


class TestPeople:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Dr. John Smith Jr.", "John Smith Jr"),
            ("SMITH, John", "John SMITH"),
            ("john.smith", "John Smith"),
            ("Mary Ann van der Berg", "Mary Ann van der Berg"),
            ("Siobhán O'Brien", "Siobhán O'Brien"),
            ("Prys-Jones, Rhys", "Rhys Prys-Jones"),
            ("John Smith MBE", "John Smith"),
        ],
    )
    def test_a_name_is_given_name_first_and_without_title(self, text: str, expected: str) -> None:
        assert read("person_name", text) == expected

    def test_a_given_name_has_no_title(self) -> None:
        assert read("given_name", "Mr John") == "John"

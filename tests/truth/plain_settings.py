"""Splink's settings for each kind of data, as its documentation has them.

FEBRL and the people of history have a demo each, whose settings these are. For organisations and the people who work
there the settings follow the tutorial: a comparison of the library for each column, and connected components at .95.
"""

from __future__ import annotations

import splink.comparison_library as cl
from splink import block_on

from tests.truth.plain_splink import Settings


def organisations() -> Settings:
    """Organisations, from conformed records."""
    return Settings(
        columns={
            "name": "lower(name)",
            "postcode": "postcode",
            "city": "lower(city)",
            "phone": "phone",
            "email": "lower(email)",
            "website": "website",
            "vat_number": "vat_number",
            "company_number": "company_number",
        },
        comparisons=[
            cl.NameComparison("name").configure(term_frequency_adjustments=True),
            cl.PostcodeComparison("postcode"),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.ExactMatch("phone").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
            cl.ExactMatch("website").configure(term_frequency_adjustments=True),
            cl.ExactMatch("vat_number"),
            cl.ExactMatch("company_number"),
        ],
        blocking=[
            block_on("postcode"), block_on("name"), block_on("phone"), block_on("email"), block_on("website"),
            block_on("vat_number"), block_on("company_number"), block_on("substr(name, 1, 6)"),
        ],
        deterministic=[block_on("name", "postcode"), block_on("vat_number")],
        training=[block_on("name"), block_on("postcode")],
    )  # fmt: skip


def people_at_work() -> Settings:
    """People who work somewhere, from conformed records with the name of their organisation."""
    return Settings(
        columns={
            "first_name": "lower(given_name)",
            "surname": "lower(family_name)",
            "email": "lower(email)",
            "phone": "phone",
            "mobile": "mobile",
            "organisation_name": "lower(organisation_name)",
            "postcode": "postcode",
        },
        comparisons=[
            cl.NameComparison("first_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email").configure(term_frequency_adjustments=True),
            cl.ExactMatch("phone").configure(term_frequency_adjustments=True),
            cl.ExactMatch("mobile"),
            cl.JaroWinklerAtThresholds("organisation_name", [0.9, 0.7]),
            cl.PostcodeComparison("postcode"),
        ],
        blocking=[
            block_on("first_name", "surname"), block_on("email"), block_on("phone"), block_on("mobile"),
            block_on("surname", "postcode"), block_on("surname", "organisation_name"),
        ],
        deterministic=[block_on("first_name", "surname", "email"), block_on("email")],
        training=[block_on("first_name", "surname"), block_on("email")],
    )  # fmt: skip


def people_and_organisations() -> Settings:
    """Rows that are about a person or an organisation, from the rows as they are."""
    return Settings(
        columns={
            "name": "lower(concat_ws(' ', PRIMARY_NAME_FULL, PRIMARY_NAME_ORG, PRIMARY_NAME_FIRST, PRIMARY_NAME_LAST))",
            "dob": "DATE_OF_BIRTH",
            "email": "lower(EMAIL_ADDRESS)",
            "phone": "PHONE_NUMBER",
            "address": "lower(coalesce(ADDR_FULL, ADDR_LINE1))",
            "postcode": "ADDR_POSTAL_CODE",
        },
        comparisons=[
            cl.NameComparison("name"),
            cl.DateOfBirthComparison("dob", input_is_string=True, datetime_format="%-m/%-d/%Y"),
            cl.EmailComparison("email"),
            cl.ExactMatch("phone"),
            cl.JaroWinklerAtThresholds("address", [0.9, 0.7]),
            cl.ExactMatch("postcode"),
        ],
        blocking=[
            block_on("name"), block_on("dob"), block_on("email"), block_on("phone"), block_on("address"),
            block_on("postcode"),
        ],
        deterministic=[block_on("name", "dob"), block_on("name", "address"), block_on("email")],
        training=[block_on("name"), block_on("phone")],
    )  # fmt: skip


def sites() -> Settings:
    """Sites that lists know by name, address and phone, from the rows as they are."""
    return Settings(
        columns={
            "name": 'trim(lower("Site name"))',
            "address": 'trim(lower("Address"))',
            "zip": '"Zip"',
            "phone": '"Phone"',
        },
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.9, 0.7]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("address", [0.9, 0.7]).configure(term_frequency_adjustments=True),
            cl.ExactMatch("zip").configure(term_frequency_adjustments=True),
            cl.ExactMatch("phone").configure(term_frequency_adjustments=True),
        ],
        blocking=[
            block_on("name"), block_on("address"), block_on("phone"), block_on("substr(name, 1, 6)"),
            block_on("substr(address, 1, 8)"),
        ],
        deterministic=[block_on("name", "address"), block_on("name", "phone"), block_on("address", "phone")],
        training=[block_on("phone"), block_on("name")],
    )  # fmt: skip


def historical_people() -> Settings:
    """The demo that deduplicates 50,000 people of history, from the rows as they are."""
    names = ("first_name", "surname", "dob", "birth_place", "postcode_fake", "occupation")
    start = "substr(postcode_fake, 1, 3)"
    return Settings(
        columns={**dict(zip(names, names, strict=True)), "first_name_surname_concat": "first_name || ' ' || surname"},
        comparisons=[
            cl.ForenameSurnameComparison(
                "first_name", "surname", forename_surname_concat_col_name="first_name_surname_concat"
            ),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.PostcodeComparison("postcode_fake"),
            cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
            cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
        ],
        blocking=[
            block_on("substr(first_name, 1, 3)", "substr(surname, 1, 4)"),
            block_on("surname", "dob"),
            block_on("first_name", "dob"),
            block_on("postcode_fake", "first_name"),
            block_on("postcode_fake", "surname"),
            block_on("dob", "birth_place"),
            block_on(start, "dob"),
            block_on(start, "first_name"),
            block_on(start, "surname"),
            block_on("substr(first_name, 1, 2)", "substr(surname, 1, 2)", "substr(dob, 1, 4)"),
        ],
        deterministic=[
            block_on("first_name", "surname", "dob"),
            block_on("substr(first_name, 1, 2)", "surname", "substr(postcode_fake, 1, 2)"),
            block_on("dob", "postcode_fake"),
        ],
        training=[block_on("first_name", "surname"), block_on("dob")],
        recall=0.6,
        sampled=1e7,
        without_frequencies=True,
    )


_FEBRL = ("given_name", "surname", "street_number", "address_1", "postcode", "state", "date_of_birth", "soc_sec_id")
_SWAPPED = "l.given_name = r.surname and l.surname = r.given_name"


def febrl() -> Settings:
    """The demo that deduplicates FEBRL 3, from the rows as they are."""
    return Settings(
        columns=dict(zip(_FEBRL, _FEBRL, strict=True)),
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        ],
        blocking=[
            block_on("soc_sec_id"), block_on("given_name"), block_on("surname"), block_on("date_of_birth"),
            block_on("postcode"),
        ],
        deterministic=[
            block_on("soc_sec_id"),
            block_on("given_name", "surname", "date_of_birth"),
            f"{_SWAPPED} and l.date_of_birth = r.date_of_birth",
        ],
        training=[block_on("date_of_birth"), block_on("postcode")],
        recall=0.9,
    )  # fmt: skip


def febrl_of_two_lists() -> Settings:
    """The demo that links the two lists of FEBRL 4, from the rows as they are."""
    return Settings(
        columns=dict(zip(_FEBRL, _FEBRL, strict=True)),
        comparisons=[
            cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison(
                "date_of_birth", input_is_string=True, datetime_format="%Y%m%d", invalid_dates_as_null=True
            ),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        ],
        blocking=[
            block_on("given_name", "surname"), _SWAPPED, block_on("date_of_birth"), block_on("soc_sec_id"),
            block_on("state", "address_1"), block_on("street_number", "address_1"), block_on("postcode"),
        ],
        deterministic=[block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")],
        training=[block_on("date_of_birth"), block_on("postcode")],
        recall=0.8,
        without_frequencies=True,
        threshold=0.99,
        lists="list",
    )  # fmt: skip

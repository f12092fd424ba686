"""The columns to link by (`k_…`, see the package), from a record type's normalised fields."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from insight.records.columns import each_distinct, pair, parts
from insight.records.fields import Locale
from insight.records.fields.contact import mailbox, own_domain
from insight.records.fields.organisations import both_names, compared
from insight.records.fields.people import folded, split_name, split_suffix
from insight.records.fields.places import address_key, postcode_area, postcode_key, street_number

Columns = dict[str, pa.Array]

TEXT: Final = pa.string()
LIST: Final = pa.list_(pa.string())

_PLACE: Final = {
    "k_postcode": TEXT,
    "k_postcode_area": TEXT,
    "k_street_number": TEXT,
    "k_address": TEXT,
    "k_city": TEXT,
}
DERIVED: Final[dict[str, dict[str, pa.DataType]]] = {
    "organisation": {
        "k_name": TEXT,
        "k_names": LIST,
        "k_email_local": TEXT,
        "k_email_domain": TEXT,
        "k_domain": TEXT,
        "k_company_number": TEXT,
        **_PLACE,
    },
    "person": {
        "k_name": TEXT,
        "k_given": TEXT,
        "k_middle": TEXT,
        "k_family": TEXT,
        "k_suffix": TEXT,
        "k_organisation": TEXT,
        "k_email_local": TEXT,
        "k_email_domain": TEXT,
        "k_other_email_local": TEXT,
        "k_other_email_domain": TEXT,
        **_PLACE,
    },
}
"""Names and types of the derived columns of each record type; facts have none."""


def duckdb_type(column: pa.DataType) -> str:
    """The type of a derived column in DuckDB."""
    return "VARCHAR[]" if pa.types.is_list(column) else "VARCHAR"


def complete(shape: str, fields: Columns) -> Columns:
    """The fields, with those that follow from others: a person's name and its parts, an organisation's name."""
    if shape == "person":
        return fields | _names_of_person(fields)
    if shape == "organisation":
        return fields | _names_of_organisation(fields)
    return fields


def derived(shape: str, fields: Columns, locale: Locale) -> Columns:
    """The columns to link by."""
    if shape not in DERIVED:
        return {}
    columns = _place(fields, locale) | _mailbox(fields["email"], "k_email")
    if shape == "organisation":
        columns |= _organisation(fields, locale)
    else:
        columns |= _person(fields) | _mailbox(fields["other_email"], "k_other_email")
    return {name: columns[name] for name in DERIVED[shape]}


def _names_of_organisation(fields: Columns) -> Columns:
    """An organisation that states no name goes by its trading or legal one; `A Ltd t/a B` states both."""
    legal, trading, stated = fields["legal_name"], fields["trading_name"], fields["name"]
    either = each_distinct(stated, [TEXT, TEXT], _sides)
    return {
        "name": pc.coalesce(stated, trading, legal),
        "legal_name": pc.coalesce(legal, either[0]),
        "trading_name": pc.coalesce(trading, either[1]),
    }


def _sides(name: str) -> tuple[str | None, str | None]:
    sides = both_names(name)
    return (sides[0], sides[-1]) if len(sides) > 1 else (None, None)


def _names_of_person(fields: Columns) -> Columns:
    """A whole name from its parts, or the parts from a whole name; also where one part holds the whole."""
    names = ("name", "given_name", "middle_name", "family_name")
    rows = [_whole_and_parts(*row) for row in zip(*(fields[name].to_pylist() for name in names), strict=True)]
    return {name: pa.array([row[place] for row in rows], TEXT) for place, name in enumerate(names)}


Text = str | None


def _whole_and_parts(name: Text, given: Text, middle: Text, family: Text) -> tuple[Text, Text, Text, Text]:
    if family is None and (given is None or " " in given) and (whole := given or name):
        split = split_name(whole)
        given, middle, family = split.given, middle or split.middle, split.family
    return name or " ".join(part for part in (given, middle, family) if part) or None, given, middle, family


def _organisation(fields: Columns, locale: Locale) -> Columns:
    name = each_distinct(fields["name"], [TEXT], lambda text: (_first_compared(text),))[0]
    others = [
        each_distinct(fields[field], [LIST], lambda text: ([compared(side) for side in both_names(text)],))[0]
        for field in ("name", "legal_name", "trading_name")
    ]
    known = [
        sorted({name for side in sides for name in side or ()})
        for sides in zip(*(one.to_pylist() for one in others), strict=True)
    ]
    website = each_distinct(fields["website"], [TEXT], lambda host: (own_domain(host),))[0]
    mail = each_distinct(fields["email"], [TEXT], lambda address: (own_domain(mailbox(address)[1]),))[0]

    def registered(text: str) -> tuple[str | None]:
        number, country = parts(text)
        return (f"{(country or locale.region).lower()}:{number.lower()}" if number else None,)

    return {
        "k_name": name,
        "k_names": pa.array(known, LIST),
        "k_domain": pc.coalesce(website, mail),
        "k_company_number": each_distinct(pair(fields["company_number"], fields["country"]), [TEXT], registered)[0],
    }


def _first_compared(name: str) -> str:
    """Of `A Ltd t/a B` the first name is compared, and the others stand in `k_names`."""
    return compared(next(iter(both_names(name)), name))


def _person(fields: Columns) -> Columns:
    given = each_distinct(fields["given_name"], [TEXT], lambda text: (folded(text),))[0]
    middle = each_distinct(fields["middle_name"], [TEXT], lambda text: (folded(text),))[0]
    family = each_distinct(fields["family_name"], [TEXT, TEXT], _family)
    named = each_distinct(
        fields["name"], [TEXT, TEXT], lambda text: (folded(split_suffix(text)[0]), split_suffix(text)[1])
    )
    both = each_distinct(pair(given, family[0]), [TEXT], lambda text: (" ".join(filter(None, parts(text))) or None,))[0]
    name = pc.coalesce(both, named[0])
    return {
        "k_name": name,
        "k_given": given,
        "k_middle": middle,
        "k_family": family[0],
        "k_suffix": pc.coalesce(family[1], named[1]),
        "k_organisation": each_distinct(fields["organisation_name"], [TEXT], lambda text: (compared(text),))[0],
    }


def _family(text: str) -> tuple[str | None, str | None]:
    bare, suffix = split_suffix(text)
    return folded(bare), suffix


def _place(fields: Columns, locale: Locale) -> Columns:
    stated = zip(*(fields[name].to_pylist() for name in ("postcode", "address", "country")), strict=True)
    codes = [
        (postcode_key(code, address, country or locale.region), country or locale.region)
        for code, address, country in stated
    ]
    address = each_distinct(fields["address"], [TEXT, TEXT], lambda text: (street_number(text), address_key(text)))
    return {
        "k_postcode": pa.array([code for code, _ in codes], TEXT),
        "k_postcode_area": pa.array([postcode_area(code, region) for code, region in codes], TEXT),
        "k_street_number": address[0],
        "k_address": address[1],
        "k_city": each_distinct(fields["city"], [TEXT], lambda text: (folded(text),))[0],
    }


def _mailbox(column: pa.Array, name: str) -> Columns:
    def split(address: str) -> tuple[str | None, str | None]:
        local, host = mailbox(address)
        return local, own_domain(host)

    local, domain = each_distinct(column, [TEXT, TEXT], split)
    return {f"{name}_local": local, f"{name}_domain": domain}

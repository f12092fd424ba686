"""The columns to link by (`k_…`, see the package), from a record type's normalised fields."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from insight.records import usual
from insight.records.columns import each_distinct, each_usual, pair, parts, side_by_side
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
    name, given, middle, family = (fields[part] for part in ("name", "given_name", "middle_name", "family_name"))
    nothing = pa.scalar(None, TEXT)
    one_part = pc.or_(pc.is_null(given), pc.match_substring(given, " "))
    whole = pc.if_else(
        pc.and_(pc.is_null(family), pc.fill_null(one_part, fill_value=True)), pc.coalesce(given, name), nothing
    )
    split, splits = each_distinct(whole, [TEXT, TEXT, TEXT], _split), pc.is_valid(whole)
    given = pc.if_else(splits, split[0], given)
    middle = pc.if_else(splits, pc.coalesce(middle, split[1]), middle)
    family = pc.if_else(splits, split[2], family)
    joined = side_by_side(side_by_side(given, middle), family)
    return {"name": pc.coalesce(name, joined), "given_name": given, "middle_name": middle, "family_name": family}


def _split(whole: str) -> tuple[str | None, str | None, str | None]:
    split = split_name(whole)
    return split.given, split.middle, split.family


def _organisation(fields: Columns, locale: Locale) -> Columns:
    stated = pair(fields["name"], fields["legal_name"], fields["trading_name"])
    name, names = each_distinct(stated, [TEXT, LIST], _compared_names)
    website = each_distinct(fields["website"], [TEXT], _own_domain)[0]
    mail = each_distinct(fields["email"], [TEXT], _domain_of_mail)[0]
    number = pair(fields["company_number"], fields["country"])
    return {
        "k_name": name,
        "k_names": names,
        "k_domain": pc.coalesce(website, mail),
        "k_company_number": each_distinct(number, [TEXT], _registered, locale.region)[0],
    }


def _compared_names(stated: str) -> tuple[str | None, list[str]]:
    """What is compared of the first name, and of all: of `A Ltd t/a B` each side is a name, and `A` the first."""
    names = parts(stated)
    known = {compared(side) for name in names if name for side in both_names(name)}
    first = names[0]
    return None if first is None else compared(next(iter(both_names(first)), first)), sorted(known)


def _own_domain(host: str) -> tuple[str | None]:
    return (own_domain(host),)


def _domain_of_mail(address: str) -> tuple[str | None]:
    return (own_domain(mailbox(address)[1]),)


def _registered(stated: str, region: str) -> tuple[str | None]:
    number, country = parts(stated)
    return (f"{(country or region).lower()}:{number.lower()}" if number else None,)


def _person(fields: Columns) -> Columns:
    given = each_usual(fields["given_name"], usual.folded, [TEXT], _folded)[0]
    middle = each_usual(fields["middle_name"], usual.folded, [TEXT], _folded)[0]
    family = each_usual(fields["family_name"], usual.folded_without_suffix, [TEXT, TEXT], _folded_and_suffix)
    named = each_usual(fields["name"], usual.folded_without_suffix, [TEXT, TEXT], _folded_and_suffix)
    name = pc.coalesce(side_by_side(given, family[0]), named[0])
    return {
        "k_name": name,
        "k_given": given,
        "k_middle": middle,
        "k_family": family[0],
        "k_suffix": pc.coalesce(family[1], named[1]),
        "k_organisation": each_distinct(fields["organisation_name"], [TEXT], _compared)[0],
    }


def _folded(text: str) -> tuple[str | None]:
    return (folded(text),)


def _folded_and_suffix(text: str) -> tuple[str | None, str | None]:
    bare, suffix = split_suffix(text)
    return folded(bare), suffix


def _compared(text: str) -> tuple[str | None]:
    return (compared(text),)


def _place(fields: Columns, locale: Locale) -> Columns:
    # An address is looked into for a postcode only where it has no column.
    nothing = pa.scalar(None, TEXT)
    looked_into = pc.if_else(pc.is_null(fields["postcode"]), fields["address"], nothing)
    stated = pair(fields["postcode"], looked_into, fields["country"])
    code, area = each_distinct(stated, [TEXT, TEXT], _postcode, locale.region)
    number, address = each_distinct(fields["address"], [TEXT, TEXT], _address)
    return {
        "k_postcode": code,
        "k_postcode_area": area,
        "k_street_number": number,
        "k_address": address,
        "k_city": each_usual(fields["city"], usual.folded, [TEXT], _folded)[0],
    }


def _postcode(stated: str, region: str) -> tuple[str | None, str | None]:
    code, address, country = parts(stated)
    key = postcode_key(code, address, country or region)
    return key, postcode_area(key, country or region)


def _address(text: str) -> tuple[str | None, str | None]:
    return street_number(text), address_key(text)


def _mailbox(column: pa.Array, name: str) -> Columns:
    local, domain = each_distinct(column, [TEXT, TEXT], _local_and_domain)
    return {f"{name}_local": local, f"{name}_domain": domain}


def _local_and_domain(address: str) -> tuple[str | None, str | None]:
    local, host = mailbox(address)
    return local, own_domain(host)

"""How a value of each kind is read and evened out: one pure function a kind, on libraries made for it.

A function takes the text that a source states and gives back a `Normal`: the value, or why there is none. What is done
with a problem belongs to `insight/records/conform.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from insight.records.fields import amounts, contact, numbers, people, places, text, times
from insight.records.fields.base import Locale, Normal
from orchestration.graph.model import Kind

__all__ = ["COUNTRY_KINDS", "NORMALISERS", "Locale", "Normal", "Normaliser"]

Normaliser = Callable[[str, Locale], Normal]
"""From the text and where it was written to the value; the locale's region is that of the row, where it states one."""

NORMALISERS: Final[dict[Kind, Normaliser]] = {
    "text": text.plain,
    "org_name": text.name,
    "person_name": people.full_name,
    "given_name": people.given_name,
    "family_name": people.family_name,
    "email": contact.email,
    "phone": contact.phone,
    "website": contact.website,
    "vat_number": numbers.vat_number,
    "company_number": numbers.company_number,
    "lei": numbers.lei,
    "identifiers": numbers.identifiers,
    "address": text.name,
    "postcode": places.postcode,
    "country": places.country,
    "date": times.day,
    "birth_date": times.birth_date,
    "timestamp": times.timestamp,
    "money": amounts.money,
    "currency": amounts.currency,
    "integer": amounts.integer,
    "boolean": amounts.boolean,
    "key": text.key,
}

COUNTRY_KINDS: Final = frozenset({"phone", "vat_number", "company_number", "postcode"})
"""Kinds whose values mean something else in another country."""

"""Official numbers: VAT and company numbers, LEIs and other identifiers, only where form and checksum are right."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import stdnum.lei
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from insight.records.fields.base import NOTHING, Locale, Normal
from insight.records.fields.places import territory
from insight.records.fields.text import clean

_NOT_CODE: Final = re.compile(r"[^A-Z0-9]+")
_BRITISH: Final = re.compile(r"(?:\d{8}|(?:AC|CE|CS|FC|FE|GE|GN|GS|IC|IP|LP|NA|NC|NF|NI|NL|NO|NP|NR|NV|NZ|OC|OE|PC|"
                            r"R0|RC|RS|SA|SC|SE|SF|SG|SI|SL|SO|SP|SR|SZ|ZC)\d{6}|(?:IP|SP|RS)\d{5}R)")  # fmt: skip
_BRITISH_LETTERS: Final = re.compile(r"([A-Z]{2})(\d{1,6})")
_BRITISH_LENGTH: Final = 8
_SHORTEST: Final = 4
"""Characters that a number of an unknown register has at least."""

_REGISTERS: Final = {
    "AT": "businessid", "AU": "acn", "BE": "vat", "BR": "cnpj", "CA": "bn", "CH": "uid", "CZ": "dic", "DK": "cvr",
    "EE": "registrikood", "ES": "cif", "FI": "ytunnus", "FR": "siren", "IL": "hp", "IN": "pan", "IT": "iva",
    "NO": "orgnr", "NZ": "ird", "PL": "regon", "PT": "nif", "SE": "orgnr", "SG": "uen", "US": "ein",
}  # fmt: skip
"""The number that a country's company register gives, by the name of its module in python-stdnum."""


def vat_number(text: str, locale: Locale) -> Normal:
    """A VAT number with the prefix of its country, checked by its checksum; of the row's country without a prefix."""
    code = _code(text, "VAT", "REGNO", "REG", "NO")
    if code is None:
        return NOTHING
    candidates = [(code[:2], code[2:])] if code[:2].isalpha() else []
    candidates.append((locale.region, code))
    for prefix, rest in candidates:
        country = {"EL": "GR", "UK": "GB", "XI": "GB"}.get(prefix, prefix)
        module = _module(country.lower(), "vat")
        if module is None:
            continue
        try:
            number = module.validate(rest.removeprefix(prefix))
        except ValidationError:
            continue
        return Normal(("EL" if country == "GR" else country) + number.removeprefix(country))
    return Normal(None, "checksum or form is wrong")


def company_number(text: str, locale: Locale) -> Normal:
    """The number that the company register of the row's country gave; British ones with the zeros before them."""
    code = _code(text, "CRN", "COMPANYNO", "COMPANYNUMBER", "REGNO")
    if code is None:
        return NOTHING
    if locale.region == "GB":
        if code.isdigit():
            code = code.zfill(_BRITISH_LENGTH)
        elif found := _BRITISH_LETTERS.fullmatch(code):
            code = found[1] + found[2].zfill(6)
        return Normal(code) if _BRITISH.fullmatch(code) else Normal(None, "no British company number")
    module = _module(locale.region.lower(), _REGISTERS.get(locale.region, ""))
    if module is not None:
        try:
            return Normal(str(module.validate(code)))
        except ValidationError:
            return Normal(None, "checksum or form is wrong")
    return Normal(code) if len(code) >= _SHORTEST and any(map(str.isdigit, code)) else Normal(None, "no company number")


def lei(text: str, _locale: Locale) -> Normal:
    """A legal entity identifier, checked by its checksum."""
    code = _code(text, "LEI")
    if code is None:
        return NOTHING
    try:
        return Normal(str(stdnum.lei.validate(code)))
    except ValidationError:
        return Normal(None, "checksum or form is wrong")


def identifiers(text: str, _locale: Locale) -> Normal:
    """Identifiers of other kinds, stated as `scheme:value|scheme:value`: a list of them, sorted, evened out.

    What stands after a `/` in a scheme is where it was given: `passport/USA` and `passport/United States` are one.
    """
    stated = [part.partition(":") for part in text.split("|")]
    found = {
        f"{_scheme(scheme)}:{code}"
        for scheme, _, value in stated
        if scheme.strip() and (code := _NOT_CODE.sub("", value.upper())) and not _empty(code)
    }
    return Normal(sorted(found) or None)


@cache
def _scheme(stated: str) -> str:
    name, apart, where = stated.strip().lower().partition("/")
    return f"{name}/{territory(where) or where}" if apart else name


def _code(text: str, *words: str) -> str | None:
    """Letters and digits alone, without the words that say what they are; None where there is no number at all."""
    value = clean(text)
    if value is None:
        return None
    code = _NOT_CODE.sub("", value.upper())
    for word in words:
        code = code.removeprefix(word)
    return None if not code or _empty(code) else code


def _empty(code: str) -> bool:
    """Whether a code is one that people write to fill a field."""
    return set(code) <= {"0"} or set(code) <= {"X"}


@cache
def _module(country: str, name: str) -> Any:  # noqa: ANN401  untyped library
    return get_cc_module(country, name) if name else None

"""Contact points: e-mail addresses, phones, websites, and the domains in them.

Libraries are loaded when the first value needs them, here and in the modules beside: one record is to be understood
in a moment.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from insight.records.fields.base import NOTHING, Locale, Normal
from insight.records.fields.text import clean

if TYPE_CHECKING:
    from tldextract import TLDExtract

_ADDRESS: Final = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@"
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_HOST: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_SEVERAL: Final = re.compile(r"\s*(?:[;/|]|,|\bor\b)\s*(?=[+(0-9])", re.IGNORECASE)
_DIGITS: Final = re.compile(r"\D+")
_FEWEST: Final = 5
"""Digits that a number has at least."""

_SHARED: Final = frozenset(
    line for line in Path(__file__).with_name("shared_domains.txt").read_text(encoding="utf-8").split() if line
)
"""Domains under which anyone can have a mailbox or a page, so that two records that share one share nothing."""


def email(text: str, _locale: Locale) -> Normal:
    """One address in lower case, out of `Name <address>` or `mailto:` where it stands in one."""
    value = clean(text)
    if value is None:
        return NOTHING
    bare = value.rsplit("<", 1)[-1].rstrip(">").strip().removeprefix("mailto:").strip(" .,;'\"").lower()
    if ";" in bare or "," in bare:
        bare = re.split(r"[;,]", bare)[0].strip()
    return Normal(bare) if _ADDRESS.fullmatch(bare) else Normal(None, "no e-mail address")


def phone(text: str, locale: Locale) -> Normal:
    """A number in E.164 without extension; bare digits where it is a local one that lacks its area code."""
    value = clean(text)
    if value is None:
        return NOTHING
    first = _SEVERAL.split(value)[0] if _SEVERAL.search(value) else value
    digits = _DIGITS.sub("", first)
    if _is_none(digits):
        return Normal(None, "no phone number")
    import phonenumbers  # noqa: PLC0415  it takes long to load, and one record may have no number

    try:
        number = phonenumbers.parse(first, locale.region)
    except phonenumbers.NumberParseException:
        return Normal(None, "no phone number")
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        local = phonenumbers.national_significant_number(number)  # an extension may have been all that made it one
        return Normal(None, "no phone number") if _is_none(local) else Normal(local)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        return Normal(None, "no number of that length there")
    return Normal(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _is_none(digits: str) -> bool:
    return len(digits) < _FEWEST or len(set(digits)) == 1


def website(text: str, _locale: Locale) -> Normal:
    """A host name in lower case without `www.`, and the path where many share the host."""
    value = clean(text)
    if value is None:
        return NOTHING
    bare = re.sub(r"^[a-z]+:/*", "", value.lower()).split("?")[0].split("#")[0].rstrip("/. ")
    host, _, path = bare.partition("/")
    host = host.rsplit("@", 1)[-1].split(":")[0].removeprefix("www.")
    if not _HOST.fullmatch(host):
        return Normal(None, "no website")
    return Normal(f"{host}/{path}" if path and registrable(host) in _SHARED else host)


@cache
def registrable(host: str) -> str | None:
    """What one party registered of a host name: `acme.co.uk` of `shop.acme.co.uk`."""
    found = _suffixes()(host)
    if found.suffix:
        return f"{found.domain}.{found.suffix}" if found.domain else None
    labels = host.split(".")
    return ".".join(labels[-2:]) if len(labels) > 1 and not labels[-1].isdigit() else None


@cache
def _suffixes() -> TLDExtract:
    """What knows the public suffixes; it takes long to load, and only hosts need it."""
    from tldextract import TLDExtract  # noqa: PLC0415

    return TLDExtract(suffix_list_urls=(), cache_dir=None)


def own_domain(host: str | None) -> str | None:
    """The registrable domain of a host, unless anyone can have an address or a page under it."""
    domain = registrable(host.split("/")[0]) if host else None
    return None if domain is None or domain in _SHARED else domain


def mailbox(address: str | None) -> tuple[str | None, str | None]:
    """What stands before the `@` without a tag, and the host after it."""
    if not address:
        return None, None
    local, _, host = address.rpartition("@")
    return local.split("+")[0] or None, host

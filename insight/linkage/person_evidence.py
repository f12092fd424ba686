"""What two people agree or differ in beside their names, as conditions over two records; and keys of one record."""

from __future__ import annotations

from typing import Final

SAME_HOUSE: Final = (
    "(l.street_number = r.street_number AND (l.postcode = r.postcode OR (length(l.street) > 7 AND length(r.street) > 7"
    " AND (starts_with(l.street, r.street) OR starts_with(r.street, l.street)"
    " OR (l.street <> r.street AND list_sort(string_split(l.street, ' ')) = list_sort(string_split(r.street, ' ')))))))"
)
SAME_TOWN: Final = "(l.city = r.city OR l.postcode_area = r.postcode_area)"

NEAR_MAILBOX: Final = (
    "length(l.email) > 10 AND damerau_levenshtein(l.email, r.email) = 1"
    " AND regexp_replace(l.email, '[^0-9]', '', 'g') = regexp_replace(r.email, '[^0-9]', '', 'g')"
    " AND (l.given = r.given OR l.bag = r.bag OR l.name IS NULL OR r.name IS NULL)"
)
"""One slip that is not in a digit, for john2@ is another John, and not what the names say too: sean@ is not jean@."""

ONE_MAILBOX: Final = "list_has_any(l.emails, r.emails) IS true"
TWO_TITLES: Final = "(l.job_title <> r.job_title AND jaro_winkler_similarity(l.job_title, r.job_title) < 0.92) IS true"
NAMESAKES: Final = (
    f"((l.namesakes OR r.namesakes OR {TWO_TITLES}) AND NOT {ONE_MAILBOX} AND (l.birth_date = r.birth_date) IS NOT true"
    " AND list_has_any(l.official, r.official) IS NOT true)"
)
"""One name may be two people's: a firm that numbers one's mailbox has two of them, and two titles are of two jobs."""

OFFICIAL: Final = (
    "['ssn', 'social_security', 'national', 'national_insurance', 'tax', 'nino', 'passport', 'licence',"
    " 'driving_licence']"
)
"""Kinds of identifiers of which a state gives a person one at a time; a customer number is none."""

NEAR_NUMBER: Final = (
    "(len(l.official) = 1 AND len(r.official) = 1 AND length(l.official[1]) > 6"
    " AND damerau_levenshtein(l.official[1], r.official[1]) <= 1)"
)
MAILBOX: Final = "emails"
NAME_AND: Final = {
    "employer": "[employer || ' ' || name]",
    "phone": "list_transform(phones, lambda number: number || ' ' || name)",
    "birth date": "[birth_date::VARCHAR || ' ' || name]",
    "postcode": "[postcode || ' ' || name]",
}
BORN_AT: Final = "[birth_date::VARCHAR || ' ' || postcode]"
BORN_IN: Final = "[birth_date::VARCHAR || ' ' || city]"

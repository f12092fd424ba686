"""How people are linked: what they are compared by, which keys are strong, and what forbids a link."""

from __future__ import annotations

from typing import Final

from insight.linkage.person_evidence import (
    BORN_AT,
    MAILBOX,
    NAME_AND,
    NAMESAKES,
    NEAR_MAILBOX,
    NEAR_NUMBER,
    OFFICIAL,
    ONE_MAILBOX,
    SAME_HOUSE,
    SAME_TOWN,
)
from insight.linkage.person_names import (
    NAME_FITS,
    NEAR_FAMILY,
    NEAR_NAME,
    ONE_NAME,
    SAME_FAMILY,
    SAME_HANDLE,
    SAME_WORDS,
    SWAPPED,
    SWAPPED_WITH_SLIPS,
    alike,
    given_fits,
    given_may_fit,
    initial,
    same_given,
)
from insight.linkage.rules import Block, Comparison, Level, Linkage, Thresholds, Tier, Veto

PERSON: Final = Linkage(
    record_type="person",
    blocks=(
        Block("identifier", "official"),
        Block("mailbox", "emails", largest=40),
        Block("phone", "phones", largest=40),
        Block("part before the @", "locals", largest=30),
        Block("whole name", "[bag]", largest=60),
        Block("employer and family", "[employer || ' ' || family]"),
        Block("employer and given", "[employer || ' ' || given]"),
        Block("employer and initials", "[employer || ' ' || left(given, 1) || left(family, 1)]"),
        Block("employer and handle", "list_transform(handles, lambda handle: employer || ' ' || handle)"),
        Block("domain and family", "list_transform(domains, lambda domain: domain || ' ' || family)"),
        Block("domain and given", "list_transform(domains, lambda domain: domain || ' ' || given)"),
        Block("birth date", "[birth_date::VARCHAR]", largest=40),
        Block("birth date and family", "[birth_date::VARCHAR || ' ' || left(family, 3)]"),
        Block("birth date and given", "[birth_date::VARCHAR || ' ' || left(given, 3)]"),
        Block("name and area", "[left(given, 1) || ' ' || family || ' ' || postcode_area]"),
        Block("name and city", "[left(given, 1) || ' ' || family || ' ' || city]"),
        Block(
            "start of name and area", "[left(given, 3) || ' ' || left(family, 3) || ' ' || postcode_area]", largest=60
        ),
        Block("given and area", "[left(given, 4) || ' ' || postcode_area]", largest=40),
        Block("family and area", "[left(family, 4) || ' ' || postcode_area]", largest=40),
        Block("given and city", "[left(given, 4) || ' ' || city]", largest=40),
        Block("family and city", "[left(family, 4) || ' ' || city]", largest=40),
        Block(
            "a word of the name and postcode",
            "list_transform(string_split(bag, ' '), lambda word: word || ' ' || postcode)",
            largest=60,
        ),
        Block("start of name", "[left(given, 3) || ' ' || left(family, 4)]", largest=60),
        Block("nickname and family", "list_transform(given_forms, lambda form: form || ' ' || family)", largest=40),
        Block(
            "a word of the name and birth date",
            "list_transform(string_split(bag, ' '), lambda word: word || ' ' || birth_date::VARCHAR)",
            largest=60,
        ),
        Block("month of birth and initials", "[left(birth_date::VARCHAR, 7) || left(given, 1) || left(family, 1)]"),
        Block("month of birth and city", "[left(birth_date::VARCHAR, 7) || ' ' || city]", largest=60),
        Block("postcode", "[postcode]", largest=30),
        Block("postcode and family", "[postcode || ' ' || left(family, 4)]"),
        Block("postcode and given", "[postcode || ' ' || given]"),
        Block("switchboard and family", "list_transform(switchboards, lambda number: number || ' ' || family)"),
        Block("employer's name and family", "[employer_name || ' ' || family]"),
    ),
    comparisons=(
        Comparison(
            "name",
            missing="l.name IS NULL OR r.name IS NULL",
            levels=(
                Level("same, perhaps a namesake", f"{NAMESAKES} AND {NAME_FITS}", m=0.01, u=2e-6, agrees=False),
                Level("same", "l.name = r.name", m=0.68, u=1e-5, frequency="name"),
                Level("same words", f"{SAME_WORDS} OR {SWAPPED}", m=0.04, u=1e-6),
                Level(
                    "same family name, nickname",
                    f"{SAME_FAMILY} AND {same_given()}",
                    m=0.05,
                    u=1e-5,
                    frequency="initialled",
                    share=0.5,
                ),
                Level(
                    "same family name, initial",
                    f"({SAME_FAMILY} AND {initial()}) OR {SAME_HANDLE}",
                    m=0.05,
                    u=1e-5,
                    frequency="initialled",
                ),
                Level("nearly the same", f"{NEAR_NAME} OR {SWAPPED_WITH_SLIPS}", m=0.08, u=5e-5),
                Level(
                    "alike",
                    f"({SAME_FAMILY} OR {NEAR_FAMILY} OR {alike('l.family', 'r.family')})"
                    f" AND ({given_may_fit()} OR {alike('l.given', 'r.given')})",
                    m=0.04,
                    u=1e-4,
                ),
                Level("one name, and the other has it", ONE_NAME, m=0.01, u=5e-3, agrees=False),
                Level("same given name", f"{same_given()} AND length(l.given) > 1", m=0.03, u=5e-3, agrees=False),
                Level("same family name", SAME_FAMILY, m=0.01, u=2e-3, agrees=False),
            ),
            taught_by=(MAILBOX, "official", BORN_AT),
        ),
        Comparison(
            "mailbox",
            missing="l.emails IS NULL OR r.emails IS NULL",
            levels=(
                Level("same", "list_has_any(l.emails, r.emails)", m=0.60, u=1e-6),
                Level("nearly the same", NEAR_MAILBOX, m=0.04, u=1e-6),
                Level("another at the same domain", "list_has_any(l.domains, r.domains)", m=0.03, u=0.3, agrees=False),
            ),
            taught_by=(NAME_AND["employer"], NAME_AND["phone"], NAME_AND["birth date"]),
            assumes_u=True,
        ),
        Comparison(
            "phone",
            missing="l.phones IS NULL OR r.phones IS NULL",
            levels=(
                Level("same", "list_has_any(l.phones, r.phones)", m=0.70, u=5e-5),
                Level(
                    "same but for the last digits",
                    "left(l.phones[1], length(l.phones[1]) - 3) = left(r.phones[1], length(r.phones[1]) - 3)"
                    " AND (l.employer = r.employer OR list_has_any(l.domains, r.domains)) IS NOT true",
                    m=0.04,
                    u=1e-4,
                    agrees=False,
                ),
            ),
            identifies=False,
            taught_by=(MAILBOX, NAME_AND["birth date"]),
        ),
        Comparison(
            "birth date",
            missing="l.birth_date IS NULL OR r.birth_date IS NULL",
            levels=(
                Level("same", "l.birth_date = r.birth_date", m=0.80, u=6e-5, frequency="birth_date"),
                Level(
                    "nearly the same",
                    "(day(l.birth_date) = month(r.birth_date) AND month(l.birth_date) = day(r.birth_date)"
                    " AND year(l.birth_date) = year(r.birth_date))"
                    " OR damerau_levenshtein(l.birth_date::VARCHAR, r.birth_date::VARCHAR) = 1",
                    m=0.10,
                    u=1e-3,
                ),
                Level(
                    "two parts the same",
                    "(year(l.birth_date) = year(r.birth_date))::INTEGER"
                    " + (month(l.birth_date) = month(r.birth_date))::INTEGER"
                    " + (day(l.birth_date) = day(r.birth_date))::INTEGER = 2",
                    m=0.03,
                    u=5e-3,
                ),
                Level("same year", "year(l.birth_date) = year(r.birth_date)", m=0.02, u=0.015, agrees=False),
            ),
            taught_by=(MAILBOX, NAME_AND["phone"], NAME_AND["postcode"], "official"),
            labels=True,
        ),
        Comparison(
            "identifier",
            missing="(list_has_any(l.official_kinds, r.official_kinds)) IS NOT true",
            levels=(
                Level("same", "list_has_any(l.official, r.official)", m=0.85, u=1e-6),
                Level("nearly the same", NEAR_NUMBER, m=0.08, u=1e-5),
            ),
            labels=True,
            taught_by=(MAILBOX, NAME_AND["phone"], NAME_AND["birth date"]),
        ),
        Comparison(
            "employer",
            missing="(l.employer IS NULL OR r.employer IS NULL) AND (l.domains IS NULL OR r.domains IS NULL)"
            " AND (l.employer_name IS NULL OR r.employer_name IS NULL)"
            " AND (l.switchboards IS NULL OR r.switchboards IS NULL)",
            levels=(
                Level("same", "l.employer = r.employer", m=0.80, u=1e-3, frequency="employer"),
                Level(
                    "same domain, switchboard or name",
                    "list_has_any(l.domains, r.domains) OR list_has_any(l.switchboards, r.switchboards)"
                    " OR l.employer_name = r.employer_name",
                    m=0.05,
                    u=5e-4,
                ),
            ),
            taught_by=(MAILBOX, NAME_AND["phone"]),
            identifies=False,
        ),
        Comparison(
            "address",
            missing="(l.postcode IS NULL OR r.postcode IS NULL) AND (l.street IS NULL OR r.street IS NULL)"
            " AND (l.city IS NULL OR r.city IS NULL)",
            levels=(
                Level("same", f"{SAME_HOUSE}", m=0.50, u=3e-4),
                Level("same postcode", "l.postcode = r.postcode", m=0.10, u=3e-4, frequency="postcode"),
                Level(
                    "nearly the same postcode",
                    "length(l.postcode) > 3 AND damerau_levenshtein(l.postcode, r.postcode) = 1 AND"
                    " (left(l.postcode, 3) <> left(r.postcode, 3) OR l.city = r.city)",
                    m=0.05,
                    u=1e-3,
                ),
                Level(
                    "same street and town",
                    f"jaro_winkler_similarity(l.street, r.street) >= 0.92 AND {SAME_TOWN}",
                    m=0.10,
                    u=1e-4,
                ),
                Level("same town and area", "l.city = r.city AND l.postcode_area = r.postcode_area", m=0.05, u=5e-3),
                Level("same town", SAME_TOWN, m=0.10, u=0.02, frequency="city"),
            ),
            taught_by=(MAILBOX, NAME_AND["phone"], NAME_AND["birth date"]),
            identifies=False,
        ),
        Comparison(
            "job title",
            missing="l.job_title IS NULL OR r.job_title IS NULL",
            levels=(Level("same", "l.job_title = r.job_title", m=0.60, u=0.03, frequency="job_title", agrees=False),),
            taught_by=(MAILBOX, NAME_AND["phone"], NAME_AND["birth date"]),
            identifies=False,
        ),
        Comparison(
            "middle name",
            missing="l.middle IS NULL OR r.middle IS NULL",
            levels=(
                Level("same", "l.middle = r.middle", m=0.70, u=0.02, agrees=False),
                Level("same initial", "left(l.middle, 1) = left(r.middle, 1)", m=0.20, u=0.07, agrees=False),
            ),
            taught_by=(MAILBOX, NAME_AND["phone"], NAME_AND["birth date"]),
            identifies=False,
        ),
    ),
    tiers=(
        Tier(
            "identifier",
            "official",
            f"{given_fits()} OR {SAME_FAMILY} OR {SWAPPED} OR l.birth_date = r.birth_date",
            "A passport or licence number is given once; something of the name must agree, or the birth date.",
        ),
        Tier(
            "mailbox_and_name",
            "emails",
            NAME_FITS,
            "One mailbox, and the names fit: a household's mailbox has several given names.",
        ),
        Tier(
            "phone_and_name",
            "list_transform(phones, lambda number: number || ' ' || bag)",
            f"NOT {NAMESAKES}",
            "One direct line and the same name, and nothing that tells of a namesake.",
        ),
        Tier(
            "birth_date_and_name",
            "[birth_date::VARCHAR || ' ' || bag]",
            "l.postcode = r.postcode OR l.city = r.city",
            "Born on one day, of one name, in one town.",
        ),
    ),
    vetoes=(
        Veto(
            "given_name_differs",
            "l.family IS NOT NULL AND r.family IS NOT NULL AND"
            f" NOT ({given_may_fit()} OR {SWAPPED} OR {SWAPPED_WITH_SLIPS} OR {SAME_WORDS})"
            " AND NOT coalesce(list_contains(l.given_forms, r.middle) OR list_contains(r.given_forms, l.middle), false)"
            " AND list_has_any(l.official, r.official) IS NOT true"
            f" AND NOT ({ONE_MAILBOX} AND l.mail_fits AND r.mail_fits)",
            "Two given names that no nickname, initial or slip explains are two people of one household or firm.",
        ),
        Veto(
            "birth_date_differs",
            "l.birth_date <> r.birth_date AND damerau_levenshtein(l.birth_date::VARCHAR, r.birth_date::VARCHAR) > 2"
            " AND NOT (day(l.birth_date) = month(r.birth_date) AND month(l.birth_date) = day(r.birth_date))"
            " AND (list_has_any(l.official, r.official)"
            f" AND ({given_fits()} OR {SAME_FAMILY} OR {SWAPPED})) IS NOT true",
            "Two birth dates that no slip explains are two people.",
            judges="birth date",
        ),
        Veto(
            "identifier_differs",
            "len(l.official) = 1 AND len(r.official) = 1 AND l.official_kinds[1] = r.official_kinds[1]"
            f" AND list_contains({OFFICIAL}, split_part(l.official_kinds[1], '/', 1))"
            " AND damerau_levenshtein(l.official[1], r.official[1]) > 2"
            f" AND (l.birth_date = r.birth_date AND ({NAME_FITS} OR ({given_fits()} AND l.postcode = r.postcode)))"
            " IS NOT true"
            " AND list_has_any(l.emails, r.emails) IS NOT true",
            "A person has one number of such a kind. With one name and birth date, or one mailbox, a number was copied"
            " wrong: that is for a person to see.",
            judges="identifier",
        ),
        Veto(
            "mailbox_number_differs",
            "list_has_any(l.domains, r.domains) AND l.email <> r.email"
            " AND split_part(l.email, '@', 2) = split_part(r.email, '@', 2)"
            " AND regexp_replace(split_part(l.email, '@', 1), '[0-9]', '', 'g')"
            " = regexp_replace(split_part(r.email, '@', 1), '[0-9]', '', 'g')",
            "A firm numbers the mailboxes of two people of one name: glenn.lloyd@ is not glenn.lloyd2@.",
        ),
        Veto(
            "mailbox_name_differs",
            "l.own_given <> r.own_given AND l.given <> r.given AND list_has_any(l.domains, r.domains)"
            f" AND NOT {ONE_MAILBOX}",
            "Two given names, and two mailboxes of one firm that spell them out: joanne.green@ is not joanna.green@.",
        ),
        Veto(
            "middle_name_differs",
            "left(l.middle, 1) <> left(r.middle, 1) AND (l.birth_date = r.birth_date) IS NOT true"
            " AND list_has_any(l.emails, r.emails) IS NOT true AND list_has_any(l.phones, r.phones) IS NOT true"
            " AND list_has_any(l.official, r.official) IS NOT true AND l.family = r.family AND l.given = r.given"
            " AND (l.postcode = r.postcode) IS NOT true",
            "John A. Smith is not John B. Smith, where nothing but a firm, a town or a name joins them.",
        ),
        Veto("generation_differs", "l.suffix <> r.suffix", "Senior is not junior."),
    ),
    thresholds=Thresholds(accept=3.5, review=0.0, margin=2.0),
    prior=1e-4,
    attaches=True,
)

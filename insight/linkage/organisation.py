"""How organisations are linked: what they are compared by, which keys are strong, and what forbids a link."""

from __future__ import annotations

from typing import Final

from insight.linkage.rules import Block, Comparison, Level, Linkage, Thresholds, Tier, Veto

SAME_NAME: Final = "(list_has_any(l.bags, r.bags) OR list_has_any(l.compacts, r.compacts))"
SAME_TELLING: Final = "(l.telling = r.telling AND l.doubled = r.doubled)"
SAME_BUT_TOWN: Final = (
    f"(len(l.tokens) > 1 AND len(r.tokens) > 1 AND {SAME_TELLING}"
    " AND list_has_all(list_concat(r.tokens, r.towns, l.towns), l.tokens)"
    " AND list_has_all(list_concat(l.tokens, r.towns, l.towns), r.tokens))"
)
NEAR_NAME: Final = f"""(
    {SAME_TELLING} AND damerau_levenshtein(l.compact, r.compact) <=
        CASE WHEN least(length(l.compact), length(r.compact)) < 5 THEN 0
             WHEN least(length(l.compact), length(r.compact)) < 12 THEN 1 ELSE 2 END
)"""
PART_OF_NAME: Final = "(list_has_all(l.tokens, r.tokens) OR list_has_all(r.tokens, l.tokens))"
ALIKE: Final = (
    "(jaro_winkler_similarity(l.compact, r.compact) >= 0.88 OR list_contains(r.compacts, l.domain_stem)"
    " OR list_contains(l.compacts, r.domain_stem))"
)
SAME_TOWN: Final = "(l.city = r.city OR l.postcode_area = r.postcode_area)"
SAME_STREET: Final = f"(jaro_winkler_similarity(l.street, r.street) >= 0.92 AND {SAME_TOWN})"
SAME_HOUSE: Final = f"(l.street_number = r.street_number AND (l.postcode = r.postcode OR {SAME_STREET}))"
NAMES_TOUCH: Final = f"({SAME_NAME} OR {SAME_BUT_TOWN} OR {PART_OF_NAME} OR {ALIKE} OR l.tokens[1] = r.tokens[1])"
ANYTHING_TOUCHES: Final = (
    f"({NAMES_TOUCH} OR list_has_any(l.domains, r.domains) OR l.phone = r.phone OR l.postcode = r.postcode)"
)
ELSEWHERE: Final = f"(({SAME_HOUSE} OR l.postcode = r.postcode OR {SAME_STREET}) IS NOT true)"
NOTHING_AGAINST: Final = f"""(
    list_has_any(l.domains, r.domains) IS NOT false
    AND NOT coalesce({SAME_TOWN} IS false AND {ELSEWHERE}, false)
    AND NOT coalesce(l.phone <> r.phone AND l.street IS NOT NULL AND r.street IS NOT NULL AND {ELSEWHERE}, false)
)"""
"""No other domain, no other town, and no other telephone at another address."""

FAMILY_NAME: Final = "((l.bare OR r.bare) AND (l.family OR r.family))"
"""The name of one is no more than a domain that several firms share."""

_UNLIKE: Final = (
    "len(list_filter({one}.telling, lambda word: len(list_filter({other}.telling,"
    " lambda its: starts_with(word, its) OR starts_with(its, word))) = 0)) > 0"
)
TELLING_DIFFERS: Final = (
    "((l.telling <> r.telling OR l.doubled <> r.doubled)"
    f" AND (l.doubled <> r.doubled OR {_UNLIKE.format(one='l', other='r')} OR {_UNLIKE.format(one='r', other='l')}))"
)
"""One name has a telling word, a place or a number that is not in the other, and is not the beginning of one there."""

SPELT_ALIKE: Final = (
    "(abs(length(l.compact) - length(r.compact)) <= 1 AND damerau_levenshtein(l.compact, r.compact) <= 2)"
)

DIVISIONS: Final = "['division', 'branch', 'depot', 'department', 'subsidiary']"
"""Words for a part of a firm."""

_OFFICIAL: Final = ("official",)
_NAME_AND: Final = {
    "domain": "list_transform(bags, lambda bag: bag || ' ' || domain)",
    "phone": "list_transform(bags, lambda bag: bag || ' ' || phone)",
    "address": "list_transform(bags, lambda bag: bag || ' ' || postcode || ' ' || street_number)",
}

ORGANISATION: Final = Linkage(
    record_type="organisation",
    blocks=(
        Block("official number", "official"),
        Block("name", "bags", largest=60),
        Block("name without spaces", "list_concat(compacts, [domain_stem])", largest=60),
        Block("domain", "domains", largest=60),
        Block("phone", "[phone]", largest=40),
        Block("mailbox", "[email]", largest=40),
        Block("rare word", "tokens", largest=40),
        Block("word and area", "list_transform(tokens, lambda token: token || ' ' || postcode_area)", largest=40),
        Block("word and city", "list_transform(tokens, lambda token: token || ' ' || city)", largest=40),
        Block(
            "two words",
            "list_transform(range(1, len(tokens)), lambda i: tokens[i] || ' ' || tokens[i + 1])",
            largest=60,
        ),
        Block("address", "[postcode || ' ' || street_number]", largest=40),
        Block("start of name and area", "[left(compact, 5) || ' ' || postcode_area]", largest=40),
    ),
    comparisons=(
        Comparison(
            "name",
            missing="l.name IS NULL OR r.name IS NULL",
            levels=(
                Level("same", f"{SAME_NAME} AND NOT {FAMILY_NAME}", m=0.80, u=3e-5, frequency="bag"),
                Level("same but for the town", SAME_BUT_TOWN, m=0.02, u=1e-6),
                Level("nearly the same", NEAR_NAME, m=0.06, u=1e-5),
                Level(
                    "one is part of the other",
                    f"{PART_OF_NAME} AND {SAME_TELLING} AND NOT (l.family OR r.family)",
                    m=0.06,
                    u=8e-5,
                ),
                Level(
                    "one is part of the other, but for a telling word",
                    f"{PART_OF_NAME} OR {SAME_NAME}",
                    m=0.005,
                    u=8e-5,
                    agrees=False,
                ),
                Level("alike", ALIKE, m=0.03, u=3e-4, agrees=False),
            ),
            taught_by=_OFFICIAL,
        ),
        Comparison(
            "official number",
            missing="(list_has_any(l.official_kinds, r.official_kinds)) IS NOT true",
            levels=(Level("same", "list_has_any(l.official, r.official)", m=0.85, u=1e-5),),
            taught_by=tuple(_NAME_AND.values()),
            labels=True,
        ),
        Comparison(
            "web and mail",
            missing="((l.domains IS NULL OR r.domains IS NULL) AND (l.email IS NULL OR r.email IS NULL))",
            levels=(
                Level("same mailbox", "l.email = r.email", m=0.10, u=2e-5, frequency="email"),
                Level("same domain", "list_has_any(l.domains, r.domains)", m=0.85, u=3e-4, frequency="domain"),
            ),
            identifies=False,
            taught_by=(*_OFFICIAL, _NAME_AND["phone"], _NAME_AND["address"]),
        ),
        Comparison(
            "phone",
            missing="l.phone IS NULL OR r.phone IS NULL",
            levels=(
                Level("same", "l.phone = r.phone", m=0.80, u=2e-4, frequency="phone"),
                Level(
                    "same but for the last digits",
                    "left(l.phone, length(l.phone) - 3) = left(r.phone, length(r.phone) - 3)",
                    m=0.05,
                    u=1e-4,
                    agrees=False,
                ),
            ),
            identifies=False,
            taught_by=(*_OFFICIAL, _NAME_AND["domain"], _NAME_AND["address"]),
        ),
        Comparison(
            "address",
            missing="(l.postcode IS NULL OR r.postcode IS NULL) AND (l.street IS NULL OR r.street IS NULL)",
            levels=(
                Level("same", SAME_HOUSE, m=0.60, u=2e-4),
                Level("same postcode", "l.postcode = r.postcode", m=0.10, u=1e-4, frequency="postcode"),
                Level("same street and town", SAME_STREET, m=0.10, u=1e-4),
                Level("same town", SAME_TOWN, m=0.08, u=0.02, agrees=False),
            ),
            identifies=False,
            taught_by=(*_OFFICIAL, _NAME_AND["domain"], _NAME_AND["phone"]),
        ),
    ),
    tiers=(
        Tier(
            "company_number",
            "[company_number]",
            ANYTHING_TOUCHES,
            "A register gives a number once; something else must agree, for a slip may make it another's number.",
        ),
        Tier("lei", "[lei]", "true", "A legal entity identifier is given once and carries its own check digits."),
        Tier(
            "vat_number",
            "[vat_number]",
            NAMES_TOUCH,
            "A tax number is given once, or to a group: the names must agree in part.",
        ),
        Tier(
            "cross_reference",
            "list_filter(official, lambda code: starts_with(code, 'id '))",
            NAMES_TOUCH,
            "One system states the number that another gave, and the names agree in part.",
        ),
        Tier(
            "name_and_domain",
            _NAME_AND["domain"],
            f"NOT {FAMILY_NAME}",
            "The same name at the same domain, and a name that says more than the domain where several firms share it.",
        ),
        Tier("name_and_address", _NAME_AND["address"], "true", "The same name at the same address."),
        Tier("name_and_phone", _NAME_AND["phone"], "true", "The same name at the same telephone."),
        Tier(
            "distinctive_name",
            "list_filter(bags, lambda bag: distinctive)",
            NOTHING_AGAINST,
            "The same name of several words, one of them in hardly any other name, and nothing that speaks against it.",
            largest=8,
        ),
    ),
    vetoes=(
        Veto(
            "company_number_differs",
            "l.company_number <> r.company_number"
            " AND split_part(l.company_number, ':', 1) = split_part(r.company_number, ':', 1)",
            "Two valid numbers of one register are two companies.",
            judges="official number",
        ),
        Veto(
            "lei_differs",
            "l.lei <> r.lei",
            "Two legal entity identifiers are two legal entities.",
            judges="official number",
        ),
        Veto(
            "vat_number_differs",
            "l.vat_number <> r.vat_number AND left(l.vat_number, 2) = left(r.vat_number, 2)"
            " AND (l.company_number = r.company_number) IS NOT true"
            f" AND ({SAME_NAME} AND (list_has_any(l.domains, r.domains) OR {SAME_HOUSE} OR l.phone = r.phone))"
            " IS NOT true",
            "Two valid tax numbers of one country are two taxpayers. With one registered number, or one name at one"
            " place, a number was copied wrong: that is a conflict for a person, and no second firm.",
            judges="official number",
        ),
        Veto(
            "parent_word_differs",
            "((l.parent_in_all AND NOT r.parent_in_any) OR (r.parent_in_all AND NOT l.parent_in_any))"
            f" AND NOT {NEAR_NAME} AND (l.company_number = r.company_number) IS NOT true",
            "A holding or a group is not the firm it holds.",
        ),
        Veto(
            "division_word_differs",
            f"(len(list_intersect(l.tokens, {DIVISIONS})) > 0) <> (len(list_intersect(r.tokens, {DIVISIONS})) > 0)"
            f" AND {SAME_HOUSE} IS NOT true AND (l.company_number = r.company_number) IS NOT true"
            " AND (l.phone = r.phone) IS NOT true",
            "A branch or a division elsewhere is not the firm that it belongs to.",
        ),
        Veto(
            "place_differs",
            "len(l.places) > 0 AND len(r.places) > 0 AND NOT list_has_any(l.places, r.places)"
            " AND (l.company_number = r.company_number) IS NOT true",
            "A firm named after one country or region is not its sister named after another.",
        ),
        Veto(
            "number_in_name_differs",
            "len(l.numerals) > 0 AND len(r.numerals) > 0 AND NOT list_has_any(l.numerals, r.numerals)"
            " AND (l.company_number = r.company_number) IS NOT true",
            "School 12 is not School 14.",
        ),
        Veto(
            "telling_word_differs",
            f"{TELLING_DIFFERS} AND ({PART_OF_NAME} OR {ALIKE} OR l.tokens[1] = r.tokens[1]) AND NOT (l.bare OR r.bare)"
            f" AND NOT {SPELT_ALIKE} AND NOT {SAME_NAME} AND list_has_any(l.official, r.official) IS NOT true",
            "A family of firms tells its members apart by such a word: Axibury is not Axibury Rentals, nor is that"
            " Axibury Print. One official number says more than that.",
        ),
    ),
    thresholds=Thresholds(accept=3.0, review=0.0, margin=2.0),
    prior=1e-4,
)

"""Contact points that a person shares with somebody else: to forget the one must not silence the other.

A mailbox or phone is shared where a record of another person, of a system that knows (`verified` or `staff`), states it
under a name that has no word in common with theirs, and a mailbox does not itself say a name of theirs. In doubt it is
theirs: the same person may be there twice, and what a stranger states keeps nobody from being forgotten.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from itertools import permutations
from typing import Final

from orchestration.erasure.suppression import mailbox, sql_mailbox
from orchestration.graph.reader import EntityGraph

_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_LONG: Final = 5
"""Letters of a name that say it where a mailbox begins or ends with them: a shorter one is part of many words."""
_OTHERS: Final = f"""
    SELECT DISTINCT point.channel, point.value, stated.name
    FROM contact_point AS point JOIN person_record AS stated USING (record_id)
    WHERE point.asserted_by IN ('verified', 'staff') AND stated.name IS NOT NULL
    AND NOT list_contains($own, record_id) AND NOT list_contains($entities, point.entity_id)
    AND (list_contains($mailboxes, {sql_mailbox("point.value")}) OR list_contains($phones, point.value))
"""
_LONGER: Final = """
    SELECT DISTINCT lower(trim(point.value)) AS value
    FROM contact_point AS point JOIN (SELECT unnest($mailboxes) AS own)
    ON starts_with(lower(trim(point.value)), own || '.')
    WHERE point.asserted_by IN ('verified', 'staff')
    AND NOT list_contains($own, point.record_id) AND NOT list_contains($entities, point.entity_id)
"""


def longer(
    graph: EntityGraph, *, entities: Collection[str], records: Collection[str], mailboxes: Collection[str]
) -> set[str]:
    """Mailboxes of somebody else that begin as one of theirs: `lee@x.example.shop`, where theirs is `lee@x.example`.

    As where they share one, what a stranger states is nobody's.

    Args:
        graph: What is believed.
        entities: Whom they are known as.
        records: Their records.
        mailboxes: Theirs.
    """
    if not mailboxes:
        return set()
    own = {"own": sorted(records), "entities": sorted(entities)}
    rows = graph.rows(_LONGER, {**own, "mailboxes": sorted({one.strip().lower() for one in mailboxes})})
    return {row["value"] for row in rows}


def shared(
    graph: EntityGraph,
    *,
    entities: Collection[str],
    records: Collection[str],
    names: Collection[str],
    contacts: Collection[str],
) -> set[str]:
    """Those of somebody's mailboxes and phones that are somebody else's too.

    Args:
        graph: What is believed now.
        entities: Whom they are known as.
        records: Their records.
        names: What these call them.
        contacts: Their mailboxes and phones, as records state them.
    """
    mailboxes = {one: mailbox(one) for one in contacts if "@" in one}
    rows = graph.rows(
        _OTHERS,
        {
            "own": sorted(records),
            "entities": sorted(entities),
            "mailboxes": sorted(set(mailboxes.values())),
            "phones": sorted(one for one in contacts if one not in mailboxes),
        },
    )
    words = {word for name in names for word in _words(name)}
    others = {row["value"] if "@" not in row["value"] else mailbox(row["value"]) for row in rows if _else(row, words)}
    return {
        one
        for one in contacts
        if (mailboxes.get(one, one) in others) and not (one in mailboxes and _says(mailboxes[one], names))
    }


def _else(row: dict[str, str], words: set[str]) -> bool:
    """Whether a record is of somebody who is called otherwise altogether."""
    called = _words(row["name"])
    return bool(called) and bool(words) and not called & words


def _says(address: str, names: Collection[str]) -> bool:
    """Whether a mailbox says a name of theirs: `mark.jones@`, `mjones@` or `mj@`, and not `marketing@`."""
    parts = _LETTERS.findall(_plain(address.rpartition("@")[0]))
    return bool(parts) and any(_stands(_LETTERS.findall(_plain(name)), parts) for name in names)


def _stands(words: list[str], parts: list[str]) -> bool:
    """Whether the words of a name stand in the parts of a mailbox, as they are, joined or by their initials."""
    initials = "".join(word[0] for word in words)
    forms = {"".join(words), initials, initials[:-1] + "".join(words[-1:]), *words}
    for one, other in permutations(words, 2):
        forms |= {one + other, one[0] + other, one + other[0], one[0] + other[0]}
    long = tuple(word for word in words if len(word) >= _LONG)
    return (
        any(len(part) > 1 and part in forms for part in parts) or parts[0].startswith(long) or parts[-1].endswith(long)
    )


def _words(name: str) -> set[str]:
    return set(_WORD.findall(_plain(name)))


def _plain(text: str) -> str:
    """Letters without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one))

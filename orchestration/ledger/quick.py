"""What the ledger says, found quickly where nothing is wrong with it: read no further than that takes.

Almost every entry is a decision, an intent, an outcome or an answer, written in one form. Its payload is cut where that
form has its parts, and the digest of each piece stands for the part. That a piece is the part is not known by then: it
is once the store's row turns out to have the same digest, since a row's digest is that of JSON. So whatever is found
here counts where **everything** agrees, and where anything does not, `telling` reads every entry as JSON and says what
is wrong. All other entries are read as `telling` reads them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import orjson

from orchestration.canonical import digest
from orchestration.ledger import kinds
from orchestration.ledger.cutting import cut_answer
from orchestration.ledger.links import Entry, faults, moment, plainly
from orchestration.ledger.subjects import (
    ANSWER,
    CALL,
    EVIDENCE,
    GONE,
    PARTS,
    POLICIES,
    STATE,
    STEPS,
    UNDER_WAY,
    Said,
    answer_digest,
)
from orchestration.ledger.telling import FINAL, told_by

_DECISION, _PROPOSAL, _PERMIT, _USE, _INTENT, _OUTCOME = (
    PARTS[part][0] for part in ("decision", "proposal", "permit", "use", "intent", "outcome")
)
_CUT: Final = frozenset({_DECISION, _PROPOSAL, _PERMIT, _USE, _INTENT, _OUTCOME})
_KEPT: Final = re.compile(rb'(?:"(stored:[0-9a-f]{64})"|null),"permit":')
_ASKED: Final = re.compile(
    rb',"request_digest":"[0-9a-f]{64}","snapshot_id":(?:"[^"\\]*"|null),"transient":(?:true|false),"verdict":"[a-z]+"\}\Z'
)
_TAIL: Final = 512
"""Octets at the end of what is said of a decision, in which all stands that is looked for there."""
_PROPOSED: Final = answer_digest("proposed", "")
_ANSWERED: Final = digest("answered")


class Quick:
    """What the ledger says, entry by entry.

    Attributes:
        said: The digest of what is said of each subject.
        doubtful: Whether anything was found that `telling` has to say something of.
    """

    def __init__(self) -> None:
        self.said: Said = defaultdict(dict)
        self.doubtful = False
        self._steps: dict[str, dict[str, int]] = defaultdict(dict)
        self._left: set[tuple[str, str]] = set()

    def hear(self, entry: Entry, gone: Mapping[Any, str], *, proven: bool = True) -> None:
        """Take in the next entry.

        Args:
            entry: The entry.
            gone: Entries of which an erasure removed the payload.
            proven: Whether it is believed, if it is a proof of erasure.
        """
        body, payload = (None, b"") if entry.seq in gone else sound(entry)
        if body is not None and self._cut(entry, body, payload):
            return
        if body is None and any(faults(entry, gone)):
            self.doubtful = True
        elif entry.kind != kinds.ERASED or proven:
            for subject, told in told_by(entry):
                self._take(subject.part, subject.key, told.digest, told.step, left=entry.kind == kinds.ERASED)
            if entry.kind == kinds.DECISION and str(entry.action) in self.said[_INTENT]:
                self.doubtful = True

    def agrees(self, store: Said) -> bool:
        """Whether the store says the very same, and nothing was doubtful."""
        if self.doubtful:
            return False
        return all(_there(self.said.get(part, {})) == store.get(part, {}) for part in self.said.keys() | store.keys())

    def _cut(self, entry: Entry, body: dict[str, Any], payload: bytes) -> bool:
        """Take in an entry that has the form which most of its kind have; says whether it has."""
        kind, action = entry.kind, entry.action
        if kind in {kinds.ANSWER, kinds.BEGUN}:
            return self._answer(entry, body, payload) if kind == kinds.ANSWER else self._call(body, UNDER_WAY, payload)
        if type(action) is not str or payload[-1:] != b"}":
            return False
        if kind == kinds.DECISION:
            return self._decision(action, body, payload)
        if kind == kinds.INTENT and not body.get("approval") and payload.startswith(b'{"intent":{'):
            self._once(_INTENT, action, payload[10:-1])
        elif kind == kinds.OUTCOME and payload.startswith(b'{"outcome":{') and not self._unknown(action, payload):
            self._once(_OUTCOME, action, payload[11:-1])  # its step is the final one where none is kept
            return self._call(body, GONE)
        else:
            return False
        return True

    def _unknown(self, action: str, payload: bytes) -> bool:
        """Whether an outcome may be unknown, or was before."""
        return b'"unknown"' in payload or action in self.said[_OUTCOME]

    def _call(self, body: dict[str, Any], said: str, more: bytes = b"") -> bool:
        """Take in that a call is begun or over: the last entry that says so counts; `more` is what else is said."""
        permit = body.get("permit")
        if more or type(permit) is not str or (said and body.get("state") != "sending"):
            return False
        self.said[CALL][permit] = said
        return True

    def _take(self, part: str, key: str, said: str, step: int, *, left: bool = False) -> None:
        """Take in what `telling` would, by the same rule."""
        known, steps = self.said[part], self._steps[part]
        if key not in known and not left:
            known[key], steps[key] = said, step
            return
        before = steps.get(key, FINAL if part == _OUTCOME else 0) if key in known else None
        if left:
            again = (part, key) in self._left or part == STATE
            self._left.add((part, key))
            step = 0 if before is None else before + again
        if before is None or step > before:
            if before is not None and part in _CUT and key not in steps:  # it was cut, and is compared with nothing now
                self.doubtful = True
            known[key], steps[key] = said, step
        elif known[key] != said:
            self.doubtful = True

    def _once(self, part: str, key: str, said: bytes) -> None:
        """Take in a piece of a payload, of which there is one alone, or the same again."""
        found = sha256(said).hexdigest()
        if self.said[part].setdefault(key, found) != found:
            self.doubtful = True

    def _decision(self, action: str, body: dict[str, Any], payload: bytes) -> bool:
        permit, number = body.get("permit"), body.get("decision")
        evidence = payload.find(b',"evidence":')
        kept = _KEPT.match(payload, evidence + 12)
        if kept is None or type(number) is not int or evidence < 0:
            return False
        proposal = payload.find(b',"proposal":{', kept.end())
        use = payload.find(b',"use":{', proposal)
        minted = payload[kept.end() : proposal]
        if proposal < 0 or not payload.startswith(b'{"decision":{') or (minted == b"null") != (permit is None):
            return False
        decision = payload[12:evidence]
        asked = _ASKED.search(decision, max(len(decision) - _TAIL, 0))
        if asked is None or (permit is None and use >= 0):
            return False
        self._once(_DECISION, str(number), decision)
        self._once(_PROPOSAL, action, payload[proposal + 12 : use if use >= 0 else -1])
        if permit is not None:
            self._once(_PERMIT, str(permit), minted)
            if use >= 0:
                self._once(_USE, str(permit), payload[use + 7 : -1])
        if kept[1]:
            self._take(EVIDENCE, action, kept[1].decode(), 2 * number)
        policies = str(body.get("policy_digest"))
        if self.said[POLICIES].get(policies) != policies:
            self._take(POLICIES, policies, policies, 0)
        self.doubtful = self.doubtful or action in self.said[_INTENT]
        return True

    def _answer(self, entry: Entry, body: dict[str, Any], payload: bytes) -> bool:
        """An answer to many rows at once, cut where each proposal begins and ends."""
        cut = cut_answer(payload)
        if cut is None:
            return False
        proposals, rest = cut
        other = replace(entry, payload=rest)
        if other.covers().get("proposals") != {}:
            return False
        answered, proposed = self.said[ANSWER], self.said[_PROPOSAL]
        for action, row_id, text in proposals:
            found = sha256(text).hexdigest()
            if proposed.setdefault(action, found) != found or answered.setdefault(row_id, _PROPOSED) != _PROPOSED:
                self.doubtful = True
        self._take(STATE, str(body.get("batch")), _ANSWERED, STEPS["answered"])
        for subject, told in told_by(other):
            self._take(subject.part, subject.key, told.digest, told.step)
        return True


def sound(entry: Entry) -> tuple[dict[str, Any] | None, bytes]:
    """What the body of an entry says and the octets of its payload; no body where `links.faults` may find anything."""
    body, payload, salt = entry.body, entry.payload, entry.salt
    try:
        octets = body.encode()
        said = orjson.loads(octets)
        held = b"" if payload is None else payload.encode()
    except (AttributeError, TypeError, ValueError):  # it is no text, or holds what is no Unicode or no JSON
        return None, b""
    if type(said) is not dict or type(entry.seq) is not int or sha256(octets).hexdigest() != entry.hash:
        return None, b""
    at, promised = said.get("at"), said.get("commitment")
    if (
        said.get("seq") != entry.seq
        or said.get("kind") != entry.kind
        or said.get("action") != entry.action
        or said.get("previous") != entry.previous
        or (plainly(entry.at) != at and moment(entry.at) != at)
    ):
        return None, b""
    if promised is None or payload is None or type(salt) is not str:
        return (said if promised is None and payload is None else None), b""
    if sha256(salt.encode("utf-8", "surrogatepass") + b"\n" + held).hexdigest() != promised:
        return None, b""
    return said, held


def _there(said: dict[str, str]) -> dict[str, str]:
    """What is said but for what was removed by leave."""
    return {key: each for key, each in said.items() if each != GONE} if GONE in said.values() else said

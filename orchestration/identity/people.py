"""The people file: who may do what, and a hash of the token by which each is known.

A token is 256 random bits, made here and shown once, so that a plain SHA-256 of it tells nobody anything: there is
nothing to guess. A token that somebody thought up is not taken. Whoever can write the file decides who is in it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Self

import yaml
from pydantic import AwareDatetime, Field, ValidationError, field_validator, model_validator

from orchestration.contracts import Contract
from orchestration.errors import ConfigurationError, NotFound
from orchestration.gate.keys import OWNER_ONLY, place
from orchestration.identity.person import Person, Role
from orchestration.work.alone import alone

TOKEN: Final = re.compile(r"precede_[A-Za-z0-9_-]{43}")
"""What a token looks like, so that whoever searches for lost ones finds it."""
LONGEST_DAYS: Final = 366
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_HEADING: Final = "# Who may do what. `precede people` writes this file; a token itself stands nowhere.\n"


class Entry(Contract):
    """One person of the file."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    mailbox: Annotated[str, Field(max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")] | None = None
    roles: tuple[Role, ...] = Field(min_length=1)
    token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", repr=False)]
    added: AwareDatetime
    expires: AwareDatetime

    @field_validator("name")
    @classmethod
    def _one_way_to_write_it(cls, name: str) -> str:
        if name != unicodedata.normalize("NFKC", name).strip() or not name.isprintable() or "@" in name:
            raise ValueError("a name in its usual characters, without @ and without spaces around it")
        return name

    @property
    def person(self) -> Person:
        """The person, once their token was shown."""
        return Person(self.name, frozenset(self.roles), "token", self.mailbox or "")


class People(Contract):
    """Everybody in the file."""

    people: tuple[Entry, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for what, each in (
            ("name", [one.name.casefold() for one in self.people]),
            ("token", [one.token_sha256 for one in self.people]),
        ):
            if len(set(each)) < len(each):
                raise ValueError(f"each {what} once")
        return self

    def of(self, token: str) -> Entry | None:
        """Whose token it is; every entry is compared, whichever it is."""
        if not TOKEN.fullmatch(token):
            return None
        shown = hashed(token)
        found = [one for one in self.people if hmac.compare_digest(one.token_sha256, shown)]
        return found[0] if found else None

    def named(self, name: str) -> Entry:
        """The person of that name.

        Raises:
            NotFound: There is none.
        """
        for one in self.people:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in self.people) or "nobody"
        raise NotFound(f"The people file knows no {name!r}; needed one of: {names}; see `precede people list`.")

    def operators(self, now: datetime) -> list[Entry]:
        """Those who may say who else is in the file."""
        return [one for one in self.people if Role.OPERATOR in one.roles and one.expires > now]


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was just made; it can be shown once, and never again."""

    text: str

    def __repr__(self) -> str:
        return "Token(…)"


def new_token() -> Token:
    """A token of 256 random bits."""
    return Token(f"precede_{secrets.token_urlsafe(32)}")


def hashed(token: str) -> str:
    """What the file keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def added(  # noqa: PLR0913  what is known of a person
    people: People, name: str, roles: Iterable[Role], *, mailbox: str | None, days: int, now: datetime
) -> tuple[People, Token]:
    """The people with one more, and that one's token.

    Raises:
        ConfigurationError: The name is taken or cannot be one, no role is given, or it would last too long.
    """
    if any(one.name.casefold() == name.casefold() for one in people.people):
        raise ConfigurationError(f"the name {name!r}", "somebody of that name", "a new one, or `precede people rotate`")
    token = new_token()
    said = {
        "name": name,
        "mailbox": mailbox,
        "roles": tuple(dict.fromkeys(roles)),
        "token_sha256": hashed(token.text),
        "added": now,
        "expires": now + _days(days),
    }
    return People(people=(*people.people, _entry(said))), token


def rotated(people: People, name: str, *, days: int, now: datetime) -> tuple[People, Token]:
    """The people with another token for one of them; the one before is of no use from then on.

    Raises:
        NotFound: There is nobody of that name.
        ConfigurationError: It would last too long.
    """
    token = new_token()
    changed = {"token_sha256": hashed(token.text), "expires": now + _days(days)}
    after = people.named(name).model_copy(update=changed)
    return People(people=tuple(after if one.name == name else one for one in people.people)), token


def without(people: People, name: str, *, now: datetime) -> People:
    """The people without one of them.

    Raises:
        NotFound: There is nobody of that name.
        ConfigurationError: Nobody would be left who may add others.
    """
    gone = people.named(name)
    left = People(people=tuple(one for one in people.people if one is not gone))
    if left.people and not left.operators(now):
        raise ConfigurationError("the people file", f"{name} as the last operator", "another operator first")
    return left


def load(path: Path) -> People | None:
    """The people of a file; none where there is no file.

    Raises:
        ConfigurationError: It cannot be read, says something that cannot be, or others than its owner may write it.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise ConfigurationError(str(path), problem.strerror or "an unreadable file", "a readable file") from problem
    if not stat.S_ISREG(found.st_mode):
        raise ConfigurationError(str(path), "no regular file", "the people file")
    if found.st_mode & _OTHERS_MAY_WRITE or found.st_uid not in {0, os.geteuid()}:
        raise ConfigurationError(str(path), "a file that others may write", "mode 600 and your own (chmod 600, chown)")
    return _read(path)


def save(path: Path, people: People) -> None:
    """Put the file in place, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = people.model_dump(mode="json", exclude_none=True)
    written = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
    place(path, (_HEADING + written).encode(), OWNER_ONLY, replace=True)


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Alone with the file, so that two who change it at once do not undo each other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path.parent, "people"):
        yield


def _days(days: int) -> timedelta:
    if not 0 < days <= LONGEST_DAYS:
        raise ConfigurationError("--days", f"{days}", f"a number from 1 to {LONGEST_DAYS}")
    return timedelta(days=days)


def _entry(said: Mapping[str, object]) -> Entry:
    try:
        return Entry.model_validate(said)
    except ValidationError as problem:
        needed = "a name of 1 to 100 usual characters without @, at least one role, and a mailbox with an @ if any"
        raise ConfigurationError(_where(problem) or "the person", "what cannot be kept", needed) from problem


def _read(path: Path) -> People:
    """What a file says; no error repeats any of it, since a token may have been put there by mistake."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return People() if content is None else People.model_validate(content)
    except OSError as problem:
        raise ConfigurationError(str(path), problem.strerror or "an unreadable file", "a readable file") from problem
    except (UnicodeDecodeError, yaml.YAMLError) as problem:
        mark = getattr(problem, "problem_mark", None)
        place_in_it = f", line {mark.line + 1}" if mark is not None else ""
        raise ConfigurationError(f"{path}{place_in_it}", "no YAML in UTF-8", "what `precede people` wrote") from None
    except ValidationError as problem:
        needed = "what `precede people` wrote: name, roles, token_sha256, added and expires of each, and each once"
        raise ConfigurationError(f"{path}: {_where(problem)}", "what cannot be", needed) from None


def _where(problem: ValidationError) -> str:
    """The fields at fault, without what stands in them."""
    faults = problem.errors(include_url=False, include_context=False, include_input=False)
    return ", ".join(dict.fromkeys(".".join(map(str, fault["loc"][:3])) for fault in faults[:5]))

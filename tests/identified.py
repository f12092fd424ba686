"""People with tokens, for tests of what takes somebody with a role."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestration.identity import people
from orchestration.identity.person import Role
from orchestration.settings import Settings

EVERY_ROLE = tuple(Role)


def token_for(settings: Settings, name: str, *roles: Role, days: int = 1, now: datetime | None = None) -> str:
    """Put a person into the people file, with every role where none is named; their token."""
    before = people.load(settings.people) or people.People()
    at = now or datetime.now(UTC)
    if name in {one.name for one in before.people}:
        after, token = people.rotated(before, name, days=days, now=at)
    else:
        after, token = people.added(before, name, roles or EVERY_ROLE, mailbox=None, days=days, now=at)
    people.save(settings.people, after)
    return token.text


def signed_in(environment: pytest.MonkeyPatch, name: str, *roles: Role) -> None:
    """Let the commands that follow be run by that person."""
    environment.delenv("PRECEDE_TOKEN_FILE", raising=False)
    environment.setenv("PRECEDE_TOKEN", token_for(Settings(), name, *roles))

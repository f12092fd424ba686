"""Who runs a command that decides something: asked of their token, never of an option."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestration.identity import who
from orchestration.identity.clock import latest
from orchestration.identity.person import Person, Role
from orchestration.settings import Settings
from orchestration.store.engine import Store


def acting(store: Store, settings: Settings, *roles: Role) -> Person:
    """The person whose token the environment holds, where they have one of those roles.

    Args:
        store: The coordinator's, whose ledger says what time it is at least.
        settings: Where people are.
        roles: Any one of them suffices.

    Raises:
        NotIdentified: There is no token, or it is nobody's, or over.
        NotEntitled: They have none of those roles.
    """
    with store.read() as connection:
        now = latest(connection, datetime.now(UTC))
    return who.require(who.person(settings, who.presented(settings), now), *roles)

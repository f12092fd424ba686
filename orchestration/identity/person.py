"""A person as a credential identifies them, and what their roles let them do. Nothing here reads a file or a token."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestration.errors import NotEntitled


class Role(StrEnum):
    """What somebody was given leave to do."""

    REVIEWER = "reviewer"
    """Says which records are one and which value is right, and answers what waits for a person."""
    OPERATOR = "operator"
    """Stops and starts agents, revokes, undoes and erases, and says who else may."""
    AUDITOR = "auditor"
    """Asks for proofs: signs the ledger's head and exports from it."""


ROLES: Final = tuple(role.value for role in Role)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who showed a valid token.

    Attributes:
        name: What the ledger calls them; no two people have the same.
        roles: What they may do.
        how: `token` for one of the people file, `oidc` for a claim of the issuer's.
        mailbox: Where they are reached; empty where it is not known.
    """

    name: str
    roles: frozenset[Role]
    how: str
    mailbox: str = ""


def require(person: Person, *roles: Role) -> Person:
    """The person, where they have one of those roles.

    Raises:
        NotEntitled: They have none of them.
    """
    if person.roles.isdisjoint(roles):
        held = ", ".join(sorted(person.roles)) or "no role"
        needed = " or ".join(roles)
        raise NotEntitled(
            f"{person.name} is identified with the roles: {held}; needed {needed}; ask an operator for that role, or "
            "somebody who has it to do this."
        )
    return person

"""Who may answer for what is held: never its author, and not the agent's owner where the card says so. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from orchestration.errors import NotEntitled
from orchestration.identity.person import Person
from orchestration.registry import AgentCard


def entitled(person: Person, card: AgentCard | None, authors: Iterable[str]) -> None:
    """Refuse whoever may not consent to a proposal.

    Args:
        person: Who wants to.
        card: The agent's; none of an agent that is not known any more.
        authors: Everybody who wrote the proposal, or one whose place it took.

    Raises:
        NotEntitled: They wrote some of it, own the agent that proposed it where its card excludes the owner, or it is
            not known whether they do.
    """
    mine = {_same(name) for name in (person.name, person.mailbox) if name.strip()}
    if not mine.isdisjoint(map(_same, authors)):
        raise NotEntitled(
            f"{person.name} wrote this proposal; needed somebody else's consent: nobody approves their own; ask "
            "another reviewer."
        )
    if card is None:
        raise NotEntitled(
            "The agent that proposed it has no card any more; needed one that says who may approve; put its folder "
            "back, or reject the proposal."
        )
    if not card.exclude_owner:
        return
    if _same(card.owner) in mine:
        raise NotEntitled(
            f"{person.name} owns the agent {card.name}, whose card excludes its owner; needed another "
            "reviewer's consent."
        )
    if not person.mailbox:
        raise NotEntitled(
            f"It is not known whether {person.name} owns the agent {card.name}, whose card excludes its owner; needed "
            "a reviewer whose mailbox is known; ask an operator to add them with `precede people add … --mailbox`."
        )


def _same(name: str) -> str:
    """A name or mailbox as it is compared: however it is written and spaced, and with or without a `+tag`."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", name) if unicodedata.category(one) != "Cf")
    folded = " ".join(seen.split()).casefold()
    local, at, domain = folded.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" if at else folded

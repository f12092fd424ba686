"""Who runs a command: from the token that the environment holds, and from nothing that the command is told."""

from __future__ import annotations

import os
import stat
from datetime import datetime
from pathlib import Path
from typing import Final

from orchestration.errors import NotIdentified
from orchestration.identity import people
from orchestration.identity.person import Person, Role, require
from orchestration.settings import Settings

__all__ = ["Person", "Role", "person", "presented", "require"]

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_LONGEST: Final = 16_384
_ADD: Final = 'precede people add "YOUR NAME" --role reviewer --role operator'


def presented(settings: Settings) -> str:
    """The token of PRECEDE_TOKEN, or of the file that PRECEDE_TOKEN_FILE names.

    Raises:
        NotIdentified: Neither is set, the file cannot be read, or others than its owner can.
    """
    if token := settings.token:
        return token.strip()
    if file := settings.token_file:
        return _from(file)
    raise NotIdentified(
        "Nobody is identified: no token was shown; needed yours in PRECEDE_TOKEN, or the path of a file that holds it "
        f"in PRECEDE_TOKEN_FILE; whoever has none is given one by `{_ADD}`."
    )


def person(settings: Settings, token: str, now: datetime) -> Person:
    """Whose token it is: by the issuer where one is set, and by the people file otherwise.

    Args:
        settings: Where either is.
        token: What was shown.
        now: The time to judge its end by.

    Raises:
        NotIdentified: It is nobody's, or its time is over.
        ConfigurationError: The file or the issuer's keys cannot be used.
    """
    if oidc := settings.oidc:
        from orchestration.identity.oidc import person as by_claims  # noqa: PLC0415  only who has an issuer pays for it

        return by_claims(oidc, token, now)
    known = people.load(settings.people)
    if known is None or not known.people:
        raise NotIdentified(
            f"Nobody is identified: there is nobody in {settings.people} yet; needed the person who does this, with a "
            f"role; add yourself with `{_ADD}`."
        )
    found = known.of(token)
    if found is None:
        raise NotIdentified(
            f"Nobody is identified: the token shown is nobody's in {settings.people}; needed the one that `precede "
            "people add` printed; ask an operator for `precede people rotate` where it is lost."
        )
    if now >= found.expires:
        raise NotIdentified(
            f"{found.name}'s token ended at {found.expires.isoformat()}; needed one that lasts; ask an operator for "
            "`precede people rotate`."
        )
    return found.person


def _from(file: Path) -> str:
    needed = "needed a file with the token alone in it, that its owner alone may read; see PRECEDE_TOKEN_FILE"
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            if not stat.S_ISREG(mode) or mode & _OTHERS:
                raise NotIdentified(f"Nobody is identified: others may read {file}, or it is no file; {needed}.")
            return opened.read(_LONGEST).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise NotIdentified(f"Nobody is identified: {file} holds no token that can be read; {needed}.") from problem

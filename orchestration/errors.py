"""Errors that a user can meet.

    PrecedeError
    ├── ConfigurationError     a file or variable of the user's says something that cannot be
    │   ├── SourceError        … in a source folder
    │   ├── AgentError         … in an agent folder
    │   └── ActionTypeError    … in an action type
    ├── NotFound               an id or a text that names nothing
    ├── NoGraph                nothing has been published yet
    ├── StoreError             the store cannot be opened or read
    ├── PublicationRefused     a blocking check failed, so the graph was not published
    ├── PermitRefused          a permit does not cover what was asked
    ├── EffectRefused          an effect cannot be taken back or settled as it stands
    ├── NotIdentified          nobody, or nobody known, showed a token
    └── NotEntitled            somebody known asked for what none of their roles lets them do

Each message says what was found, what was needed and what to do. The command line prints it and exits with 1.
"""

from __future__ import annotations


class PrecedeError(Exception):
    """Something a user can put right; the message says how."""


class ConfigurationError(PrecedeError):
    """A file or variable says something that cannot be.

    Args:
        where: The file and the field in it.
        found: What stands there.
        needed: What should.
    """

    def __init__(self, where: str, found: str, needed: str) -> None:
        super().__init__(f"{where}: found {found}; needed {needed}.")


class SourceError(ConfigurationError):
    """A source folder says something that cannot be."""


class AgentError(ConfigurationError):
    """An agent folder says something that cannot be."""


class ActionTypeError(ConfigurationError):
    """An action type says something that cannot be."""


class NotFound(PrecedeError):  # noqa: N818  reads as the sentence it is
    """An id or a text that names nothing."""


class NoGraph(PrecedeError):  # noqa: N818  reads as the sentence it is
    """Nothing has been published yet."""


class StoreError(PrecedeError):
    """The store cannot be opened or read."""


class PublicationRefused(PrecedeError):  # noqa: N818  reads as the sentence it is
    """A blocking check failed, so the graph was not published."""


class PermitRefused(PrecedeError):  # noqa: N818  reads as the sentence it is
    """A permit does not cover what was asked of a tool."""


class EffectRefused(PrecedeError):  # noqa: N818  reads as the sentence it is
    """An effect cannot be taken back or settled: it did not happen, was taken back already, or nothing proves it."""


class NotIdentified(PrecedeError):  # noqa: N818  reads as the sentence it is
    """Nobody, or nobody known, showed a token; the message never repeats it."""


class NotEntitled(PrecedeError):  # noqa: N818  reads as the sentence it is
    """Somebody known asked for what none of their roles lets them do."""

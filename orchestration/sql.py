"""Names and texts in SQL, where they cannot be bound."""

from __future__ import annotations


def quoted(name: str) -> str:
    """An identifier, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """A text, such as a path, as a literal."""
    return "'" + str(text).replace("'", "''") + "'"

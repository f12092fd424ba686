"""What the documentation tells a reader to run: the fenced blocks of README.md and docs/."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PAGES = (PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md")))
_BLOCK = re.compile(r"^```(?P<language>[a-z]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, its language and its text."""

    where: str
    language: str
    text: str


def blocks(*languages: str) -> list[Block]:
    """The blocks of the documentation in these languages."""
    return [
        Block(
            f"{page.relative_to(PROJECT).as_posix()}:{text.count(chr(10), 0, found.start()) + 1}",
            language,
            found["text"],
        )
        for page in PAGES
        for text in [page.read_text()]
        for found in _BLOCK.finditer(text)
        if (language := found["language"]) in languages
    ]


def commands() -> list[tuple[str, str]]:
    """(where, command) of each line of a `sh` block; a line that ends with a backslash goes on."""
    return [
        (block.where, line.strip())
        for block in blocks("sh")
        for line in block.text.replace("\\\n", " ").splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]

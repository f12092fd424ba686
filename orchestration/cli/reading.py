"""What every command that only looks does the same way: open the store or the graph, and print."""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from orchestration.errors import ConfigurationError, NotFound
from orchestration.settings import Settings

if TYPE_CHECKING:
    from orchestration.contracts import Reason
    from orchestration.graph.reader import EntityGraph
    from orchestration.store.engine import Store

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
WIDTH: Final = 100
"""Characters of a line where standard output is no terminal."""
_DIRECTIONS: Final = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""What has text read from the other side: a stranger could have a line shown as another one."""
_HARMLESS: Final = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160), *_DIRECTIONS))
"""Control codes but tab and line feed, which are left out: they take no room, and a terminal would obey them."""


_MEANINGS: Final = {"permitted": "That policy permits it.", "review": "That policy asks for a person's consent."}
"""Of reasons that say nothing but the policy that gives them."""


@contextmanager
def reading_store() -> Iterator[Store]:
    """The store, for as long as the block lasts; none is made where there is none.

    Raises:
        StoreError: There is no store, or it cannot be read.
    """
    from orchestration.store.engine import open_store  # noqa: PLC0415  only who reads the store pays for its import

    store = open_store(Settings(), create=False)
    try:
        yield store
    finally:
        store.close()


def known_agents(store: Store, settings: Settings) -> set[str]:
    """The agents that there are, or were; cards are not read, so that a broken one keeps nobody from stopping it."""
    from sqlalchemy import select  # noqa: PLC0415  only who reads the store pays for its import

    from orchestration.store.tables import batch  # noqa: PLC0415  the same

    with store.read() as connection:
        woken = set(connection.execute(select(batch.c.agent).distinct()).scalars())
    return woken | {path.parent.name for path in settings.agents.glob("*/agent.yml")}


def refuse_unknown(agent: str | None, store: Store) -> None:
    """Refuse to look for what an agent did that there never was: that nothing is found would be no answer.

    Raises:
        NotFound: There is no such agent.
    """
    settings = Settings()
    if agent is not None and agent not in (known := known_agents(store, settings)):
        names = ", ".join(sorted(known)) or "none"
        raise NotFound(f"There is no agent {agent!r}; needed one of: {names}; see the folder {settings.agents}.")


@contextmanager
def reading_graph(as_of: str | None = None) -> Iterator[EntityGraph]:
    """The current graph, or an earlier one, for as long as the block lasts.

    Args:
        as_of: A snapshot's id, or a time.

    Raises:
        NoGraph: None was published yet, or that one is not kept.
        StoreError: There is no store, or it cannot be read.
    """
    from orchestration.graph.current import open_as_of, open_current  # noqa: PLC0415  only who reads the graph pays

    settings = Settings()
    with (
        reading_store() as store,
        open_current(store, settings) if as_of is None else open_as_of(store, settings, as_of) as graph,
    ):
        yield graph


def because(reason: str) -> str:
    """The reason that a command was given.

    Raises:
        ConfigurationError: It says nothing.
    """
    if not reason.strip():
        raise ConfigurationError("--reason", "nothing", "a few words")
    return reason.strip()


def print_json(value: object) -> None:
    """Print one JSON value: dataclasses as objects, times and dates in ISO form, money as text."""
    sys.stdout.write(json.dumps(value, indent=2, default=_jsonable, ensure_ascii=False) + "\n")


class Paper(Console):
    """A console that prints what sources say as it is: no markup, no emoji, and no control codes for the terminal."""

    def __init__(self) -> None:
        super().__init__(highlight=False, markup=False, emoji=False)
        if not self.is_terminal:
            self.width = WIDTH

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """The segments of a renderable, without control codes in their text."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(segment.text.translate(_HARMLESS), segment.style)


def headed(title: str, body: RenderableType) -> RenderableType:
    """A part of a page under its title."""
    return Group(Text(f"\n{title}", style="bold"), indented(body))


def indented(body: RenderableType) -> RenderableType:
    """A part of a page two characters further in."""
    return Padding(body, (0, 0, 0, 2), expand=False)


def table(*columns: str, whole: Container[str] = ()) -> Table:
    """A table without lines, as every command prints one; ids in the columns `whole` stay in one piece to be copied."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        made.add_column(column, overflow="fold", no_wrap=column in whole)
    return made


def spoken(code: str) -> str:
    """A reason's code as words."""
    return code.replace("_", " ").replace(":", ": ")


def told(reason: Reason) -> str:
    """A reason as words, with what it is about."""
    return f"{spoken(reason.code)}: {reason.subject}" if reason.subject else spoken(reason.code)


def meaning(reason: Reason) -> str:
    """What a reason means, in a sentence."""
    return reason.detail or _MEANINGS.get(reason.code, "")


def plain(value: object) -> str:
    """A value as a person reads it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return "" if value is None else str(value)


def _jsonable(value: object) -> Any:  # noqa: ANN401  whatever JSON holds
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no JSON form")

"""Where attacks are made: a home, a store, books and tools of their own for each, made as the tests make theirs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any, Self, TypeVar

import pytest

from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from tests import waking
from tests.integration.gate.world import World
from tests.serving import new_database, postgres

Made = TypeVar("Made")


class Missing(Exception):  # noqa: N818  reads as the sentence it is
    """What an attack needs is not there; it says what."""


class Grounds:
    """Makes grounds, and keeps what is made once for all of them.

    Args:
        folder: Where everything is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._made: dict[str, Any] = {}
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def fresh(self) -> Iterator[Ground]:
        """Ground for one attack: an empty folder and an environment in which nothing of Precede's is set."""
        self._count += 1
        with (
            TemporaryDirectory(dir=self.folder, prefix=f"{self._count:03}-", ignore_cleanup_errors=True) as made,
            pytest.MonkeyPatch.context() as environment,
            ExitStack() as stack,
        ):
            for name in [each for each in os.environ if each.startswith(("PRECEDE_", "DAGSTER_"))]:
                environment.delenv(name)
            yield Ground(Path(made), environment, stack, self)

    def once(self, name: str, make: Callable[[Path], Made]) -> Made:
        """What several attacks look at, made by the first that asks for it."""
        if name not in self._made:
            folder = self.folder / name
            folder.mkdir()
            self._made[name] = make(folder)
        made: Made = self._made[name]
        return made

    def lasting(self, name: str, context: Callable[[], AbstractContextManager[Made]]) -> Made:
        """The same of what is to be ended at the end."""
        return self.once(name, lambda _: self._stack.enter_context(context()))


class Ground:
    """One attack's ground.

    Args:
        folder: Empty, and its own.
        environment: To set variables and break things, for as long as the attack lasts.
        stack: Ended after the attack.
        grounds: What is shared with the others.
    """

    def __init__(self, folder: Path, environment: pytest.MonkeyPatch, stack: ExitStack, grounds: Grounds) -> None:
        self.folder, self.environment, self.stack, self.grounds = folder, environment, stack, grounds

    def world(self, *, books: bool = True) -> World:
        """Three debtors, published, with a store and an ERP."""
        home = Path(copytree(self.grounds.once("published", _publish), self.folder / "home"))
        world = World(home, self.store(home), published=1)
        if books:
            world.make_erp()
        return world

    def reminded(self) -> tuple[World, list[str]]:
        """The same after each of them was sent a reminder, and the actions."""
        home, actions = self.grounds.once("reminded", lambda folder: _remind(self.grounds, folder))
        copied = Path(copytree(home, self.folder / "home"))
        return World(copied, self.store(copied), published=1), list(actions)

    def store(self, home: Path) -> Store:
        """A store in a home, closed after the attack."""
        store = open_store(Settings(home=home))
        self.stack.callback(store.close)
        return store

    def woken(self) -> waking.World:
        """A home with a published graph in which agents can be woken, and whose exchange they answer through."""
        made = waking.a_world(self.folder, self.environment)

        def end() -> None:
            with suppress(StopIteration):
                next(made)

        self.stack.callback(end)
        return next(made)

    def database(self) -> str:
        """The URL of an empty database on a real Postgres.

        Raises:
            Missing: No server can be started here.
        """
        try:
            url = self.grounds.lasting("postgres", postgres)
        except (ImportError, OSError, RuntimeError) as problem:
            raise Missing(f"no Postgres server can be started here ({problem})") from problem
        return new_database(url, str(self.folder))


def _publish(folder: Path) -> Path:
    store = open_store(Settings(home=folder / "home"))
    World(folder / "home", store).publish()
    store.close()
    return folder / "home"


def _remind(grounds: Grounds, folder: Path) -> tuple[Path, list[str]]:
    home = Path(copytree(grounds.once("published", _publish), folder / "home"))
    store = open_store(Settings(home=home))
    actions = World(home, store, published=1).remind()
    store.close()
    return home, actions

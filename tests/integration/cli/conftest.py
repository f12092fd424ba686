"""The command line, run in this process as the script `precede` runs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestration.cli.main import main
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from tests.graph_fixture import publish_graph
from tests.integration.ledger import story


@dataclass(frozen=True)
class Result:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Precede = Callable[..., Result]


@pytest.fixture
def precede(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Precede:
    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["precede", *arguments])
        capsys.readouterr()
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        else:
            code = 0
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which nothing has run yet."""
    for name in ("PRECEDE_STORE_URL", "DAGSTER_HOME", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRECEDE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the small graph published; no test writes to it."""
    settings = Settings(home=tmp_path_factory.mktemp("published"))
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PRECEDE_STORE_URL", raising=False)
        with closing(open_store(settings)) as store:
            publish_graph(store, settings).close()
    return settings.home


@pytest.fixture
def published(published_home: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001  clears
    monkeypatch.setenv("PRECEDE_HOME", str(published_home))
    return published_home


@pytest.fixture
def told(home: Path) -> Path:
    """A home whose store tells of one reminder performed and one denied; its graph has expired."""
    with closing(open_store(Settings(home=home))) as store:
        story.tell(store)
    return home

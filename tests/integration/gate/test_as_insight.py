"""What insight does by the role that it is given, which may read no proposal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from insight.linkage.model import load_model
from insight.linkage.tuning import command
from insight.linkage.tuning.trial import Trial, _waiting
from orchestration.errors import StoreError
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store, open_store
from tests.integration.gate.world import World
from tests.serving import new_database


@pytest.fixture
def roles(
    published_in_postgres: tuple[Path, str],
    postgres_url: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Store, Store]]:
    """The store with a proposal in it, as the coordinator has it open and as insight has."""
    home, database = published_in_postgres
    url = new_database(postgres_url, request.node.nodeid, copied=database)
    opened = []
    for role in ("coordinator", "insight"):
        monkeypatch.setenv("PRECEDE_STORE_URL", url.replace("//postgres:", f"//precede_{role}:"))
        opened.append(open_store(Settings(home=home), create=False))
    with closing(opened[0]) as coordinator, closing(opened[1]) as of_insight:
        World(home, coordinator, published=1).propose_all()
        yield coordinator, of_insight


def test_a_model_is_tried_without_what_insight_may_not_read(roles: tuple[Store, Store]) -> None:
    coordinator, of_insight = roles
    with pytest.raises(StoreError, match="permission denied"), of_insight.read() as connection:
        connection.execute(select(tables.proposal.c.action)).all()
    assert sorted(_waiting(coordinator) or ()) == ["org_1", "org_2", "org_3"]
    assert _waiting(of_insight) is None


@pytest.mark.parametrize("knows", [True, False])
def test_a_trial_says_whether_it_knows_what_waits(
    world: World, monkeypatch: pytest.MonkeyPatch, *, knows: bool
) -> None:
    model = load_model("person", world.settings)
    trial = Trial(model, model, world.settings.home, 7, [], knows_waiting=knows)
    monkeypatch.setattr(command, "find_model", lambda *_: model)
    monkeypatch.setattr(command, "try_model", lambda *_: trial)
    page = command.tried(world.settings, "a model", 10)
    assert page.data["waiting"] == ([] if knows else None)
    assert ("0 waiting actions" if knows else "this role may not read") in page.lines[0]

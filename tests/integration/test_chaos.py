"""A short form of `make chaos`: a few kills in one campaign; and that what counts the damage sees it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chaos.campaign import Campaign
from chaos.counting import count
from chaos.storm import warm

KILLS = 3
TWICE = """
    INSERT INTO customrecord_dunning
    SELECT
        id + 1000, custrecord_invoice, custrecord_customer, custrecord_stage, custrecord_recipient, custrecord_subject,
        custrecord_sent_at, custrecord_effect_key, custrecord_created_by, _fivetran_synced
    FROM customrecord_dunning WHERE id = 1
"""


@pytest.fixture(scope="module")
def struck(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """A campaign with its kills behind it, and everything that was left finished."""
    folder = Path(tmp_path_factory.mktemp("chaos"))
    with warm(folder) as socket:
        campaign = Campaign(folder / "one", None, socket, seed=3)
        while campaign.kills.total() < KILLS:
            campaign.strike()
        campaign.finish()
        campaign.close()
    return campaign


def test_what_is_killed_at_random_points_loses_and_doubles_nothing(struck: Campaign) -> None:
    numbers = [debtor.number for debtor in struck.world.debtors]
    found = count(struck.books, struck.store_url, numbers)
    assert found.clean
    assert found.effects == found.expected == len(numbers) > 0


@pytest.mark.parametrize(
    ("file", "damage", "what"),
    [
        ("books", "DELETE FROM customrecord_dunning WHERE id = 1", "lost"),
        ("books", TWICE, "doubled"),
        ("books", "UPDATE customrecord_dunning SET custrecord_invoice = 999 WHERE id = 1", "unasked"),
        ("store", "UPDATE permit SET consumed_at = NULL", "reused"),
        ("store", "DELETE FROM ledger_entry WHERE seq = 3", "gaps"),
        ("store", "UPDATE ledger_entry SET body = replace(body, 'finance', 'sales') WHERE seq = 3", "gaps"),
        ("store", "UPDATE outbox SET state = 'unknown' WHERE rowid = 1", "untold"),
    ],
)
def test_what_counts_the_damage_sees_it(struck: Campaign, tmp_path: Path, file: str, damage: str, what: str) -> None:
    copies = {}
    for name, path in (("books", struck.books), ("store", Path(struck.store_url))):
        copies[name] = tmp_path / name
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM INTO ?", [str(copies[name])])
    with closing(sqlite3.connect(copies[file])) as connection, connection:
        assert connection.execute(damage).rowcount
    found = count(copies["books"], str(copies["store"]), [debtor.number for debtor in struck.world.debtors])
    assert getattr(found, what)
    assert not found.clean

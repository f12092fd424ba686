"""An effect is followed to the row in which insight read it back, once a published graph shows it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from orchestration.ledger.trace import trace
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import outbox
from tests.graph_fixture import BUILT_AT, publish_graph
from tests.integration.ledger import story

SHOWN = """
    INSERT INTO source_record
    SELECT * REPLACE (
        'erp:customrecord_dunning:9' AS record_id, 'customrecord_dunning' AS source_table, '9' AS source_key
    )
    FROM source_record WHERE record_id = 'erp:transaction:1001';
    INSERT INTO message BY NAME
    SELECT 'erp:customrecord_dunning:9' AS record_id, 'org_acme' AS entity_id, 'erp' AS system,
        'customrecord_dunning' AS source_table, '9' AS source_key, 'h' AS row_hash, 'payment_reminder' AS kind,
        'reminder:erp:transaction:42:1' AS effect_key
"""


@pytest.fixture
def told(store: Store) -> Store:
    """A store that tells of one reminder performed and one denied."""
    story.tell(store)
    return store


def publish(store: Store, settings: Settings, number: int, *changes: str) -> None:
    built_at = BUILT_AT + timedelta(minutes=number)
    publish_graph(store, settings, *changes, snapshot_id=f"snap_{number}", built_at=built_at).close()


def seen(store: Store) -> str | None:
    outcome = trace(store, story.DONE).outcome_detail
    assert outcome is not None
    return outcome.confirmed_record


def test_an_effect_is_read_back_from_the_first_graph_that_shows_it(told: Store, settings: Settings) -> None:
    publish(told, settings, 2)
    assert seen(told) is None
    publish(told, settings, 3, SHOWN)
    assert seen(told) == "erp:customrecord_dunning:9"


def test_it_stays_read_back_when_a_later_graph_says_otherwise(told: Store, settings: Settings) -> None:
    publish(told, settings, 2, SHOWN)
    publish(told, settings, 3, SHOWN.replace("dunning:9", "dunning:8"))
    publish(told, settings, 4)
    assert seen(told) == "erp:customrecord_dunning:9"


def test_a_message_with_another_key_or_none_confirms_nothing(told: Store, settings: Settings) -> None:
    publish(told, settings, 2, SHOWN.replace("reminder:erp:transaction:42:1", "reminder:erp:transaction:42:2"))
    publish(told, settings, 3, SHOWN.replace("'reminder:erp:transaction:42:1'", "NULL"))
    assert seen(told) is None


def test_an_effect_that_is_known_not_to_have_happened_is_not_looked_for(told: Store, settings: Settings) -> None:
    story.settle(told, story.DONE, "failed")
    publish(told, settings, 2, SHOWN)
    assert seen(told) is None


def test_verification_does_not_mind(told: Store, settings: Settings) -> None:
    before = verify(told, None).problems
    publish(told, settings, 2, SHOWN)
    with told.read() as connection:
        assert connection.execute(select(outbox.c.confirmed_record)).scalar_one() is not None
    assert verify(told, None).problems == before == ()

"""`precede linkage try`: what another model, or other vetoes, would alter in the published graph. Nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
from sqlalchemy import select

from insight.layers import rows
from insight.linkage.model import Model, load_model
from insight.linkage.tuning.records import elsewhere, read_judgements, read_records, resolve
from orchestration.graph.current import current_path
from orchestration.settings import Settings
from orchestration.sql import literal
from orchestration.store.engine import Store, open_store
from orchestration.store.privileges import may_read
from orchestration.store.tables import outbox, proposal

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Altered:
    """One published entity that would be another.

    Attributes:
        entity_id: Its id.
        name: Its name.
        how: `merged` with another, `split`, or of another `standing`; more than one may hold.
        records: How many records it has.
        others: Published entities whose records would come together with its own.
        parts: Into how many entities its records would go.
        standing_before: Its standing and the reasons, as published.
        standing_after: The same with the model; of the part that keeps its id.
        waiting: Actions about it that were proposed and not carried out yet; none where `Trial.knows_waiting` is not.
    """

    entity_id: str
    name: str
    how: tuple[str, ...]
    records: int
    others: tuple[str, ...]
    parts: int
    standing_before: str
    standing_after: str
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a model would alter.

    Attributes:
        model: The model that was tried.
        current: The model whose graph is published.
        snapshot: The file of that graph.
        record_type: Whose records were linked anew.
        entities: Published entities of all types that were made anew.
        altered: Those that would be others, those that actions wait for first.
        knows_waiting: Whether it may be read what was proposed: insight's role may not, where it has one of its own.
    """

    model: Model
    current: Model
    snapshot: Path
    entities: int
    altered: list[Altered]
    knows_waiting: bool = True


def try_model(model: Model, settings: Settings) -> Trial:
    """Link the current records with a model in a home that is thrown away, and compare with the published graph.

    A model of organisations is tried with the people who work for them, whose employer is evidence.

    Raises:
        NoGraph: None was published yet.
        StoreError: The store cannot be read.
        SourceError: A source cannot be read.
    """
    store = open_store(settings, create=False)
    try:
        published = current_path(store, settings)
        waiting = _waiting(store)
    finally:
        store.close()
    current = load_model(model.record_type, settings)
    models = {name: load_model(name, settings) for name in ("organisation", "person")} | {model.record_type: model}
    touched = ("organisation", "person") if model.record_type == "organisation" else ("person",)
    records = read_records(settings)
    said = read_judgements(settings)
    altered: list[Altered] = []
    with elsewhere(settings) as scratch, duckdb.connect() as con:
        made = resolve(records, models, scratch, said, published)
        con.execute(f"ATTACH {literal(published)} AS published (READ_ONLY)")
        for name in touched:
            entities = made.entities[name]
            altered += [
                _altered(row, waiting or {})
                for row in _compare(con, name, entities.table("crosswalk"), entities.table("entity"))
            ]
        total = con.execute(
            f"SELECT count(*) FROM published.entity WHERE entity_type IN ({', '.join(map(literal, touched))})"
        ).fetchall()[0][0]
    altered.sort(key=lambda one: (-len(one.waiting), -len(one.how), one.entity_id))
    return Trial(model, current, published, int(total), altered, knows_waiting=waiting is not None)


def _compare(con: duckdb.DuckDBPyConnection, record_type: str, crosswalk: Path, entity: Path) -> list[dict[str, Any]]:
    query = (_HERE / "altered.sql").read_text().format(crosswalk=rows(crosswalk), entity=rows(entity))
    result = con.execute(query, {"record_type": record_type})
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _altered(row: Mapping[str, Any], waiting: Mapping[str, list[str]]) -> Altered:
    how = ("merged",) * bool(row["others"]) + ("split",) * (row["parts"] > 1)
    how += ("standing",) * (row["standing_before"] != row["standing_after"])
    return Altered(
        row["entity_id"],
        row["name"] or "",
        how,
        row["records"],
        tuple(row["others"]),
        row["parts"],
        row["standing_before"],
        row["standing_after"],
        tuple(waiting.get(row["entity_id"], ())),
    )


def _waiting(store: Store) -> dict[str, list[str]] | None:
    """Of each entity, the actions about it that were proposed and not carried out yet; none where that is not ours."""
    found: dict[str, list[str]] = {}
    query = (
        select(proposal.c.entity_id, proposal.c.action)
        .outerjoin(outbox, outbox.c.action == proposal.c.action)
        .where(outbox.c.action.is_(None))
        .order_by(proposal.c.proposed_at, proposal.c.action)
    )
    with store.read() as connection:
        if not may_read(connection, proposal, outbox):
            return None
        for entity_id, action in connection.execute(query):
            found.setdefault(entity_id, []).append(action)
    return found

"""The coordinator's assets: whom the graph wakes, what was decided and done, and the ledger that closes over it.

Each is a thin step around a plain function. What it stands for lives in the store; the materialisation points at it.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from sqlalchemy import select, update

from orchestration.contracts import GRAPH_ASSET, Pin
from orchestration.errors import PrecedeError
from orchestration.gate.keys import CREDENTIAL, signing_key
from orchestration.graph.current import current_snapshot, open_current
from orchestration.ledger import lineage
from orchestration.ledger.entries import LedgerRange, range_of
from orchestration.registry import Agent, load_agents
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from orchestration.store.tables import batch, ledger_entry, proposal, snapshot
from orchestration.work.act import ActReport, act, close_batch
from orchestration.work.alone import alone
from orchestration.work.dagster import owner_of
from orchestration.work.exchange import Exchange
from orchestration.work.feedback import feedback_page
from orchestration.work.triggers import WakeState, run_triggers

GRAPH = dg.AssetKey(GRAPH_ASSET)
"""The asset of insight's that publishes the graph."""
_TROUBLE = frozenset({WakeState.REFUSED, WakeState.FAILED})


def triggers_of(agent: Agent) -> dg.AssetsDefinition:
    """The asset `triggers/<agent>`: the rows that wake an agent on the current snapshot and business date."""
    name = agent.card.name

    @dg.asset(
        key=["triggers", name],
        deps=[GRAPH],
        group_name="triggers",
        kinds={"sql"},
        owners=[owner_of(agent.card.owner)],
        output_required=False,
        description=(
            f"Entities that wake the agent `{name}`, found by its `trigger.sql` on the current snapshot: once for each "
            "snapshot and business date, without rows that were answered before and have not changed."
        ),
    )
    def triggers(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        settings = Settings()
        with closing(open_store(settings)) as store, open_current(store, settings) as graph:
            [wake] = run_triggers(
                store,
                Exchange(settings.exchange),
                graph,
                {name: load_agents(settings.agents)[name]},
                business_date=settings.business_date,
                now=datetime.now(UTC),
                pin=pin_current(store, context.instance),
                key=signing_key(settings.keys, CREDENTIAL),
            )
        if wake.state in _TROUBLE:
            raise PrecedeError(wake.detail)
        context.log.info("%s: %s. %s", name, wake.state, wake.detail)
        if wake.batch is None:
            context.log_event(dg.AssetObservation(context.asset_key, metadata={"summary": wake.detail}))
            return
        rows = len(wake.batch.rows)
        yield dg.MaterializeResult(
            data_version=dg.DataVersion(wake.batch.batch_id),
            metadata={
                "summary": f"{rows:,} rows wake it, {wake.left_out:,} were answered before",
                "dagster/row_count": rows,
                "left_out": wake.left_out,
                "postponed": wake.postponed,
                "batch": wake.batch.batch_id,
                "snapshot": wake.batch.snapshot_id,
                "business_date": wake.batch.business_date.isoformat(),
            },
        )

    return triggers


def effects_of(agent: Agent) -> dg.AssetsDefinition:
    """The asset `effects/<agent>`: what was decided of an agent's proposals and done, one materialisation a run."""
    name = agent.card.name

    @dg.asset(
        key=["effects", name],
        deps=[GRAPH, dg.AssetKey(["proposals", name])],
        group_name="effects",
        kinds={"cedar", "mcp"},
        owners=[owner_of(agent.card.owner)],
        output_required=False,
        description=(
            f"What became of the proposals of the agent `{name}`: each decided with every reason, those allowed "
            "delivered once through a tool server. It names the snapshot's materialisation that it rests on and its "
            "entries in the ledger. A run that died is finished by the next. What `feedback.sql` says on the current "
            "snapshot stands beside it; effects of this run show in the next one."
        ),
    )
    def effects(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        settings = Settings()
        with alone(settings.home, "act"), closing(open_store(settings)) as store:
            pin_current(store, context.instance)
            done = act(
                store,
                settings,
                name,
                progress=lambda line: context.log.info("%s", line),
                holds=lambda kept: lineage.check_pin(context.instance, kept) is None,
            )
            batch_ids = _told_of(store, done)
            with store.read() as connection:
                covered = range_of(connection, batch_ids)
            if covered is None:
                for one in done.batches:
                    close_batch(store, one.batch_id, None, None, datetime.now(UTC))
                nothing = {"summary": "nothing to decide or deliver"}
                context.log_event(dg.AssetObservation(context.asset_key, metadata=nothing))
                return
            feedback = feedback_page(store, settings, agent)
        yield dg.MaterializeResult(
            data_version=dg.DataVersion(covered.root), metadata=_effects_page(done, batch_ids, covered) | feedback
        )

    return effects


def ledger_of(agent: Agent) -> dg.AssetsDefinition:
    """The asset `ledger/<agent>`: the closing entries, which name the materialisations of `effects/<agent>`."""
    name = agent.card.name

    @dg.asset(
        key=["ledger", name],
        deps=[dg.AssetKey(["effects", name])],
        group_name="effects",
        kinds={"table"},
        owners=["team:coordinator"],
        output_required=False,
        description=(
            "The hash chain of everything that was decided and done, closed over the materialisations that point back "
            "at it: the event log and the ledger each name the other. `precede ledger verify` checks both."
        ),
    )
    def ledger(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        with closing(open_store(Settings())) as store:
            closed = close_open(store, context.instance, name)
            with store.read() as connection:
                head = connection.execute(
                    select(ledger_entry.c.seq, ledger_entry.c.hash).order_by(ledger_entry.c.seq.desc()).limit(1)
                ).one_or_none()
        if head is not None:
            yield dg.MaterializeResult(
                data_version=dg.DataVersion(head.hash),
                metadata={
                    "summary": f"{head.seq:,} entries, {len(closed)} batches closed",
                    "dagster/row_count": head.seq,
                    "closed": ", ".join(closed) or "none",
                    "head": head.hash,
                },
            )

    return ledger


def close_open(store: Store, instance: dg.DagsterInstance, agent: str) -> list[str]:
    """Close an agent's batches whose effects materialised, each with its own materialisation; the ids of those closed.

    One whose run died before it materialised stays open, and the next run works on it again. An event alone closes
    nothing, since agents' code can write to the event log too: every proposal must have been decided, and the event
    must name the very entries that the ledger has of its batches.
    """
    of_agent = select(batch.c.batch_id, batch.c.state).where(batch.c.agent == agent)
    with store.read() as connection:
        states = {row.batch_id: row.state for row in connection.execute(of_agent)}
    waiting = {batch_id for batch_id, state in states.items() if state == "decided"}
    closed = []
    for event in lineage.effects(instance) if waiting else ():
        told = sorted(waiting & set(event.batch_ids))
        ours = event.pin.asset_key == f"{lineage.EFFECTS}/{agent}" and set(event.batch_ids) <= states.keys()
        if told and ours and lineage.check_pin(instance, event.pin) is None and _covers_all(store, event):
            for batch_id in told:
                close_batch(store, batch_id, event.pin, event.covered, datetime.now(UTC))
            waiting.difference_update(told)
            closed += told
        if not waiting:
            break
    return closed


def _covers_all(store: Store, event: lineage.Effects) -> bool:
    """Whether an event names the entries that the ledger has of its batches, and their root."""
    with store.read() as connection:
        return event.covered is not None and event.covered == range_of(connection, sorted(set(event.batch_ids)))


def _told_of(store: Store, done: ActReport) -> list[str]:
    """The batches that a run worked on, and those of effects that earlier runs had left without an outcome."""
    recovered = select(proposal.c.batch_id).where(proposal.c.action.in_([one.action for one in done.recovered]))
    with store.read() as connection:
        return sorted({one.batch_id for one in done.batches} | set(connection.execute(recovered).scalars()))


def _effects_page(done: ActReport, batch_ids: list[str], covered: LedgerRange) -> dict[str, Any]:
    """What the materialisation says: the pins it rests on, its range of the ledger, and counts."""
    counts = {
        name: sum(getattr(one, name) for one in done.batches)
        for name in ("proposed", "performed", "review", "denied", "failed", "unsettled")
    }
    reasons: Counter[str] = Counter()
    for one in done.batches:
        reasons.update(one.reasons)
    rows = "\n".join(f"| {reason} | {number:,} |" for reason, number in reasons.most_common())
    return {
        **lineage.effects_metadata(batch_ids, covered),
        "pins": [one.pin.model_dump() for one in done.batches if one.pin is not None],
        "summary": f"{counts['performed']:,} performed, {counts['review']:,} in review, {counts['denied']:,} denied",
        "dagster/row_count": counts["performed"],
        **counts,
        "recovered": len(done.recovered),
        "reasons": dg.MetadataValue.md(f"| reason | proposals |\n|---|---|\n{rows}"),
    }


def pin_current(store: Store, instance: dg.DagsterInstance) -> Pin | None:
    """The verified materialisation of the current graph by the run that published it, kept beside the snapshot.

    None where the event log holds no such event, or no longer the one that was kept.
    """
    with store.read() as connection:
        row = connection.execute(
            select(snapshot.c.snapshot_id, snapshot.c.run_id, snapshot.c.pin).where(
                snapshot.c.snapshot_id == current_snapshot(connection)
            )
        ).one_or_none()
    if row is None:
        return None
    if row.pin is not None:
        kept = Pin.model_validate(row.pin)
        return kept if lineage.check_pin(instance, kept) is None else None
    found = lineage.pin(instance, GRAPH.to_user_string(), row.snapshot_id, row.run_id)
    if found is not None:
        with store.begin() as connection:
            connection.execute(
                update(snapshot)
                .where(snapshot.c.snapshot_id == row.snapshot_id, snapshot.c.pin.is_(None))
                .values(pin=found.model_dump(mode="json"))
            )
    return found

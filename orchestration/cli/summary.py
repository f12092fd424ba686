"""What the main job came to, in numbers: read from the current graph and the store, printed by `precede run`.

`collect` reads, `as_json` gives the machine's view, `orchestration/cli/run_shown.py` the person's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import func, select

from orchestration.approval.queue import OPEN
from orchestration.contracts import OutcomeState, Verdict
from orchestration.gate.stopping import stopped
from orchestration.gate.stops import Scope
from orchestration.graph.model import RECORD_TYPES
from orchestration.graph.reader import EntityGraph
from orchestration.store import tables
from orchestration.store.engine import Store

_SOURCES = """
    SELECT system, sum(row_count)::BIGINT AS rows, sum(records)::BIGINT AS records, sum(facts)::BIGINT AS facts,
        sum(supporting)::BIGINT AS supporting, sum(quarantined)::BIGINT AS quarantined
    FROM snapshot_source GROUP BY system ORDER BY system
"""
_ENTITIES = """
    SELECT entity_type, count(*) AS entities, count(*) FILTER (standing = 'reconciled') AS standing
    FROM entity GROUP BY ALL ORDER BY ALL
"""
_REASONS = """
    SELECT entity_type, said.reason AS reason, count(DISTINCT entity_id) AS entities
    FROM entity, unnest(standing_reasons) AS said(reason)
    WHERE standing <> 'reconciled' GROUP BY ALL ORDER BY entity_type, entities DESC, reason
"""
_CONFLICTS = """
    SELECT entity_type, field, count(DISTINCT entity_id) AS entities FROM conflict GROUP BY ALL
    ORDER BY entities DESC, entity_type, field
"""
_QUARANTINE = """
    SELECT system, source_table, reason, count(*) AS rows FROM quarantine GROUP BY ALL
    ORDER BY rows DESC, system, source_table, reason
"""


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """What became of the rows of one source system.

    Attributes:
        rows: Rows read.
        records: Organisation and person records they yielded; one row may yield two.
        facts: Facts they yielded.
        supporting: Rows that are part of another row's record or fact.
        quarantined: Records or facts that could not be made, with their reason in the graph.
    """

    rows: int
    records: int
    facts: int
    supporting: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Actions:
    """What became of what agents proposed, by each action's last decision.

    Attributes:
        performed: Effects known to be done.
        review: Proposals that wait for a person, or wait for their effect since one consented.
        answered: Proposals that were held and wait no more, without an effect: rejected, edited, or void.
        denied: Proposals refused.
        unsettled: Effects allowed but not known to be done: on their way, failed or unknown.
        review_reasons: Reason to number of proposals that have it.
        denied_reasons: Reason to number of proposals that have it.
        unproposed: Why an agent proposed nothing to number of trigger rows.
    """

    performed: int
    review: int
    answered: int
    denied: int
    unsettled: int
    review_reasons: Mapping[str, int]
    denied_reasons: Mapping[str, int]
    unproposed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """The current graph and all actions so far.

    Attributes:
        snapshot: The current snapshot's id.
        graph: Where its file is.
        sources: System to what became of its rows.
        entities: Entity type to number of entities.
        standing: Entity type to number of entities that have standing.
        reasons: Entity type to reason to number of entities that lack standing for it.
        conflicts: `type.field` to number of entities with a disagreement on it.
        quarantine: `system.table reason` to number of rows.
        actions: What became of proposals.
        stopped: What somebody stopped, each with why.
    """

    snapshot: str
    graph: str
    sources: Mapping[str, SourceCounts]
    entities: Mapping[str, int]
    standing: Mapping[str, int]
    reasons: Mapping[str, Mapping[str, int]]
    conflicts: Mapping[str, int]
    quarantine: Mapping[str, int]
    actions: Actions
    stopped: Mapping[str, str] = field(default_factory=dict)


def collect(graph: EntityGraph, store: Store) -> Summary:
    """Read the numbers of the current graph and of the store."""
    reasons: dict[str, dict[str, int]] = {}
    for row in graph.rows(_REASONS):
        reasons.setdefault(row["entity_type"], {})[row["reason"]] = row["entities"]
    entities = graph.rows(_ENTITIES)
    none = dict.fromkeys(RECORD_TYPES, 0)
    return Summary(
        snapshot=graph.snapshot_id,
        graph=str(graph.path),
        sources={row.pop("system"): SourceCounts(**row) for row in graph.rows(_SOURCES)},
        entities=none | {row["entity_type"]: row["entities"] for row in entities},
        standing=none | {row["entity_type"]: row["standing"] for row in entities},
        reasons=reasons,
        conflicts={f"{row['entity_type']}.{row['field']}": row["entities"] for row in graph.rows(_CONFLICTS)},
        quarantine={
            f"{row['system']}.{row['source_table']} {row['reason']}": row["rows"] for row in graph.rows(_QUARANTINE)
        },
        actions=_actions(store),
        stopped=_stopped(store),
    )


def as_json(summary: Summary) -> dict[str, Any]:
    """What `precede run --json` prints."""
    return {
        "snapshot": summary.snapshot,
        "graph": summary.graph,
        "sources": {system: asdict(counts) for system, counts in summary.sources.items()},
        "records": sum(counts.records for counts in summary.sources.values()),
        "entities": sum(summary.entities.values()),
        "standing": dict(summary.standing),
        "quarantined": sum(counts.quarantined for counts in summary.sources.values()),
        "actions": {
            "performed": summary.actions.performed,
            "review": summary.actions.review,
            "denied": summary.actions.denied,
        },
        "stopped": dict(summary.stopped),
    }


def performed_so_far(store: Store) -> int:
    """How many effects are known to be done."""
    with store.read() as connection:
        done = select(func.count()).select_from(tables.outbox).where(tables.outbox.c.state == OutcomeState.DONE.value)
        return int(connection.execute(done).scalar_one())


def _stopped(store: Store) -> dict[str, str]:
    with store.read() as connection:
        halted = stopped(connection)
    every = {} if halted.everything is None else {Scope.everything(): halted.everything}
    every |= {Scope.agent(name): why for name, why in halted.agents.items()}
    every |= {Scope.action_type(name): why for name, why in halted.action_types.items()}
    return {str(scope): why for scope, why in every.items()}


def _actions(store: Store) -> Actions:
    decision, outbox, held = tables.decision, tables.outbox, tables.held
    newest = select(func.max(decision.c.decision_id)).group_by(decision.c.action)
    with store.read() as connection:
        rows = connection.execute(
            select(decision.c.verdict, decision.c.reasons, outbox.c.state, held.c.state.label("held"))
            .join(outbox, outbox.c.action == decision.c.action, isouter=True)
            .join(held, held.c.action == decision.c.action, isouter=True)
            .where(decision.c.decision_id.in_(newest))
        ).all()
        row = tables.trigger_row
        silent = select(row.c.reason, func.count()).where(row.c.answer.in_(("declined", "failed", "refused")))
        unproposed = connection.execute(silent.group_by(row.c.reason).order_by(func.count().desc(), row.c.reason)).all()
    done = [row for row in rows if row.state == OutcomeState.DONE.value]
    asked = [row for row in rows if row.state is None and row.verdict == Verdict.REVIEW.value]
    review = [row for row in asked if row.held is None or row.held in OPEN]
    denied = [row for row in rows if row.state is None and row.verdict == Verdict.DENY.value]
    return Actions(
        performed=len(done),
        review=len(review),
        answered=len(asked) - len(review),
        denied=len(denied),
        unsettled=len(rows) - len(done) - len(asked) - len(denied),
        review_reasons=_codes(row.reasons for row in review),
        denied_reasons=_codes(row.reasons for row in denied),
        unproposed={reason.partition(": ")[2] or reason: number for reason, number in unproposed},
    )


def _codes(every: Iterable[list[dict[str, str]]]) -> dict[str, int]:
    """Reason to number of decisions that have it, the commonest first; of a held one the policy that holds it."""
    counted = Counter(code for reasons in every for code in {_code(reason) for reason in reasons})
    return dict(counted.most_common())


def _code(reason: Mapping[str, str]) -> str:
    return reason["subject"] if reason["code"] == Verdict.REVIEW.value else reason["code"]

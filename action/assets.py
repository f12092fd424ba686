"""The agents' assets: what each proposes, with its workflow drawn as a graph of ops.

Batches come in through the exchange and answers go out through it. Nothing here, and nothing that agent code can reach
from here, opens the store or the graph.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from action.loading import load_workflow
from action.run import collect
from orchestration.identity.session import seems_over
from orchestration.registry import Agent
from orchestration.settings import Settings
from orchestration.work.dagster import Rows, drawn, owner_of
from orchestration.work.exchange import Exchange
from orchestration.work.workflow import Progress, Workflow

_SHOWN = 10  # reasons on a materialisation's page


def proposals_of(agent: Agent) -> dg.AssetsDefinition:
    """The asset `proposals/<agent>`: an agent's answers to the batches that wait for it.

    Raises:
        AgentError: Its `agent.py` cannot be imported, or defines no workflow that can run.
    """
    name = agent.card.name
    workflow = load_workflow(agent.code)
    begin, end = _begin(name), _end(name, workflow)

    @dg.graph_asset(
        key=["proposals", name],
        ins={"triggers": dg.AssetIn(["triggers", name], dagster_type=dg.Nothing)},
        group_name="proposals",
        kinds={"python"},
        owners=[owner_of(agent.card.owner)],
        description=(
            f"{agent.card.use_case}\n\nWhat the agent `{name}` proposes in answer to its trigger rows: nothing here "
            "has any effect. The coordinator decides on each proposal, and it alone can have one delivered."
        ),
    )
    def proposals(triggers: Any) -> Any:  # noqa: ANN401  what composition passes around has no public type
        return end(drawn(name, workflow, begin(triggers)))

    return proposals


def _begin(agent: str) -> dg.OpDefinition:
    @dg.op(
        name=f"{agent}__waiting",
        ins={"triggers": dg.In(dg.Nothing)},
        out=dg.Out(dg.Any),
        description=f"The batches that wait for {agent} in the exchange.",
    )
    def waiting(context: dg.OpExecutionContext) -> Rows:
        exchange, now = Exchange(Settings().exchange), datetime.now(UTC)
        ids = exchange.waiting(agent)
        over = [batch_id for batch_id in ids if seems_over(exchange.read_credential(agent, batch_id), now)]
        if over:
            context.log.warning(
                "No credential that lasts stands beside %s: they wait until the coordinator's next look renews it.",
                ", ".join(over),
            )
        batches = (exchange.read_batch(agent, batch_id) for batch_id in ids if batch_id not in over)
        return {batch.batch_id: [Progress(row=row) for row in batch.rows] for batch in batches}

    return waiting


def _end(agent: str, workflow: Workflow) -> dg.OpDefinition:
    @dg.op(
        name=f"{agent}__answer",
        out=dg.Out(dg.Any, is_required=False),
        description=f"Leave {agent}'s answers in the exchange, where the coordinator finds them.",
    )
    def answer(context: dg.OpExecutionContext, rows: Rows) -> Iterator[dg.Output[list[str]]]:
        exchange = Exchange(Settings().exchange)
        answers = [
            collect(exchange.read_batch(agent, batch_id), workflow, done, exchange.read_credential(agent, batch_id))
            for batch_id, done in rows.items()
        ]
        for one in answers:
            exchange.answer(one)
        if not answers:
            context.log_event(dg.AssetObservation(["proposals", agent], metadata={"summary": "no batch waits"}))
            return
        proposed, declined, failed = (
            sum(len(getattr(one, part)) for one in answers) for part in ("proposals", "declined", "failed")
        )
        reasons = [reason for one in answers for reason in one.failed.values()]
        yield dg.Output(
            [one.batch_id for one in answers],
            metadata={
                "summary": f"{proposed:,} proposed, {declined:,} declined, {failed:,} for a person",
                "batches": ", ".join(one.batch_id for one in answers),
                "dagster/row_count": proposed,
                "proposed": proposed,
                "declined": declined,
                "for_a_person": failed,
                "handoffs": sum(len(one.handoffs) for one in answers),
                **({"why_a_person": "\n".join(reasons[:_SHOWN])} if reasons else {}),
            },
        )

    return answer

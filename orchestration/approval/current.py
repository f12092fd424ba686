"""What is held, against what is so now, for somebody who is about to consent to it; nothing is decided or written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from orchestration.approval.bound import as_held, bound, differences
from orchestration.approval.queue import PASSING
from orchestration.gate.decide import Moment, weigh
from orchestration.gate.graphs import Graphs
from orchestration.gate.load import load_asks, load_store
from orchestration.gate.rules import Rules
from orchestration.registry import AgentCard
from orchestration.store.tables import proposal


class Held:
    """The rules and the current graph, open; close `graphs` after use."""

    def __init__(self, rules: Rules, graphs: Graphs) -> None:
        self.rules = rules
        self.graphs = graphs

    def card(self, agent: str) -> AgentCard | None:
        """An agent's card; none of one that is not known."""
        known = self.rules.agents.get(agent)
        return None if known is None else known.card

    def against(self, connection: Connection, row: Mapping[str, Any], now: datetime) -> list[str]:
        """In sentences, what is otherwise than when a proposal was held; what only passes by is left out."""
        store = load_store(connection)
        [ask] = load_asks(connection, proposal.c.action == row["action"])
        case = weigh(ask, Moment(self.rules, self.graphs.glance(store, [ask]), store, now, self.graphs.missing))
        if isinstance(case, list):
            return [reason.detail for reason in case]
        policies = self.rules.policies.get(ask.agent)
        found = [reason for reason in case.objections if reason.code not in PASSING]
        found += differences(as_held(row), bound(case, policies.digest if policies else ""))
        return list(dict.fromkeys(reason.detail for reason in found))

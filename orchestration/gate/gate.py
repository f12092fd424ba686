"""The gate, open: rules, key and graph in hand, for as long as a batch takes.

`decide.py` says what is decided and `perform.py` what happens at the moment of effect; here the store's transactions
begin and end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from sqlalchemy import ColumnElement, Connection, and_, desc, exists, not_, or_, select

from orchestration.approval import queue, recheck
from orchestration.approval.recheck import Looked
from orchestration.collecting import uncollected
from orchestration.contracts import Decision, Pin, Reason, Verdict
from orchestration.errors import PermitRefused
from orchestration.gate.decide import Answer, Moment, asked_together, bounds_of, conclude, weigh
from orchestration.gate.graphs import Graphs
from orchestration.gate.keys import signing_key
from orchestration.gate.known import Ask
from orchestration.gate.limits.count import load_usage
from orchestration.gate.limits.touch import Touch, touch_of
from orchestration.gate.limits.usage import Bounds
from orchestration.gate.load import load_asks
from orchestration.gate.perform import Effect, Performed, perform
from orchestration.gate.readset import tool_call
from orchestration.gate.record import keep_policies, record
from orchestration.gate.resolve import Case
from orchestration.gate.rules import Rules, load_rules
from orchestration.gate.seen import Means, taken_keys
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store

_Value = TypeVar("_Value")
CHUNK: Final = 200
"""Proposals that one transaction decides or performs: others that want to write wait no longer than that takes."""
FEW: Final = 8
"""Effects that have a transaction each; more of them share some, since to write one to the disk takes longest."""
LOOKED_UP: Final = 5_000
"""Proposals that are looked up in the graph together: a query takes about as long for one as for thousands."""


class Gate:
    """The one way in to an effect. Close it after use.

    Args:
        store: The coordinator's store.
        settings: Where rules, key and graphs are.
        rules: The rules, where they were read already.
        holds: Whether the event log still has the materialisation that a pin names; asked once for each pin.

    Raises:
        ConfigurationError: A rule or the key cannot be read.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        rules: Rules | None = None,
        *,
        holds: Callable[[Pin], bool],
    ) -> None:
        self.store = store
        self.rules = rules or load_rules(settings)
        self._graphs = Graphs(settings.home, self.rules.action_types)
        self._means = Means(self.rules, self._graphs, signing_key(settings.keys), cache(holds))

    def close(self) -> None:
        """Let the graph go."""
        self._graphs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def decide(self, batch_id: str, now: datetime) -> list[Decision]:
        """Decide every proposal of a batch that waits for a decision.

        That is one that has none, or whose permit expired before it was used.

        Returns:
            The decisions, in the order of the batch's rows; none of those that were decided before.
        """
        waiting = (tables.proposal.c.batch_id == batch_id, _waits(now))
        decisions: list[Decision] = []
        left: set[str] = set()
        with uncollected():
            while asks := [ask for ask in self._waiting(*waiting) if ask.action not in left]:
                for ahead in _parts(asks, LOOKED_UP):
                    self._look_up(ahead)
                    for some in _parts(ahead, CHUNK):
                        made, staying = self._decide_some([ask.action for ask in some], waiting, now)
                        decisions += made
                        left |= staying
        return decisions

    def recheck(self, agent: str, now: datetime) -> Looked:
        """Hold everything of an agent that waits for a person, or was approved, against what is so now.

        What rests on something else now is decided again: its approval is void, and it waits anew, is denied or
        allowed. The rest stays as it is.
        """
        with self.store.read() as connection:
            store = self._means.facts(connection)
            actions, changed = recheck.changed(connection, agent, store, self.rules, self._graphs, now)
        decisions: list[Decision] = []
        for some in _parts(changed, CHUNK):
            still = (recheck.is_open(), tables.proposal.c.action.in_(some))
            self._look_up(self._waiting(*still))
            decisions += self._decide_some(some, still, now, may_stay=False)[0]
        if actions and self._graphs.current(store) is not None:  # else they were held against nothing
            with self.store.begin() as connection:
                recheck.mark(connection, agent, store.snapshot_id)
        return Looked(actions, tuple(decisions))

    def perform(self, action: str, now: datetime) -> Effect | Decision:
        """Use up an action's permit for its effect, or say why not.

        Returns:
            The effect that is now in the outbox; or the new decision, which is recorded.

        Raises:
            NotFound: There is no such action.
            PermitRefused: It has no permit, or its permit was used: nothing is recorded, since nothing changed.
        """
        return self._perform_some([action], now)[0]

    def perform_batch(self, batch_id: str, now: datetime) -> list[Effect | Decision]:
        """Perform every action of a batch that has an unused permit, in its order; many in one transaction.

        Raises:
            PermitRefused: Somebody else used a permit meanwhile; the effects before it stand.
        """
        with uncollected(), self.store.read() as connection:
            asks = load_asks(connection, tables.proposal.c.batch_id == batch_id, _may_be_performed())
        done: list[Effect | Decision] = []
        for ahead in _parts(asks, LOOKED_UP):
            with uncollected():
                with self.store.read() as connection:
                    self._means.look_ahead(connection, ahead, now)
                if len(asks) <= FEW:
                    done += [self.perform(ask.action, now) for ask in ahead]
                    continue
                for some in _parts(ahead, CHUNK):
                    done += self._perform_some([ask.action for ask in some], now)
        return done

    def _perform_some(self, actions: Sequence[str], now: datetime) -> list[Effect | Decision]:
        """Perform actions in one transaction, each as if it were alone: what refuses one leaves those before it."""
        try:
            answers, refused = self._perform_together(actions, now)
        except PermitRefused:
            if len(actions) == 1:
                raise
            return [self.perform(action, now) for action in actions]  # one of them says which, and why
        if refused is not None:
            raise refused
        return answers

    def _perform_together(self, actions: Sequence[str], now: datetime) -> Performed:
        try:
            with self.store.begin() as connection:
                return perform(connection, actions, self._means, now)
        except BaseException:
            self._means.tally.forget()
            raise

    def _waiting(self, *waiting: ColumnElement[bool]) -> list[Ask]:
        with uncollected(), self.store.read() as connection:
            return load_asks(connection, *waiting)

    def _look_up(self, asks: Sequence[Ask]) -> None:
        """Read what the graph says of proposals, before any transaction: nobody waits for that."""
        with self.store.read() as connection:
            store = self._means.facts(connection)
        self._graphs.facts(store, asks)

    def _decide_some(
        self, actions: Sequence[str], waiting: Sequence[ColumnElement[bool]], now: datetime, *, may_stay: bool = True
    ) -> tuple[list[Decision], set[str]]:
        """Decide those of some proposals that still wait, in one transaction.

        Returns:
            The decisions, and what was approved, cannot happen for now and stays as it is.
        """
        with self.store.begin() as connection:
            asks = load_asks(connection, *waiting, tables.proposal.c.action.in_(actions))
            store = self._means.facts(connection)
            moment = self._means.moment(store, asks, now)
            answers = self._answers(connection, asks, moment)
            staying = queue.staying(answers) if may_stay else set()
            queue.postponed(connection, [answer for answer in answers if answer.ask.action in staying])
            answers = [answer for answer in answers if answer.ask.action not in staying]
            keep_policies(connection, self.rules.policies, answers, now)
            record(connection, answers, store, self._means.key, now)
        return [answer.decision for answer in answers], staying

    def _wanted(self, cases: Iterable[Case | list[Reason]]) -> dict[str, tuple[Touch, Bounds]]:
        """What the effect of each would be counted by, by action."""
        known = [case for case in cases if isinstance(case, Case)]
        each = ((case, bounds_of(case.ask, self.rules)) for case in known)
        return {case.ask.action: (touch_of(case), bounds) for case, bounds in each if bounds is not None}

    def _answers(self, connection: Connection, asks: Sequence[Ask], moment: Moment) -> list[Answer]:
        if not asks:
            return []
        cases = [weigh(ask, moment) for ask in asks]
        wanted = {call[1] for case in cases if isinstance(case, Case) and (call := tool_call(case))}
        taken = taken_keys(connection, wanted)
        counted = self._wanted(cases)
        usage = load_usage(connection, list(counted.values()), moment.now)
        answers = []
        for ask, case, asked in zip(asks, cases, asked_together(cases, moment), strict=True):
            touch = counted[ask.action][0] if ask.action in counted else None
            answer = conclude(ask, case, moment, usage=usage, taken=taken, asked=asked, touch=touch)
            if answer.decision.permit is not None:
                taken.add(answer.decision.permit.effect_key)
            answers.append(answer)
        return answers


def _parts(values: Sequence[_Value], size: int) -> Iterator[Sequence[_Value]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _last_verdict() -> Any:  # noqa: ANN401  SQLAlchemy's expression
    decision = tables.decision
    return (
        select(decision.c.verdict)
        .where(decision.c.action == tables.proposal.c.action)
        .order_by(desc(decision.c.decision_id))
        .limit(1)
        .correlate(tables.proposal)
        .scalar_subquery()
    )


def _waits(now: datetime) -> Any:  # noqa: ANN401  SQLAlchemy's expression
    """No decision; an allow that was not used while its permit lasted, or before something was stopped; or an approval.

    Of an approval nothing came yet: its last decision is another than the allow that follows from it.
    """
    action = tables.proposal.c.action
    decided = exists().where(tables.decision.c.action == action)
    unused = (tables.permit.c.expires_at > now, tables.permit.c.halted_by.is_(None))
    live = exists().where(tables.permit.c.action == action, *unused)
    return or_(not_(decided), and_(_may_be_performed(), not_(live)), queue.waits_for_its_effect())


def _may_be_performed() -> Any:  # noqa: ANN401  SQLAlchemy's expression
    """Allowed, and not yet in the outbox."""
    done = exists().where(tables.outbox.c.action == tables.proposal.c.action)
    return and_(_last_verdict() == Verdict.ALLOW.value, not_(done))

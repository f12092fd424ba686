"""An agent's runs in Dagster, as a stop finds them: which are not over, and cancelling them.

A run of several agents is each one's: what it did not get to for the others, their next run finishes.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import dagster as dg

from orchestration.work import by_hand
from orchestration.work.sensors import JOB, RUNNING

BY_HAND: Final = " from the command line"
"""What the queue's tag of a run ends with that `precede run` started, in a process of its own."""
_ASSETS: Final = frozenset({"triggers", "proposals", "effects", "ledger"})
_JOBS: Final = frozenset({"wake", "propose", "act"})


class AgentRuns:
    """The runs of some agents that are not over, and those that were told to end.

    Args:
        instance: Dagster's.
        agents: Whose.
    """

    def __init__(self, instance: dg.DagsterInstance, agents: Iterable[str]) -> None:
        self._instance = instance
        self._agents = frozenset(agents)
        self.cancelled: list[str] = []

    def cancel(self) -> None:
        """Tell every run that is not over to end, once; what a run does not heed stays among those left."""
        for run in self._found():
            if run.run_id not in self.cancelled:
                self.cancelled.append(run.run_id)
                self._end(run)

    def left(self) -> list[str]:
        """The runs that are not over, each in a few words."""
        return [f"run {run.run_id} ({run.job_name}, {run.status.value.lower()})" for run in self._found()]

    def _found(self) -> list[dg.DagsterRun]:
        runs = self._instance.get_runs(dg.RunsFilter(statuses=RUNNING))
        return [run for run in runs if self._concerns(run)]

    def _concerns(self, run: dg.DagsterRun) -> bool:
        if not run.asset_selection:  # a whole job is every agent's
            return run.job_name in _JOBS
        return any(key.path[0] in _ASSETS and key.path[-1] in self._agents for key in run.asset_selection)

    def _end(self, run: dg.DagsterRun) -> None:
        if not run.tags.get(JOB, "").endswith(BY_HAND):
            self._instance.run_coordinator.cancel_run(run.run_id)
            return
        if by_hand.end(Path(self._instance.root_directory), run.run_id):
            ended = self._instance.get_run_by_id(run.run_id)
            if ended is not None and not ended.is_finished:
                self._instance.report_run_canceled(ended, "It was stopped, and its process ended.")

"""One job of one code location, run in this process and told line by line: what `precede run` starts as a child.

`python -m orchestration.cli.dagster run insight.definitions reconcile` runs the job on the instance in `DAGSTER_HOME`;
`… prepare` only makes that instance, before several processes would do so at once.
Standard output carries one JSON object a line and nothing else (`orchestration/cli/processes.py` reads them); whatever
else is printed goes to standard error. Which variables the process may see is its parent's to decide.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import dagster as dg

from orchestration.errors import PrecedeError
from orchestration.work.by_hand import running
from orchestration.work.events import kept_open
from orchestration.work.runs import BY_HAND
from orchestration.work.sensors import JOB

FAILED = 1
_UNFINISHED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def main(arguments: list[str]) -> int:
    """Run the job named on the command line, or make the instance; 0 where that succeeded."""
    if arguments == ["prepare"]:
        prepare()
        return 0
    _, module, job = arguments
    with _protocol() as out:
        try:
            succeeded = run_job(module, job, out)
        except PrecedeError as error:
            _tell(out, {"event": "error", "step": "", "message": str(error)})
            return FAILED
        return 0 if succeeded else FAILED


def prepare() -> None:
    """Make every database of the instance, or bring it to this version of Dagster; fail what no server runs any more.

    It is run while no code server is: a run that one of them had started can only have died with it, and would stand in
    the way of the next one for ever.
    """
    with dg.DagsterInstance.get() as instance:
        instance.upgrade()
        instance.get_asset_keys(limit=1)
        instance.all_instigator_state()
        for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
            if not run.tags.get(JOB, "").endswith(BY_HAND):
                instance.report_run_failed(run, "Its process ended when the servers did.")


def _protocol() -> IO[str]:
    """Standard output as it was; from here on a stray print goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def run_job(module: str, job: str, out: IO[str]) -> bool:
    """Execute a job of a module's definitions and tell its progress; whether it succeeded."""
    definitions = importlib.import_module(module).defs()
    run_id = str(uuid4())
    with dg.DagsterInstance.get() as instance:
        instance.add_event_listener(run_id, lambda entry: _tell_entry(out, entry))
        with kept_open(instance.event_log_storage, run_id), running(Path(instance.root_directory), run_id):
            result = definitions.resolve_job_def(job).execute_in_process(
                instance=instance, run_id=run_id, raise_on_error=False, tags=_tags(module, job)
            )
    _tell(out, {"event": "end", "run_id": run_id, "succeeded": result.success})
    return bool(result.success)


def _tags(module: str, job: str) -> dict[str, str]:
    """The run's place in the UI; and a queue of its own, as a run that was killed here would block the common one."""
    location = module.partition(".")[0]
    return {".dagster/repository": f"__repository__@{location}", JOB: f"{job}{BY_HAND}"}


def _tell(out: IO[str], line: dict[str, Any]) -> None:
    out.write(json.dumps(line, default=str) + "\n")
    out.flush()


def _tell_entry(out: IO[str], entry: dg.EventLogEntry) -> None:
    if entry.dagster_event is not None:
        for line in _lines(entry.dagster_event):
            _tell(out, line)


def _lines(event: dg.DagsterEvent) -> Iterator[dict[str, Any]]:
    """What is told of an event: a step's start and end, a materialisation, a check, an error."""
    match event.event_type:
        case dg.DagsterEventType.STEP_START:
            yield {"event": "start", "step": event.step_key}
        case dg.DagsterEventType.STEP_SUCCESS:
            yield {"event": "done", "step": event.step_key, "seconds": event.step_success_data.duration_ms / 1000}
        case dg.DagsterEventType.ASSET_MATERIALIZATION:
            yield _asset(event, event.step_materialization_data.materialization)
        case dg.DagsterEventType.ASSET_OBSERVATION:
            yield _asset(event, event.asset_observation_data.asset_observation)
        case dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            yield {
                "event": "check",
                "step": event.step_key,
                "check": check.check_name,
                "passed": check.passed,
                "blocking": bool(check.blocking),
                "summary": check.description or "",
            }
        case dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            said = _sentence(error.message if error else "", event.step_key or "a step")
            yield {"event": "error", "step": event.step_key, "message": said}


def _asset(event: dg.DagsterEvent, said: dg.AssetMaterialization | dg.AssetObservation) -> dict[str, Any]:
    return {
        "event": "asset",
        "step": event.step_key,
        "asset": said.asset_key.to_user_string(),
        "summary": _value(said.metadata.get("summary")),
        "rows": _value(said.metadata.get("dagster/row_count")),
        "unchanged": bool(_value(said.metadata.get("unchanged"))),
    }


def _value(value: Any) -> Any:  # noqa: ANN401  a metadata value holds anything
    return None if value is None else value.value


def _sentence(message: str, step: str) -> str:
    """An exception's own words, without the class that carried them; of one that no user can meet its first line."""
    head, colon, tail = message.strip().partition(": ")
    words = tail if colon and " " not in head else message.strip()
    first, *more = words.splitlines() or [""]
    return f"{step.replace('_', ' ')} failed: {first.rstrip('.')}." if more or not first else first


if __name__ == "__main__":
    code = main(sys.argv[1:])
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)  # everything is closed and written; taking the interpreter apart would take a second

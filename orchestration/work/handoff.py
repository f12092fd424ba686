"""Handing one step's output to the next: checked against its model, tried again only where that can help.

A failure that may pass by itself is raised by the step as `TransientError` and tried again three times, each wait
twice as long as the one before. Everything else, and an output that is not what its model says, ends the row at once
and goes to a person: a malformed output is never passed on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from orchestration.canonical import digest
from orchestration.contracts import Handoff, HandoffState

RETRIES: Final = 3
FIRST_WAIT: Final = 0.5
"""Seconds before the first retry; each later wait is twice as long."""
_REASON: Final = 500  # characters of a reason that are kept


class TransientError(Exception):
    """A step could not finish for a reason that may pass by itself: a busy service, a lost connection."""


@dataclass(frozen=True, slots=True)
class Declined:
    """What a step returns where nothing is worth proposing."""

    reason: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A handoff with what it carries.

    Attributes:
        handoff: The log line.
        output: The output as JSON data, valid for the step's model; nothing where none was passed on.
        reason: Why nothing was passed on.
    """

    handoff: Handoff
    output: dict[str, Any] | None = None
    reason: str = ""


def hand_over(
    row_id: str,
    step: str,
    work: Callable[[], object],
    model: type[BaseModel],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> HandedOver:
    """Run one step's work for one row and check what comes out.

    Args:
        row_id: The trigger row.
        step: The step's name.
        work: The step's function with its inputs; returns the model, a mapping that is valid for it, or `Declined`.
        model: What the output must be.
        sleep: How to wait between two tries.

    Returns:
        The output, or why there is none. No error of the step's escapes.
    """
    attempts = 0

    def once() -> object:
        nonlocal attempts
        attempts += 1
        return work()

    def ended(state: HandoffState, reason: str) -> HandedOver:
        handoff = Handoff(row_id=row_id, step=step, attempts=attempts, state=state)
        return HandedOver(handoff, reason=shortened(f"{step}: {reason}"))

    try:
        result = _patient(sleep)(once)
    except RetryError as error:
        return ended(HandoffState.FAILED, f"still failing after {attempts} attempts: {_said(error)}")
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a step raises, the other rows go on
        return ended(HandoffState.FAILED, f"{type(error).__name__}: {error}")
    if isinstance(result, Declined):
        return ended(HandoffState.DECLINED, result.reason)
    try:
        output = checked(result, model)
        proof = digest(output)
    except (ValidationError, TypeError, ValueError) as error:
        return ended(HandoffState.FAILED, f"its output is no valid {model.__name__}: {_fault(error)}")
    passed = Handoff(row_id=row_id, step=step, attempts=attempts, state=HandoffState.PASSED, output_digest=proof)
    return HandedOver(passed, output)


def checked(result: object, model: type[BaseModel]) -> dict[str, Any]:
    """An output as JSON data that its model accepts.

    It is written out and read back, so that an instance built around its own checks, or changed since, is caught too.

    Raises:
        ValidationError: It is not what the model says.
        TypeError: It is neither the model nor a mapping.
    """
    if isinstance(result, model):
        accepted = model.model_validate_json(result.model_dump_json(warnings="error"))
    elif isinstance(result, Mapping):
        accepted = model.model_validate(dict(result))
    else:
        raise TypeError(f"found a {type(result).__name__}, needed a {model.__name__}")
    return accepted.model_dump(mode="json")


def shortened(reason: str) -> str:
    """A reason at the length that is kept."""
    return reason if len(reason) <= _REASON else reason[: _REASON - 1] + "…"


def _patient(sleep: Callable[[float], None]) -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(1 + RETRIES),
        wait=wait_exponential(multiplier=FIRST_WAIT),
        sleep=sleep,
    )


def _said(error: RetryError) -> str:
    return str(error.last_attempt.exception())


def _fault(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    faults = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)

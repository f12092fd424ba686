"""What the ledger says of stops: what each halted, what was seen after it, and when it was lifted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestration.canonical import digest
from orchestration.ledger import kinds
from orchestration.ledger.subjects import GONE, HALT, LIFTING, PROOF, Subject


def said_of_stops(kind: str, body: dict[str, Any], seq: int) -> Iterator[tuple[Subject, str, int]]:
    """What an entry of that kind says of each subject: a digest of it, and its step."""
    if kind == kinds.STOPPED:
        number, halted = body.get("stop"), _mapping(body.get("halted"))
        for batch_id in _list(halted.get("batches")):
            yield Subject(HALT, f"batch {batch_id}"), digest(number), seq
        for permit_id in (*_list(halted.get("permits")), *_mapping(halted.get("sending")).values()):
            yield Subject(HALT, f"permit {permit_id}"), digest(number), seq
    if kind == kinds.STOP_PROOF:
        yield Subject(PROOF, str(body.get("stop"))), digest(body.get("proof")), 0
    if kind == kinds.STARTED:
        for number in _list(body.get("stops")):
            yield Subject(LIFTING, str(number)), digest(body.get("at")), 0
        for batch_id, by in _mapping(body.get("batches")).items():
            yield Subject(HALT, f"batch {batch_id}"), GONE if by is None else digest(by), seq


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []

"""Texts worked on by two processes, since what a library does to one is Python and Python takes turns.

The other process is one like this, started when there is much to do and stopped when its records are made. It is handed
functions by name and texts as Arrow, over its standard input, and hands back columns.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, Any, Final

import pyarrow as pa

Function = Callable[..., tuple[Any, ...]]
"""From a text, and what else it is given, to a value for each column."""

MUCH: Final = 20_000
"""Texts from which on the other process is asked."""

_SIZE: Final = 8
_other: ContextVar[list[subprocess.Popen[bytes]] | None] = ContextVar("other", default=None)


@contextmanager
def spread() -> Iterator[None]:
    """Within it the other process is there, once there is much to do."""
    started: list[subprocess.Popen[bytes]] = []
    token = _other.set(started)
    try:
        yield
    finally:
        _other.reset(token)
        for process in started:
            with process:
                process.kill()


def worked(
    texts: pa.Array, types: Sequence[pa.DataType], function: Function, given: Sequence[object]
) -> list[pa.Array]:
    """The columns that a function makes of texts; of NULL it makes NULL.

    Args:
        texts: The texts.
        types: The types of the columns.
        function: A function of a module, so that the other process finds it.
        given: What it is given after the text.
    """
    process = _asked(len(texts))
    if process is None:
        return columns(texts, types, function, given)
    middle = len(texts) // 2
    _send(process.stdin, pickle.dumps((function, list(given), list(types), texts.slice(middle))))
    first = columns(texts.slice(0, middle), types, function, given)
    second = pickle.loads(_receive(process.stdout))  # noqa: S301  from a process of ours
    if isinstance(second, BaseException):
        raise second
    return [pa.concat_arrays(pair) for pair in zip(first, second, strict=True)]


def columns(
    texts: pa.Array, types: Sequence[pa.DataType], function: Function, given: Sequence[object]
) -> list[pa.Array]:
    """The same, by this process."""
    nothing = (None,) * len(types)
    results = [nothing if text is None else function(text, *given) for text in texts.to_pylist()]
    return [pa.array([result[place] for result in results], kind) for place, kind in enumerate(types)]


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Do what is asked until nobody asks: the other process."""
    while (request := _read(requests)) is not None:
        try:
            function, given, types, texts = pickle.loads(request)  # noqa: S301  from the process that started this one
            answer: object = columns(texts, types, function, given)
        except Exception as error:  # noqa: BLE001  it is raised where the work was asked for
            answer = error
        _send(answers, pickle.dumps(answer))


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _asked(size: int) -> subprocess.Popen[bytes] | None:
    """The other process, where there is enough for two to do and a processor for it."""
    started = _other.get()
    if started is None or size < MUCH or processors() < 2:  # noqa: PLR2004  one each
        return None
    if not started:
        command = [sys.executable, "-c", f"from {__name__} import main; main()"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        started.append(
            subprocess.Popen(  # noqa: S603  this interpreter
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
            )
        )
    return started[0]


def _send(stream: IO[bytes] | None, content: bytes) -> None:
    assert stream is not None  # noqa: S101  it was started with pipes
    stream.write(len(content).to_bytes(_SIZE, "big") + content)
    stream.flush()


def _receive(stream: IO[bytes] | None) -> bytes:
    assert stream is not None  # noqa: S101  it was started with pipes
    if (content := _read(stream)) is None:
        raise EOFError("the other process ended; needed its half of the columns; look for what ended it, as memory.")
    return content


def _read(stream: IO[bytes]) -> bytes | None:
    size = stream.read(_SIZE)
    return stream.read(int.from_bytes(size, "big")) if len(size) == _SIZE else None


def main() -> None:
    """Serve the process that started this one."""
    with os.fdopen(os.dup(1), "wb") as answers:
        # What a library prints is no answer.
        os.dup2(2, 1)
        serve(sys.stdin.buffer, answers)

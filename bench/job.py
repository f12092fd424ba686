"""Insight's job as `precede run` starts it, with a clock in the one step that is both linkage and what comes after.

`entities/<type>` makes clusters with ids, which belongs to linkage, and then golden records, conflicts and standing,
which do not. `python -m bench.job FILE run insight.definitions reconcile` runs the job and writes to FILE, one JSON
object a line, how many seconds the second part took.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, Final

from insight.entities import build
from orchestration.cli import dagster

AFTER_IDS: Final = ("make_tables", "write_whole", "write_changes")
"""What a build of entities calls once every record has its entity's id."""


def main(arguments: list[str]) -> int:
    """Run the job that the arguments name after the file; as `orchestration.cli.dagster.main`."""
    file, *rest = arguments
    for name in AFTER_IDS:
        setattr(build, name, _timed(getattr(build, name), name, Path(file)))
    return dagster.main(rest)


def _timed(step: Callable[..., Any], name: str, file: Path) -> Callable[..., Any]:
    def run(*given: Any, **named: Any) -> Any:  # noqa: ANN401  whatever the step takes and returns
        begun = monotonic()
        try:
            return step(*given, **named)
        finally:
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"name": name, "seconds": monotonic() - begun}) + "\n")

    return run


if __name__ == "__main__":
    code = main(sys.argv[1:])
    logging.shutdown()
    os._exit(code)  # as the job's own process ends

"""An agent's `agent.py`, loaded from its folder: the one place where agent code comes into a process.

It runs with what the agents' code location holds, and no more. Which agents there are is asked of the registry.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Final

from orchestration.errors import AgentError
from orchestration.work.patterns import Pattern
from orchestration.work.workflow import Workflow, WorkflowError

_PREFIX: Final = "precede_agents"


def load_workflow(code: Path) -> Workflow:
    """The workflow that an agent's `agent.py` defines as `workflow`.

    Args:
        code: The file; its folder's name is the agent's.

    Raises:
        AgentError: It cannot be imported, or defines no workflow that can run.
    """
    name = f"{_PREFIX}.{code.parent.name}"
    spec = importlib.util.spec_from_file_location(name, code)
    if spec is None or spec.loader is None:
        raise AgentError(str(code), "a file that Python cannot import", "an agent.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where pydantic looks up what annotations mean
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise AgentError(str(code), f"{type(error).__name__}: {error}", "a module that can be imported") from error
    pattern: Pattern | None = getattr(module, "workflow", None)
    if pattern is None or not callable(getattr(pattern, "wire", None)):
        raise AgentError(str(code), "no `workflow`", "one, made with the patterns of orchestration/work/patterns.py")
    try:
        return Workflow.of(pattern)
    except WorkflowError as error:
        raise AgentError(f"{code}: workflow", error.found, error.needed) from error

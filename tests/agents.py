"""Agent folders written for one test each, and the other small things that tests of waking and answering share."""

from __future__ import annotations

from pathlib import Path

from orchestration.registry import Agent, load_agent

TRIGGER = "SELECT entity_id, name FROM entity WHERE entity_type = 'organisation' ORDER BY entity_id"
CODE = '''"""Says hello."""

from orchestration.contracts import Proposal
from orchestration.work.patterns import Step, chain

workflow = chain(Step("say", lambda row: Proposal(row_id=row.row_id, action_type="say", arguments={}), Proposal))
'''


def write_agent(  # noqa: PLR0913  a folder has that many parts
    folder: Path, name: str = "tester", *, trigger: str = TRIGGER, code: str = CODE, columns: str = "", env: str = ""
) -> Agent:
    """Write an agent's folder and load its card."""
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    card = f"""
name: {name}
owner: Quality
use_case: Being tested.
action_types: [send_payment_reminder]
columns: [{columns}]
credentials: {{env: [{env}]}}
memory: None.
metrics: [{{name: tests, unit: count, baseline: 0}}]
"""
    (home / "agent.yml").write_text(card)
    (home / "trigger.sql").write_text(trigger)
    (home / "agent.py").write_text(code)
    (home / "policy.cedar").write_text(f'@id("{name}-any") permit (principal == Agent::"{name}", action, resource);')
    (home / "feedback.sql").write_text("SELECT 'tests' AS metric, 'count' AS unit, 0 AS value")
    return load_agent(home)

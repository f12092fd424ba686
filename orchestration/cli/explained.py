"""How `precede policy explain` tells of a decision: as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.text import Text

from orchestration.cli.reading import Paper, headed, meaning, plain, spoken, table, told

if TYPE_CHECKING:
    from orchestration.contracts import Reason
    from orchestration.gate.replay import Asked, Kept

DECIDED: Final = {"allow": "allowed", "review": "sent to review", "deny": "denied"}
"""What is said of an action that was decided so."""
_WOULD: Final = {"permit": "permit it", "forbid": "forbid it", "review": "send it to review"}
_ORDER: Final = ("forbid", "review", "permit")
_DOES: Final = {"permit": "permits it", "forbid": "forbids it", "review": "sends it to review"}


def explained(kept: Kept, asked: Sequence[Asked], problems: Sequence[str]) -> None:
    """Print why a decision was made: in sentences what counted, then what did not apply, and what is wrong with it."""
    out = Paper()
    out.print(
        f"{kept.action} of {kept.agent} was {DECIDED[kept.verdict.value]}, by the policies {kept.policy_digest[:12]}."
    )
    out.print(headed("Why", Group(*map(Text, map(_sentence, kept.reasons)))))
    if applied := sorted((each for each in asked if each.satisfied != "no"), key=lambda one: _ORDER.index(one.effect)):
        out.print(headed("Policies that applied", Group(*map(Text, map(_spoke, applied)))))
    shown = table("policy", "would", "what it saw")
    for each in asked:
        facts = "\n".join(f"{name} = {_fact(value)}" for name, value in each.facts.items())
        if each.satisfied == "no":
            shown.add_row(each.name, _WOULD[each.effect], facts)
    if shown.row_count:
        out.print(headed("Policies that did not apply", shown))
    for problem in problems:
        out.print(Text(problem, style="red"))
    if not problems:
        out.print(Text("Decided again from what was kept, it comes to the same.", style="green"))


def _sentence(reason: Reason) -> str:
    """A reason as a sentence, with its code."""
    if reason.code in {"permitted", "review"} and reason.subject:
        return f"{reason.subject} {_DOES['permit' if reason.code == 'permitted' else 'review']}."
    said = meaning(reason) or f"{told(reason).capitalize()}."
    return f"{said} ({spoken(reason.code)})"


def _spoke(policy: Asked) -> str:
    """What a policy that was satisfied, or gave no answer, comes to, and on what facts."""
    facts = ", ".join(f"{name} = {_fact(value)}" for name, value in policy.facts.items())
    saw = f"; it saw {facts}" if facts else ", whatever the facts"
    if policy.satisfied == "no answer":
        return f"{policy.name} gave no answer, which counts as no{saw}."
    return f"{policy.name} {_DOES[policy.effect]}{saw}."


def _fact(value: object) -> str:
    return "not known" if value is None else plain(value) or "nothing"

"""Review pairs and judgements as a person reads them, and the question that is asked of a pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from orchestration.cli.reading import Paper, plain, spoken, table
from orchestration.cli.why_shown import OfPair, of_pair
from orchestration.judgements import PairVerdict

_QUESTION: Final = "[s]ame, [d]ifferent, s[k]ip or [q]uit, then why if you like > "
_ANSWERS: Final = {"s": PairVerdict.SAME, "d": PairVerdict.DIFFERENT, "k": PairVerdict.SKIP}
_SAID: Final = {PairVerdict.SAME: "are the same", PairVerdict.DIFFERENT: "are different"}
_NEXT: Final = "The next graph obeys it: `precede run`."
_STATES: Final = ("contradicted", "unplaced", "expired", "waiting", "obeyed", "withdrawn")
_STYLES: Final = {"contradicted": "red", "unplaced": "yellow", "expired": "yellow", "obeyed": "green"}


class Answer(NamedTuple):
    """What a reviewer typed."""

    verdict: PairVerdict
    note: str


def listed(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Open pairs, one a line."""
    if not found:
        return Text("No pair waits for a judgement.")
    shown = table("waiting", "may be one", "reason", "a decision could change")
    shown.columns[0].justify = "right"
    for row in found:
        both = Text(f"{row['name_a']}\n{row['name_b']}")
        both.append(f"\n{row['record_a']} {row['record_b']}", style="dim")
        reason = spoken(row["reason"]) + (
            "" if row["match_probability"] is None else f" {row['match_probability']:.3f}"
        )
        reason += ", skipped" if row["skipped"] else ""
        reason += f"\n{row['doubts']} doubts" if row["doubts"] > 1 else ""
        shown.add_row(f"{len(row['waiting'])}", both, reason, _fields(row["could_change"]))
    return shown


def pair(told: OfPair, row: Mapping[str, Any]) -> RenderableType:
    """Two records side by side, and what hangs on them."""
    lines: list[RenderableType] = [of_pair(told)]
    if row:
        waits = len(row["waiting"])
        lines.append(Text(f"\n{waits} action{'' if waits == 1 else 's'} wait{'s' if waits == 1 else ''} for it."))
        lines.append(Text(f"A decision could change: {_fields(row['could_change'])}."))
    return Group(*lines)


def ask(paper: Paper, reviewer: str) -> Answer | None:
    """What the reviewer says of the pair above; none where they quit."""
    while True:
        try:
            typed = paper.input(f"{reviewer}: {_QUESTION}").strip()
        except (EOFError, KeyboardInterrupt):
            return None
        letter, _, note = typed.partition(" ")
        if letter.lower() in {"q", "quit"}:
            return None
        for verdict in PairVerdict:
            if letter.lower() in {verdict.value, *(key for key, one in _ANSWERS.items() if one is verdict)}:
                return Answer(verdict, note)
        paper.print("Type s, d, k or q.")


def judged(row: Mapping[str, Any]) -> str:
    """What was kept of a pair."""
    said = _SAID.get(PairVerdict(row["verdict"]))
    if said is None:
        return f"{row['reviewer']} says nothing of {row['record_a']} and {row['record_b']} ({row['judgement_id']})."
    return f"{row['record_a']} and {row['record_b']} {said}, says {row['reviewer']} ({row['judgement_id']}). {_NEXT}"


def settled(row: Mapping[str, Any]) -> str:
    """What was kept of a value."""
    of = f"the {spoken(row['field'])} of {row['record_id']}'s entity"
    if row["value"] is None:
        return f"{row['reviewer']} says nothing of {of} any more ({row['judgement_id']}). {_NEXT}"
    end = f" until {row['until']}" if row["until"] else ""
    return f"{row['value']} is {of}{end}, says {row['reviewer']} ({row['judgement_id']}). {_NEXT}"


def by_state(row: Mapping[str, Any]) -> tuple[int, str]:
    """The order of judgements: what is not obeyed first, then the oldest."""
    return _STATES.index(row["state"]), str(row["at"])


def judgements(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    """What people said, one judgement a line."""
    if not found:
        return Text("Nobody has judged anything of that kind.")
    shown = table("state", "judgement", "said", "by")
    for row in found:
        about = (
            f"{row['record_a']}\n{row['record_b']}"
            if "record_a" in row
            else f"{spoken(row['field'])} of {row['record_id']}"
        )
        said = row.get("verdict") or plain(row.get("value")) or "nothing any more"
        said += f" until {row['until']}" if row.get("until") else ""
        text = Text(f"{said}: {about}")
        for more in (row["detail"], row["note"]):
            if more:
                text.append(f"\n{more}", style="dim")
        state = Text(row["state"], style=_STYLES.get(row["state"], ""))
        shown.add_row(state, row["judgement_id"], text, f"{row['reviewer']}\n{plain(row['at'])}")
    return shown


def _fields(names: Sequence[str] | None) -> str:
    """The fields that a decision could change; where that is not known, any of them."""
    if names is None:
        return "anything"
    return ", ".join(map(spoken, names)) or "no value"

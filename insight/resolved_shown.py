"""What a record was resolved to, as a person reads it."""

from __future__ import annotations

from typing import Final

from insight.resolving import Candidate, Resolved
from orchestration.cli.reading import Paper, plain, print_json, spoken, table

_ANSWERS: Final = {
    "entity": "It is this entity:",
    "candidates": "It may be one of these:",
    "nobody": "It is nobody that is known.",
}


def show(found: Resolved, *, as_json: bool) -> None:
    """Print it."""
    if as_json:
        print_json(found)
        return
    paper = Paper()
    paper.print(_ANSWERS[found.answer])
    named = [one for one in found.candidates if one.status != "vetoed"]
    named = named[:1] if found.answer == "entity" else named
    kept_apart = [one for one in found.candidates if one.status == "vetoed"]
    if named:
        _listed(paper, named)
    if kept_apart:
        paper.print("\nNot one of these, though they resemble it:")
        _listed(paper, kept_apart)
    paper.print(f"\nA link takes {found.accept:+.1f} bits, a doubt {found.review:+.1f}.", style="dim")
    for field, problem in found.left_out.items():
        paper.print(f"Left out: {spoken(field)}, {problem}.", style="yellow")


def _listed(paper: Paper, candidates: list[Candidate]) -> None:
    shown = table(
        "entity", "name", "standing", "by", "bits", "ahead by", "nearest record", whole={"entity", "nearest record"}
    )
    for one in candidates:
        by = f"{'vetoed: ' if one.status == 'vetoed' else ''}{spoken(one.rule)}" if one.rule else "the model"
        bits = "" if one.match_weight is None else f"{one.match_weight:+.1f}"
        ahead = "" if one.margin is None or one.rule else f"{one.margin:.1f}"
        shown.add_row(one.entity_id, plain(one.name), spoken(one.standing), by, bits, ahead, one.record_id)
    paper.print(shown)

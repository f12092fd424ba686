"""The pictures of a report: SVG that draws itself into a page, with its text as text and nothing from elsewhere.

Names are drawn as they are said: no mathematics, no markup.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from orchestration.report.model import Day, Report
from orchestration.report.words import plainly, spoken

COLOURS: Final = {
    "allowed": "#4f43dd",
    "in review": "#e8a13a",
    "denied": "#9aa0ab",
    "done": "#2a8f6d",
    "failed": "#c8324b",
    "unknown": "#e8a13a",
    "under way": "#b9b4f2",
}
"""Told apart by most people who see colours otherwise; each picture's numbers stand in a table too."""
MOST_BARS: Final = 12
MOST_DAYS: Final = 8
"""Days that are named below their column."""
_NAME: Final = 28
"""Characters of a name beside a bar."""
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "precede",  # the same numbers make the same picture
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8f99",
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "legend.frameon": False,
}
_NOTHING_SAID: Final = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_RULES: Final = re.compile(r"<style.*?</style>", re.DOTALL)
"""They would be the whole page's; how lines meet is all that they say."""
_OWN: Final = re.compile(r'(\bid="|href="#|url\(#)')


def pictures(report: Report) -> dict[str, str]:
    """Title to picture, each one `<svg>` element; pictures of nothing are left out."""
    agents = report.agents[:MOST_BARS]
    decided = {
        one.agent: {"allowed": one.numbers.allowed, "in review": one.numbers.reviewed, "denied": one.numbers.denied}
        for one in agents
    }
    effects = {
        one.agent: {
            "done": one.numbers.done,
            "failed": one.numbers.failed,
            "unknown": one.numbers.unknown,
            "under way": one.numbers.under_way,
        }
        for one in agents
    }
    drawn = {
        "What was decided of each agent's actions": _stacked(decided),
        "What became of each agent's effects": _stacked(effects),
        "Decisions of each day": _days(report.days),
        "Why actions were denied or in review": _reasons(report),
    }
    return {
        title: _own(svg, f"plot{number}-") for number, (title, svg) in enumerate(drawn.items(), 1) if svg is not None
    }


def _stacked(parts: Mapping[str, Mapping[str, int]]) -> str | None:
    """One bar for each name, in parts; those without any are left out."""
    bars = {name: counts for name, counts in parts.items() if sum(counts.values())}
    if not bars:
        return None
    with rc_context(_STYLE):
        figure, axes = _sheet(0.9 + 0.38 * len(bars))
        names = [_short(name) for name in bars]
        left = [0] * len(bars)
        for part in next(iter(bars.values())):
            counts = [counts[part] for counts in bars.values()]
            if any(counts):
                axes.barh(names, counts, left=left, label=part, color=COLOURS[part], height=0.62)
                left = [before + more for before, more in zip(left, counts, strict=True)]
        for number, total in enumerate(left):
            axes.annotate(f" {total:,}", (total, number), va="center")
        axes.invert_yaxis()
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _legend(figure)
        return _drawn(figure)


def _days(days: Sequence[Day]) -> str | None:
    """One column for each day of the period."""
    parts = {
        "allowed": [day.allowed for day in days],
        "in review": [day.reviewed for day in days],
        "denied": [day.denied for day in days],
    }
    if not any(map(any, parts.values())):
        return None
    with rc_context(_STYLE):
        figure, axes = _sheet(2.6)
        bottom = [0] * len(days)
        at = range(len(days))
        for part, counts in parts.items():
            if any(counts):
                axes.bar(at, counts, bottom=bottom, label=part, color=COLOURS[part], width=0.8)
                bottom = [before + more for before, more in zip(bottom, counts, strict=True)]
        axes.set_xlim(at[0] - 0.6, at[-1] + 0.6)
        named = at[:: -(-len(days) // MOST_DAYS)]
        axes.set_xticks(list(named), [f"{days[one].day:%-d %b}" for one in named])
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        _legend(figure)
        return _drawn(figure)


def _reasons(report: Report) -> str | None:
    """The commonest reasons, one bar each, in the colour of what they led to."""
    given: dict[tuple[str, str], int] = {}
    for agent in report.agents:
        for verdict, part in (("deny", "denied"), ("review", "in review")):
            for ground in agent.reasons.get(verdict, ()):
                given[ground.name, part] = given.get((ground.name, part), 0) + ground.actions
    commonest = sorted(given.items(), key=lambda item: (-item[1], item[0]))[:MOST_BARS]
    if not commonest:
        return None
    return _stacked(
        {
            f"{spoken(name)} ({part})": {"in review": 0, "denied": 0} | {part: number}
            for (name, part), number in commonest
        }
    )


def _sheet(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.6, height), layout="constrained")
    axes = figure.subplots()
    axes.tick_params(length=0)
    axes.margins(x=0.08)
    return figure, axes


def _legend(figure: Figure) -> None:
    figure.legend(loc="outside upper left", ncols=4)


def _drawn(figure: Figure) -> str:
    """The picture as one element, without prologue and without a word on what drew it."""
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata=_NOTHING_SAID, transparent=True)
    text = written.getvalue()
    return _RULES.sub("", text[text.index("<svg") :])


def _own(svg: str, prefix: str) -> str:
    """The picture with names of its own inside it, so that several stand on one page."""
    return _OWN.sub(lambda found: found[0] + prefix, svg)


def _short(name: str) -> str:
    said = plainly(name)
    return said if len(said) <= _NAME else f"{said[: _NAME - 1]}…"

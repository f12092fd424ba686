"""A picture of how a match weight came about, as an SVG file: one bar for each comparison, from the start to the sum.

Drawn by hand: a plotting library would be most of what is installed, for one picture. Weights are in bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

from orchestration.explanation import Step

_WIDTH: Final = 920
_LEFT: Final = 270  # where the bars begin
_RIGHT: Final = 800  # where they end; numbers stand beside
_ROW: Final = 34
_HEAD: Final = 112
_FOOT: Final = 46
_BAR: Final = 18
_INK, _PALE, _LINE = "#20242c", "#6b7280", "#e5e7eb"
_FOR, _AGAINST, _START = "#2f9e6e", "#d3574b", "#9aa3b2"
_SUMS: Final = {"accepted": "#4f43dd", "possible": "#c98a1b", "ambiguous": "#c98a1b", "vetoed": "#8b3a3a"}
_FONT: Final = "font-family=\"'Inter','Segoe UI','Helvetica Neue',Arial,sans-serif\""
_CONTROL: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160)))


class Bar(NamedTuple):
    """One bar: what it is of, from where to where in bits, and its colour."""

    name: str
    level: str
    begin: float
    end: float
    colour: str
    weak: bool = False


class Scale(NamedTuple):
    """How bits become places on the page."""

    low: float
    high: float

    def at(self, bits: float) -> float:
        """The place of a weight."""
        return _LEFT + (bits - self.low) / (self.high - self.low) * (_RIGHT - _LEFT)


def waterfall(steps: Sequence[Step], title: str) -> str:
    """The picture of one or more steps, one below the other, as the text of an SVG file.

    Args:
        steps: Compared pairs.
        title: What they are about, for readers who do not see it.
    """
    panels, height = [], 0
    for step in steps:
        drawn = list(_panel(step))
        rows = len(_bars(step))
        panels.append(f'<g transform="translate(0 {height})">{"".join(drawn)}</g>')
        height += _HEAD + max(rows, 1) * _ROW + _FOOT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        f'role="img" {_FONT}><title>{_clean(title)}</title>'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>{"".join(panels)}</svg>\n'
    )


def _panel(step: Step) -> Iterator[str]:
    bars = _bars(step)
    foot = _HEAD + max(len(bars), 1) * _ROW
    yield _text(28, 36, f"{step.record_a}  and  {step.record_b}", size=17, weight=600)
    yield _text(28, 60, _headline(step), size=13, colour=_SUMS[step.status], weight=600)
    yield _text(28, 80, step.reason, size=13, colour=_PALE)
    if not bars:
        yield _text(28, _HEAD + 18, "Their values were not weighed.", size=13, colour=_PALE)
        return
    scale = _scale(step, bars)
    for number in range(len(bars)):
        if number % 2:
            top = _HEAD + number * _ROW
            yield f'<rect x="16" y="{top}" width="{_WIDTH - 32}" height="{_ROW}" fill="#f8f9fb"/>'
    yield from _axis(scale, foot)
    yield from _marks(step, scale, foot)
    for number, bar in enumerate(bars):
        yield from _row(bar, _HEAD + number * _ROW, scale, last=number == len(bars) - 1)


def _bars(step: Step) -> list[Bar]:
    if step.match_weight is None:
        return []
    at = step.prior if step.prior is not None else 0.0
    bars = [Bar("start", "two records at random", 0.0, at, _START)] if step.prior is not None else []
    for part in step.comparisons:
        if part.weight is not None:
            colour = _FOR if part.weight >= 0 else _AGAINST
            bars.append(Bar(part.name, part.level, at, at + part.weight, colour, part.weak))
            at += part.weight
    level = (
        "match weight"
        if step.match_probability is None
        else f"match weight, probability {_percent(step.match_probability)}"
    )
    return [*bars, Bar("sum", level, 0.0, step.match_weight, _SUMS[step.status])]


def _scale(step: Step, bars: Sequence[Bar]) -> Scale:
    marks = [mark for mark in (step.accept, step.review) if mark is not None]
    ends = [0.0, *marks, *(bar.begin for bar in bars), *(bar.end for bar in bars)]
    room = max(max(ends) - min(ends), 1.0) * 0.04
    return Scale(min(ends) - room, max(ends) + room)


def _axis(scale: Scale, foot: int) -> Iterator[str]:
    span = scale.high - scale.low
    tick = next(size for size in (1, 2, 5, 10, 20, 50, 100, 1000) if span / size <= 10)  # noqa: PLR2004  ticks that fit
    first = -(-scale.low // tick)
    for number in range(int(first), int(scale.high // tick) + 1):
        at = scale.at(number * tick)
        colour = "#9ca3af" if number == 0 else _LINE
        yield f'<line x1="{at:.1f}" y1="{_HEAD}" x2="{at:.1f}" y2="{foot}" stroke="{colour}"/>'
        yield _text(at, foot + 16, f"{number * tick:+d}" if number else "0", size=11, colour=_PALE, anchor="middle")
    yield _text(_RIGHT + 28, foot + 16, "bits", size=11, colour=_PALE)


def _marks(step: Step, scale: Scale, foot: int) -> Iterator[str]:
    marks = [("review", step.review, "#c98a1b", "end"), ("accept", step.accept, "#2f9e6e", "start")]
    for name, value, colour, anchor in marks:
        if value is not None:
            at = scale.at(value)
            yield (
                f'<line x1="{at:.1f}" y1="{_HEAD - 6}" x2="{at:.1f}" y2="{foot}" stroke="{colour}" '
                'stroke-width="1.5" stroke-dasharray="5 4"/>'
            )
            shift = 4 if anchor == "start" else -4
            yield _text(at + shift, _HEAD - 8, f"{name} {value:+.1f}", size=11, colour=colour, anchor=anchor)


def _row(bar: Bar, top: int, scale: Scale, *, last: bool) -> Iterator[str]:
    middle, weight = top + _ROW / 2, bar.end - bar.begin
    begin, end = sorted((scale.at(bar.begin), scale.at(bar.end)))
    yield _text(28, middle - 3, bar.name, size=13, weight=600 if last else 500)
    said = f"{bar.level} · only a stranger says so" if bar.weak else bar.level
    yield _text(28, middle + 11, _cut(said, 44), size=11, colour=_PALE)
    look = f'fill="{bar.colour}"'
    if bar.weak:  # hollow: it counts for the weight, and cannot accept a link
        look = f'fill="{bar.colour}" fill-opacity="0.18" stroke="{bar.colour}" stroke-dasharray="3 2"'
    yield (
        f'<rect x="{begin:.1f}" y="{middle - _BAR / 2:.1f}" width="{max(end - begin, 1.5):.1f}" height="{_BAR}" '
        f'rx="3" {look}/>'
    )
    if not last:
        at = scale.at(bar.end)
        yield (
            f'<line x1="{at:.1f}" y1="{middle + _BAR / 2:.1f}" x2="{at:.1f}" y2="{middle + _ROW - _BAR / 2:.1f}" '
            'stroke="#b6bcc8"/>'
        )
    yield _text(_WIDTH - 28, middle + 5, f"{weight:+.1f}", size=13, anchor="end", weight=700 if last else 500)


def _headline(step: Step) -> str:
    words = {"accepted": "taken for one", "possible": "in doubt", "ambiguous": "in doubt", "vetoed": "kept apart"}
    decided = step.rule.replace("_", " ") if step.rule else "the model"
    return f"{words[step.status]} by {decided}" if step.status in {"accepted", "vetoed"} else words[step.status]


def _percent(probability: float) -> str:
    return "above 99.99 %" if probability > 0.9999 else f"{probability:.2%}".replace("%", " %")  # noqa: PLR2004  as shown


def _text(  # noqa: PLR0913  what a text on a page has
    left: float, top: float, text: str, *, size: int, colour: str = _INK, anchor: str = "start", weight: int = 400
) -> str:
    return (
        f'<text x="{left:.1f}" y="{top:.1f}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{_clean(text)}</text>'
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _clean(text: str) -> str:
    """A text as XML may hold it: what sources say is nothing but text."""
    return escape("".join(letter for letter in text.translate(_CONTROL) if letter.isprintable() or letter == " "))

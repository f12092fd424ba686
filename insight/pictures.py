"""Small pictures for a materialisation's page, as Markdown with the SVG inside it.

Drawn by hand, because importing a plotting library would take longer than most steps do. Each has its numbers as text
too, for readers who do not see it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

_WIDTH: Final = 560
_ROW: Final = 26
_LABEL: Final = 180
_NUMBER: Final = 70
_HEIGHT: Final = 150
_INK: Final = "#4f43dd"
_PALE: Final = "#d4d0f7"
_TEXT: Final = "#666a73"


def bars(title: str, counts: Mapping[str, float]) -> str:
    """One horizontal bar for each count, in the order given."""
    most = max(counts.values(), default=0) or 1
    room = _WIDTH - _LABEL - _NUMBER
    drawn = []
    for number, (name, count) in enumerate(counts.items()):
        top = number * _ROW
        drawn += [
            _text(_LABEL - 8, top + 17, name, anchor="end"),
            f'<rect x="{_LABEL}" y="{top + 5}" width="{room * count / most:.1f}" height="16" rx="2" fill="{_INK}"/>',
            _text(_LABEL + room * count / most + 6, top + 17, f"{count:,.0f}"),
        ]
    spoken = ", ".join(f"{name} {count:,.0f}" for name, count in counts.items())
    return _image(f"{title}: {spoken or 'none'}", drawn, max(1, len(counts)) * _ROW)


def shares(title: str, parts: Mapping[str, tuple[int, int]]) -> str:
    """One bar for each whole, with the part that counts in the darker colour.

    Args:
        title: What the picture shows.
        parts: Name to part and whole.
    """
    room = _WIDTH - _LABEL - _NUMBER
    drawn = []
    for number, (name, (part, whole)) in enumerate(parts.items()):
        top, share = number * _ROW, part / whole if whole else 0.0
        drawn += [
            _text(_LABEL - 8, top + 17, name, anchor="end"),
            f'<rect x="{_LABEL}" y="{top + 5}" width="{room}" height="16" rx="2" fill="{_PALE}"/>',
            f'<rect x="{_LABEL}" y="{top + 5}" width="{room * share:.1f}" height="16" rx="2" fill="{_INK}"/>',
            _text(_LABEL + room + 6, top + 17, f"{share:.0%}"),
        ]
    spoken = ", ".join(f"{name} {part:,} of {whole:,}" for name, (part, whole) in parts.items())
    return _image(f"{title}: {spoken or 'none'}", drawn, max(1, len(parts)) * _ROW)


def histogram(title: str, bins: Sequence[tuple[float, int]]) -> str:
    """One column for each bin, the first and the last labelled.

    Args:
        title: What the picture shows.
        bins: Lower edge and count of each bin, in order.
    """
    most = max((count for _, count in bins), default=0) or 1
    width = _WIDTH / max(1, len(bins))
    drawn = []
    for number, (_, count) in enumerate(bins):
        tall = (_HEIGHT - 20) * count / most
        drawn.append(
            f'<rect x="{number * width + 1:.1f}" y="{_HEIGHT - 20 - tall:.1f}" width="{max(1.0, width - 2):.1f}" '
            f'height="{tall:.1f}" fill="{_INK}"/>'
        )
    if bins:
        drawn.append(_text(0, _HEIGHT - 4, f"{bins[0][0]:g}"))
        drawn.append(_text(_WIDTH, _HEIGHT - 4, f"{bins[-1][0]:g}", anchor="end"))
    spoken = ", ".join(f"from {edge:g} {count:,}" for edge, count in bins)
    return _image(f"{title}: {spoken or 'none'}", drawn, _HEIGHT)


def _text(left: float, top: float, text: str, anchor: str = "start") -> str:
    shown = escape(text.replace("_", " "))
    return (
        f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}" font-family="sans-serif" font-size="12" '
        f'fill="{_TEXT}">{shown}</text>'
    )


def _image(spoken: str, drawn: Sequence[str], height: int) -> str:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}">{"".join(drawn)}</svg>'
    )
    encoded = base64.b64encode(svg.encode()).decode()
    return f"![{spoken.replace('[', '(').replace(']', ')')}](data:image/svg+xml;base64,{encoded})"

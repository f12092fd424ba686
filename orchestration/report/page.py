"""A report as one page: no network, no script, nothing from elsewhere, and every text of others' as text.

A policy inside the page forbids scripts, frames, forms, fonts and images of any kind, and any style sheet but its own.
Each value is spelt so that nothing in it hides, then escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from orchestration.report.model import Listed, Report
from orchestration.report.page_words import (
    COLUMNS,
    about_incident,
    answer,
    facts,
    outcome,
    rests_on,
    stood_still,
    stopped_what,
)
from orchestration.report.plots import pictures
from orchestration.report.words import lasting, moment, plainly, spoken

HERE: Final = Path(__file__).parent
VERDICTS: Final = (("deny", "denied"), ("review", "sent to review"))
_SAID: Final = {"allow": "allowed", "review": "in review", "deny": "denied", None: "not decided in the period"}


def page(report: Report) -> str:
    """The page as one HTML document."""
    style = (HERE / "page.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    return template.render(
        report=report,
        style=style,
        style_hash=f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}",
        pictures=pictures(report),
        short=list(_short(report)),
        columns=COLUMNS,
        verdicts=VERDICTS,
        facts=facts,
        rests_on=list(rests_on(report)),
        verdict_of=_verdict,
        outcome_of=outcome,
        answer_of=answer,
        stopped_what=stopped_what,
        stood_still=lambda stop: stood_still(stop, report.zone),
        about_incident=about_incident,
        spoken=spoken,
        lasting=lasting,
        moment=lambda at: moment(at, report.zone),
    )


def _short(report: Report) -> Iterator[tuple[str, str]]:
    total = report.total
    for name, value in (
        ("proposals", total.proposals),
        ("allowed", total.allowed),
        ("sent to review", total.held),
        ("denied", total.denied),
        ("effects done", total.done),
        ("undone", total.undone),
        ("tainted", total.tainted),
        ("incidents", total.incidents),
        ("still in review", total.waiting),
        ("stops", total.stops),
    ):
        yield name, f"{value:,}"


def _verdict(action: Listed) -> str:
    return _SAID.get(action.verdict, str(action.verdict))


def _seen(value: Any) -> Any:  # noqa: ANN401  whatever the template prints
    """A text with nothing hidden in it; our own markup as it is."""
    return plainly(value) if isinstance(value, str) and not isinstance(value, Markup) else value

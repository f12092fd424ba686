"""What others wrote stands on a page and in a cell as text, whatever it is."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from orchestration.report.cells import cell, tables
from orchestration.report.model import (
    AgentReport,
    Basis,
    Day,
    Ground,
    Incident,
    Listed,
    Missing,
    Numbers,
    Report,
    Stopped,
)
from orchestration.report.page import page
from orchestration.report.plots import pictures
from orchestration.report.words import lasting, plainly

NOW = datetime(2026, 11, 2, tzinfo=UTC)
MARKUP = "</q><script>alert(1)</script><img src=x onerror=alert(1)>'\"&{{ 7 * 7 }}"
FORMULA = '=HYPERLINK("http://example.org")'


def _a_stop(planted: str) -> Stopped:
    return Stopped(
        scope="agent",
        name=planted,
        stopped_at=NOW,
        started_at=None,
        person=planted,
        proven=True,
        looked_at=NOW,
        stood_still_after=2.5,
    )


def a_report(planted: str) -> Report:
    """A report in which every text that comes from elsewhere is one that somebody planted."""
    ground = {"deny": (Ground(name=planted, actions=2),), "review": (Ground(name=planted, actions=1),), "allow": ()}
    agent = AgentReport(
        agent=planted,
        owner=planted,
        use_case=planted,
        numbers=Numbers(proposals=3, denied=2, reviewed=1, effects=1, done=1),
        median_wait=90.0,
        longest_wait=7_200.0,
        reasons=ground,
        policies=ground,
    )
    action = Listed(
        action=planted,
        agent=planted,
        action_type=planted,
        entity_id=planted,
        name=planted,
        last_at=NOW,
        verdict="deny",
        reasons=(planted,),
        policies=(planted,),
        outcome=planted,
        undone=True,
        tainted=(planted,),
        trace=f"precede trace {planted}",
    )
    return Report(
        since=NOW,
        until=NOW,
        zone="UTC",
        period="from then on",
        basis=Basis(
            made_at=NOW,
            snapshot=planted,
            entries=1,
            head=planted,
            verified=False,
            problems=(planted,),
            problem_count=1,
            missing=(Missing(what="evidence", number=1, says=planted),),
        ),
        total=agent.numbers,
        agents=(agent,),
        days=(Day(day=date(2026, 11, 2), denied=2),),
        stops=(_a_stop(planted),),
        incidents=(Incident(record_id=planted, how=planted, action=planted, agent=planted, found_at=NOW),),
        actions=(action,),
        actions_left_out=0,
    )


class Tags(HTMLParser):
    """The elements of a page and what leads out of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.targets += [value or "" for name, value in attrs if name in {"href", "src", "xlink:href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def planted() -> tuple[str, Tags]:
    said = page(a_report(MARKUP))
    return said, Tags(said)


def test_markup_in_names_is_text(planted: tuple[str, Tags]) -> None:
    said, tags = planted
    assert not tags.names & {"script", "img", "iframe", "object", "embed", "link", "form", "base", "image"}
    assert not {name for name in tags.attributes if name.startswith("on")}
    assert MARKUP in tags.text
    assert "{{ 7 * 7 }}" in said


def test_names_from_elsewhere_are_shown_as_quoted_data(planted: tuple[str, Tags]) -> None:
    assert '<q class="data" dir="auto">&lt;/q&gt;&lt;script&gt;' in planted[0]


def test_a_page_asks_nobody_for_anything(planted: tuple[str, Tags]) -> None:
    said, tags = planted
    assert {target[:1] for target in tags.targets} <= {"#"}
    assert "url(http" not in said
    assert "@import" not in said
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', said)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; style-src-elem 'sha256-")
    assert "script" not in policy[1]


def test_the_pages_own_style_is_the_only_one(planted: tuple[str, Tags]) -> None:
    assert planted[0].count("<style>") == 1
    assert "<style" not in "".join(pictures(a_report("finance")).values())


def test_nothing_hides_in_a_text() -> None:
    assert plainly("pay\u202enow\u2066\U000e0041\0") == "pay⟨U+202E⟩now⟨U+2066⟩⟨U+E0041⟩⟨U+0000⟩"
    assert plainly("Zoë & Söhne 株式会社\n two") == "Zoë & Söhne 株式会社 two"
    assert len(plainly("x" * 5_000)) == 1_000
    assert "⟨U+202E⟩" in page(a_report("pay\u202enow"))


def test_pictures_are_whole_say_names_as_they_are_and_share_no_ids() -> None:
    drawn = pictures(a_report("a $\\frac{1}{2}$ <b>"))
    ids: list[str] = []
    for svg in drawn.values():
        tree = ET.fromstring(svg)  # noqa: S314  our own picture
        ids += [one.get("id", "") for one in tree.iter() if one.get("id")]
        assert not [one for one in tree.iter() if one.tag.endswith(("script", "image", "foreignObject"))]
    assert len(drawn) == 4
    assert len(ids) == len(set(ids))
    assert any("$\\frac" in svg for svg in drawn.values())
    assert drawn == pictures(a_report("a $\\frac{1}{2}$ <b>"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (FORMULA, f"'{FORMULA}"),
        ("+44 20", "'+44 20"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", "'=1+1"),
        ("  =1+1", "'=1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\u202e=1", "⟨U+202E⟩=1"),
        (("=1", "b"), "'=1 b"),
        ("Acme", "Acme"),
        ("", ""),
        (-5, "-5"),
        (None, ""),
        (True, "True"),
    ],
)
def test_a_cell_runs_nothing(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_no_exported_cell_of_text_begins_as_a_formula() -> None:
    for name, text in tables(a_report(FORMULA)).items():
        rows = list(csv.reader(io.StringIO(text)))
        assert len(rows) > 1, name
        assert not [one for row in rows for one in row if one[:1] in "=+-@" and one], name


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (0.4, "0.4 s"), (0, "0 s"), (59, "59 s"), (90, "1.5 min"), (5_400, "1.5 h"), (129_600, "1.5 d")],
)
def test_a_length_of_time_is_said_in_its_largest_unit(seconds: float | None, said: str) -> None:
    assert lasting(seconds) == said

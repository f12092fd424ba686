"""What docs/security.md promises is what the attacks show."""

from __future__ import annotations

import re
from fnmatch import fnmatch

from attack.every import ATTACKS, GROUPS
from orchestration.settings import PROJECT

PAGE = (PROJECT / "docs" / "security.md").read_text(encoding="utf-8")
GROUP_NAMES = "|".join(group.name for group in GROUPS)
NAMED = set(re.findall(rf"`((?:{GROUP_NAMES})/[^`]+)`", PAGE))
NAMES = {attack.name for attack in ATTACKS}


def test_every_attack_that_the_page_names_is_made() -> None:
    assert {named for named in NAMED if not any(fnmatch(name, named) for name in NAMES)} == set()


def test_every_attack_that_is_made_is_on_the_page() -> None:
    assert {name for name in NAMES if not any(fnmatch(name, named) for named in NAMED)} == set()


def test_the_short_page_points_to_the_long_one() -> None:
    assert "docs/security.md" in (PROJECT / "SECURITY.md").read_text(encoding="utf-8")

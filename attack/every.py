"""Every attack there is, by group."""

from __future__ import annotations

from typing import Final

from attack import arguments, permits, policies, standing
from attack.suite import Attack

GROUPS: Final = (arguments.GROUP, standing.GROUP, permits.GROUP, policies.GROUP)
ATTACKS: Final[tuple[Attack, ...]] = tuple(attack for group in GROUPS for attack in group.attacks)

"""Every attack there is, by group."""

from __future__ import annotations

from typing import Final

from attack import arguments, evasion, events, insight, ledgers, permits, planted, policies, standing, tokens
from attack.suite import Attack

_MODULES: Final = (arguments, standing, permits, policies, tokens, evasion, insight, planted, events, ledgers)
GROUPS: Final = tuple(module.GROUP for module in _MODULES)
ATTACKS: Final[tuple[Attack, ...]] = tuple(attack for group in GROUPS for attack in group.attacks)

"""Every attack there is, by group."""

from __future__ import annotations

from typing import Final

from attack import (
    approvals,
    approvers,
    arguments,
    effects,
    erasing,
    evasion,
    events,
    exports,
    insight,
    ledgers,
    permits,
    planted,
    policies,
    standing,
    stops,
    strangers,
    tokens,
    undoing,
)
from attack.suite import Attack

_MODULES: Final = (
    *(arguments, standing, strangers, approvals, approvers, permits, policies, tokens, evasion),
    *(effects, undoing, stops, erasing, exports, insight, planted, events, ledgers),
)
GROUPS: Final = tuple({module.GROUP.name: module.GROUP for module in _MODULES}.values())
ATTACKS: Final[tuple[Attack, ...]] = tuple(attack for group in GROUPS for attack in group.attacks)

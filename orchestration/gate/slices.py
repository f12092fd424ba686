"""Policies that a request surely does not meet, left out before Cedar is asked: each costs it a microsecond.

A condition that begins by comparing a text of the context with a text of its own, such as
`when { context.invoice.currency == "EUR" && … }`, is not met where the context tells that text and it is another one.
Cedar reads no further then, so that nothing in the policy can err either, and its answer is the same without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from orchestration.gate.cedar import Policies
from orchestration.gate.narrow import Path, path_of

_MANY: Final = 8
"""Policies from which it is worth leaving some out."""
_KEPT: Final = 64
"""Parts of the policies that are kept parsed: what another request needs is asked of all of them."""
Key = tuple[tuple[str | None, bool], ...]
"""Of each text that policies begin with: which of theirs the context tells, if any; and whether it tells a text."""


@dataclass(frozen=True, slots=True)
class Slices:
    """Policies, and those of them that requests can meet."""

    whole: Policies
    first: Mapping[str, tuple[Path, str]]
    """Policy to the text of the context that its condition begins with, and what that has to be."""
    texts: Mapping[Path, frozenset[str]]
    """Each such text to everything that it is compared with."""
    made: dict[Key, Policies] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, whole: Policies) -> Slices:
        """Prepare; nothing is left out yet."""
        found = {name: first for name, policy in whole.named.items() if (first := _first(policy)) is not None}
        if whole.ask_alone or len(found) < _MANY:
            found = {}
        paths = sorted({path for path, _ in found.values()})
        return cls(
            whole, found, {one: frozenset(text for path, text in found.values() if path == one) for one in paths}
        )

    def key(self, context: Mapping[str, Any]) -> Key:
        """By what the policies that a context can meet are told from others."""
        told = ((_told(context, path), texts) for path, texts in self.texts.items())
        return tuple((text if text in texts else None, text is not None) for text, texts in told)

    def among(self, key: Key) -> Policies:
        """The policies that contexts of that key can meet; all of them where too many kinds of context were asked."""
        if key not in self.made:
            if not self.first or len(self.made) >= _KEPT:
                return self.whole
            told = dict(zip(self.texts, key, strict=True))
            unmet = frozenset(
                name for name, (path, text) in self.first.items() if told[path][1] and told[path][0] != text
            )
            left = self.whole.without(unmet) if unmet else self.whole
            self.made[key] = left if left.named else self.whole
        return self.made[key]


def _told(context: Mapping[str, Any], path: Path) -> str | None:
    """The text that a context tells there; none where it tells none."""
    value: Any = context
    for name in path:
        if type(value) is not dict or name not in value:
            return None
        value = value[name]
    return value if type(value) is str else None


def _first(policy: Mapping[str, Any]) -> tuple[Path, str] | None:
    """The text of the context that a policy's condition begins with, and what it has to be; none where it does not."""
    conditions = policy.get("conditions")
    if not isinstance(conditions, list) or not conditions or conditions[0].get("kind") != "when":
        return None
    said = conditions[0].get("body")
    while isinstance(said, dict) and isinstance(said.get("&&"), dict):
        said = said["&&"].get("left")
    equal = said.get("==") if isinstance(said, dict) else None
    if not isinstance(equal, dict):
        return None
    for one, other in ((equal.get("left"), equal.get("right")), (equal.get("right"), equal.get("left"))):
        path, text = path_of(one), other.get("Value") if isinstance(other, dict) else None
        if path and isinstance(text, str):
            return path, text
    return None

"""Policies read from their files, and validated: the core's own, and each agent's `policy.cedar`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cedarpy

from orchestration.action_types import ActionType
from orchestration.canonical import digest
from orchestration.errors import AgentError, ConfigurationError
from orchestration.gate import vocabulary
from orchestration.gate.cedar import Policies
from orchestration.gate.narrow import Narrow
from orchestration.gate.policy import CORE_PREFIX, REVIEW, AgentPolicies
from orchestration.registry import Agent, AgentCard

CORE: Final = Path(__file__).parent / "policies" / "core.cedar"
CORE_NAMES: Final = frozenset(
    f"{CORE_PREFIX}{name}"
    for name in (
        *("standing", "stopped", "card", "objection", "reconciled"),
        *("credential", "scope", "window", "residency"),
    )
)
"""The core's policies: where one of them is missing, nothing loads."""
_OF_THE_CORE: Final = frozenset({"reason", "detail"})
"""Annotations by which the core's policies say why; an agent's would be mistaken for them."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What policies may speak of, and the core's policies in it."""

    action_types: Mapping[str, ActionType]
    core: Mapping[str, Any]

    def of(self, card: AgentCard) -> tuple[str, Any]:
        """The schema of the action types on a card: its policies are asked of no other, and none other breaks them."""
        return _schema(self.on(card))

    def on(self, card: AgentCard) -> list[ActionType]:
        """The action types on a card; all of them, where none of them is known."""
        named = [self.action_types[name] for name in card.action_types if name in self.action_types]
        return named or list(self.action_types.values())


def load_policies(agents: Mapping[str, Agent], action_types: Mapping[str, ActionType]) -> dict[str, AgentPolicies]:
    """Each agent's policies with the core's, by agent.

    Raises:
        AgentError: An agent's policy cannot be parsed, has no name or a taken one, does not fit the schema, or its
            card does not name the policies that hold actions for a person.
        ConfigurationError: The core's own policies are missing or wrong.
    """
    words = load_vocabulary(action_types)
    return {name: policies_of(agent, words) for name, agent in agents.items()}


def load_vocabulary(action_types: Mapping[str, ActionType], core: Path = CORE) -> Vocabulary:
    """What policies may speak of.

    Raises:
        ConfigurationError: Action types have names that policies cannot speak of; or a policy of the core is missing,
            or wrong.
    """
    _, schema = _schema(action_types.values())
    named = read_policies(core, schema, ConfigurationError)
    if wrong := sorted(named.keys() ^ CORE_NAMES):
        raise ConfigurationError(str(core), f"{', '.join(wrong)} missing or unknown", "exactly the core's own policies")
    if permits := sorted(name for name, each in named.items() if each["effect"] != "forbid" or is_review(each)):
        raise ConfigurationError(str(core), f"{', '.join(permits)}, which forbids nothing", "policies that forbid")
    return Vocabulary(action_types, named)


def _schema(action_types: Iterable[ActionType]) -> tuple[str, Any]:
    """The schema of those action types, as text and as Cedar has parsed it."""
    text = vocabulary.schema(action_types)
    try:
        return text, cedarpy.Schema.from_str(text)
    except ValueError as problem:
        raise ConfigurationError("the action types", str(problem), "names that policies can speak of") from problem


def policies_of(agent: Agent, words: Vocabulary, file: Path | None = None, *, listed: bool = True) -> AgentPolicies:
    """An agent's policies with the core's.

    Args:
        agent: The agent.
        words: What policies may speak of.
        file: A file that is to take the place of its `policy.cedar`.
        listed: Whether the card must name the policies that hold actions for a person.

    Raises:
        AgentError: As `load_policies` says.
    """
    path = file or agent.policy
    text, schema = words.of(agent.card)
    own = read_policies(path, schema, AgentError)
    for name, each in own.items():
        if name.startswith(CORE_PREFIX):
            raise AgentError(f"{path}: @id", repr(name), f"a name that does not begin with {CORE_PREFIX!r}")
        if taken := sorted(_OF_THE_CORE & each.get("annotations", {}).keys()):
            raise AgentError(f"{path}: {name}", f"@{taken[0]}", "annotations that are not the core's")
        if is_review(each) and each["effect"] != "forbid":
            raise AgentError(f"{path}: {name}", "a permit that asks for review", "`forbid` under @decision")
    review = frozenset(name for name, each in own.items() if is_review(each))
    if listed and review != set(agent.card.review):
        said = ", ".join(sorted(review)) or "none"
        found = ", ".join(agent.card.review) or "none"
        raise AgentError(f"{agent.folder / 'agent.yml'}: review", found, f"the policies marked for review ({said})")
    if not any(each["effect"] == "permit" for each in own.values()):
        raise AgentError(str(path), "no `permit`", "at least one: what is not permitted is denied")
    named = {**words.core, **own}
    return replace(made(agent.card.name, text, schema, named), narrow=Narrow.of(named, words.on(agent.card)))


def made(agent: str, text: str, schema: Any, named: Mapping[str, Any]) -> AgentPolicies:  # noqa: ANN401  cedarpy's own
    """Policies that were read and validated before, ready to be asked.

    Raises:
        ValueError: One of them is none.
    """
    review, whole = frozenset(name for name, each in named.items() if is_review(each)), Policies.of(named)
    return AgentPolicies(
        agent=agent,
        schema=schema,
        schema_text=text,
        whole=whole,
        without_review=whole.without(review),
        review=review,
        digest=digest({"schema": text, "policies": named}),
    )


def is_review(policy: Mapping[str, Any]) -> bool:
    """Whether a policy holds an action for a person."""
    return bool(policy.get("annotations", {}).get("decision") == REVIEW)


def read_policies(path: Path, schema: Any, error: type[ConfigurationError]) -> dict[str, Any]:  # noqa: ANN401  cedarpy's own
    """A file's policies by their `@id`, in Cedar's JSON form.

    Raises:
        ConfigurationError: Of the given kind: it cannot be read or parsed, or does not fit the schema.
    """
    try:
        text = path.read_text(encoding="utf-8")
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except OSError as problem:
        raise error(str(path), problem.strerror or "nothing", "a file of policies in Cedar") from problem
    except ValueError as problem:
        raise error(str(path), " ".join(str(problem).split()), "policies in Cedar") from problem
    if parsed["templates"] or parsed["templateLinks"]:
        raise error(str(path), "a template", "policies without ?principal or ?resource")
    named: dict[str, Any] = {}
    for each in parsed["staticPolicies"].values():
        annotations = each.get("annotations", {})
        name = annotations.get("id")
        if not name or name in named:
            raise error(f"{path}: @id", repr(name) if name else "a policy without one", "a name of its own on each")
        if not name.isprintable():  # it is shown to people, and some stores take no such name
            raise error(f"{path}: @id", repr(name), "a name of characters that can be printed")
        if annotations.get("decision", REVIEW) != REVIEW:
            raise error(f"{path}: {name}: @decision", repr(annotations["decision"]), f"{REVIEW!r}, or no annotation")
        named[name] = each
    checked = cedarpy.validate_policies(text, schema)
    if not checked.validation_passed:
        raise error(
            str(path),
            _named(str(checked.errors[0]), parsed),
            "policies that fit the schema (see docs/architecture-gate.md)",
        )
    return named


def _named(said: str, parsed: Mapping[str, Any]) -> str:
    """What Cedar says is wrong, with each policy called by its `@id` in the place of its number in the file."""
    for number, each in parsed["staticPolicies"].items():
        said = said.replace(f"`{number}`", f"`{each['annotations']['id']}`").removeprefix(f"[{number}] ")
    return said

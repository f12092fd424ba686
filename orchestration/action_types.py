"""Action types: what may be done at all, and what it takes. One file each in `PRECEDE_ACTIONS`.

A file is checked here, when it is loaded; what a proposal's arguments refer to is looked up in `gate/resolve.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from orchestration.action_effects import OF_THE_EFFECT, ReadBack, ToolCall, Undoing
from orchestration.action_parameters import (
    ContactPointParameter,
    EntityParameter,
    FactParameter,
    Parameter,
    RecordParameter,
    RelationshipParameter,
    System,
    known_fields,
)
from orchestration.contracts import Contract
from orchestration.declarations import Duration, Name, read_declaration
from orchestration.errors import ActionTypeError
from orchestration.graph.model import RECORD_TYPES
from orchestration.limits import Amount, TypeLimits, Window

_PLACE: Final = re.compile(r"\{([a-z0-9_]+)(?:\.([a-z0-9_]+))?\}")
_FACT_COLUMNS: Final = frozenset({"record_id", "source_key", "system"})

RESERVED: Final = frozenset(
    {"action_type", "action_class", "business_date", "objections", "credential", "now", "residency", "window"}
)
"""What a policy's `context` holds beside the parameters."""


class ActionType(Contract):
    """One kind of action: what it touches, what standing that takes, and how it has its effect.

    What it makes of its parameters is made once: a decision asks for it many times.
    """

    name: Name
    description: str = Field(min_length=1)
    action_class: Literal["external", "internal"] = Field(alias="class")
    parameters: dict[Name, Parameter]
    max_age: dict[System, Duration]
    tool: ToolCall
    effect_key: str
    compensation: Undoing
    """How its effect is taken back."""
    read_back: ReadBack | None = None
    """Where insight sees the effect again; none where no system shows it."""
    amount: Amount | None = None
    """The money that it is about, which budgets count; none where it is about none."""
    limits: TypeLimits = TypeLimits()
    windows: tuple[Window, ...] = ()
    """When it may happen, whoever asks; at any time where none is named."""

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The parameters that an agent supplies a value for."""
        return tuple(name for name, each in self.parameters.items() if not isinstance(each, RelationshipParameter))

    @cached_property
    def entities(self) -> dict[str, EntityParameter]:
        """The entity parameters by name."""
        return {name: each for name, each in self.parameters.items() if isinstance(each, EntityParameter)}

    @cached_property
    def facts(self) -> dict[str, FactParameter]:
        """The fact parameters by name."""
        return {name: each for name, each in self.parameters.items() if isinstance(each, FactParameter)}

    @cached_property
    def records(self) -> dict[str, RecordParameter]:
        """The record parameters by name."""
        return {name: each for name, each in self.parameters.items() if isinstance(each, RecordParameter)}

    @cached_property
    def contact_points(self) -> dict[str, ContactPointParameter]:
        """The contact point parameters by name."""
        return {name: each for name, each in self.parameters.items() if isinstance(each, ContactPointParameter)}

    @cached_property
    def relationships(self) -> dict[str, RelationshipParameter]:
        """The relationship parameters by name."""
        return {name: each for name, each in self.parameters.items() if isinstance(each, RelationshipParameter)}

    @cached_property
    def subject(self) -> str:
        """The first entity parameter: what policies know as the resource."""
        return next(iter(self.entities))

    @cached_property
    def systems(self) -> frozenset[str]:
        """Every system whose freshness the action rests on."""
        named = (each.systems for each in self.entities.values())
        return frozenset().union(*named) | frozenset(each.system for each in self.facts.values())

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with other values; what was made of the old ones does not come along."""
        copied = super().model_copy(update=update, deep=deep)
        for name, each in vars(ActionType).items():
            if isinstance(each, cached_property):
                copied.__dict__.pop(name, None)
        return copied

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.entities:
            raise ValueError("at least one parameter of kind `entity`")
        if taken := sorted(RESERVED & self.parameters.keys()):
            raise ValueError(f"parameters by other names than {', '.join(taken)}, which policies know already")
        for name, each in self.parameters.items():
            self._refers(name, each)
        if unaged := self.systems - self.max_age.keys():
            raise ValueError(f"a `max_age` for every system named (missing {', '.join(sorted(unaged))})")
        amount = (self.amount.value, self.amount.currency) if self.amount else ()
        for template in (self.effect_key, *self.tool.arguments.values(), *amount):
            self._fills(template)
        if "effect_key" in self.tool.arguments:
            raise ValueError("no tool argument `effect_key`: the coordinator adds it")
        if not _PLACE.search(self.effect_key):
            raise ValueError("an `effect_key` that names at least one parameter")
        self._comes_back()
        return self

    def _comes_back(self) -> None:
        """Templates over an effect name what is known of it, whatever has become of its entity since."""
        undo, seen = self.compensation.tool, self.compensation.read_back
        if taken := sorted(set(OF_THE_EFFECT) & {*self.tool.arguments, *(undo.arguments if undo else ())}):
            raise ValueError(f"tool arguments by other names than {', '.join(taken)}, which are the effect's own")
        if seen is not None and undo is None:
            raise ValueError("under `compensation` a `tool` beside `read_back`")
        _names(tuple(self.read_back.where.values()) if self.read_back else (), self.tool)
        _names(tuple(undo.arguments.values()) if undo else (), self.tool)
        again = seen or self.read_back
        _names(tuple(again.where.values()) if again and undo else (), undo or self.tool)

    def _refers(self, name: str, each: Parameter) -> None:
        match each:
            case FactParameter() | ContactPointParameter() | RecordParameter():
                targets: tuple[str, ...] = (each.of,)
            case RelationshipParameter():
                targets = (each.source, each.target)
            case _:
                targets = ()
        if wrong := [target for target in targets if target not in self.entities]:
            raise ValueError(f"parameter `{name}` to refer to an entity parameter (found {', '.join(wrong)})")
        if isinstance(each, RecordParameter):
            self._is_its(name, each, self.entities[each.of])

    def _is_its(self, name: str, each: RecordParameter, entity: EntityParameter) -> None:
        """A record is of a system that its entity must be linked in; what it differs in is read of both."""
        known_fields(RECORD_TYPES[entity.type], each.reads)
        if each.system not in entity.linked:
            raise ValueError(f"`system` of `{name}` among those under `linked` of `{each.of}` (found {each.system})")
        if unread := [field for field in each.differs if field not in entity.reads]:
            raise ValueError(f"under `reads` of `{each.of}` what `{name}` differs in (missing {', '.join(unread)})")

    def _fills(self, template: str) -> None:
        for name, field in places(template):
            each = self.parameters.get(name)
            if each is None or isinstance(each, RelationshipParameter):
                raise ValueError(f"{template!r} to name a parameter that has a value (found {name})")
            if field is None:
                continue
            readable = set(each.reads) if isinstance(each, EntityParameter | FactParameter | RecordParameter) else set()
            if isinstance(each, FactParameter | RecordParameter):
                readable |= _FACT_COLUMNS
            if field not in readable:
                raise ValueError(f"{template!r} to name a field that `{name}` reads (found {field})")


def _names(templates: tuple[str, ...], tool: ToolCall) -> None:
    """Refuse a template that names something else than an argument of a tool, or what an effect has of its own."""
    known = {*tool.arguments, *OF_THE_EFFECT}
    for template in templates:
        if wrong := [name for name, field in places(template) if field is not None or name not in known]:
            raise ValueError(f"{template!r} to name what is known of the effect of {tool.name} (found {wrong[0]})")


def places(template: str) -> list[tuple[str, str | None]]:
    """What a template names: parameter, and field where one is named."""
    return [(found[1], found[2]) for found in _PLACE.finditer(template)]


@cache
def _parsed(template: str) -> tuple[tuple[str, str | None] | None, tuple[str | tuple[str, str | None], ...]]:
    """The one place that a template is, where it is; and its texts and places, one after the other."""
    parts: list[str | tuple[str, str | None]] = []
    end = 0
    for found in _PLACE.finditer(template):
        parts += [template[end : found.start()], (found[1], found[2])]
        end = found.end()
    whole = _PLACE.fullmatch(template)
    return None if whole is None else (whole[1], whole[2]), (*parts, template[end:])


def fill(template: str, values: Mapping[tuple[str, str | None], str | int | bool]) -> str | int | bool:
    """A template with its places filled; a template that is one place alone keeps the value's type.

    Raises:
        KeyError: A place has no value.
    """
    whole, parts = _parsed(template)
    if whole is not None:
        return values[whole]
    return "".join([part if isinstance(part, str) else str(values[part]) for part in parts])


def load_action_types(folder: Path) -> dict[str, ActionType]:
    """The action types of a folder by name, one `.yml` file each.

    Raises:
        ActionTypeError: The folder is missing or empty, a file says something that cannot be, or two have one name.
    """
    files = sorted(folder.glob("*.yml")) if folder.is_dir() else []
    if not files:
        raise ActionTypeError(str(folder), "no action types", "a folder with at least one <action type>.yml in it")
    types: dict[str, ActionType] = {}
    for file in files:
        each = read_declaration(file, ActionType, ActionTypeError)
        if each.name != file.stem:
            raise ActionTypeError(f"{file}: name", repr(each.name), f"the file's own name, {file.stem!r}")
        types[each.name] = each
    return types

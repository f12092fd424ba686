"""What an action type says of its effect: the tool that has it, how it is taken back, and where it is seen again.

Here is what a file may say; that what it says fits the action type's parameters is checked in `action_types.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from orchestration.contracts import Contract
from orchestration.declarations import Name
from orchestration.graph.model import FACTS, RECORD_TYPES

KEY_PLACE: Final = "{effect_key}"
"""The template that is the effect key and nothing else."""
OF_THE_EFFECT: Final = ("action", "effect_key", "reference")
"""What templates over an effect may name beside the tool's arguments: the action's id, the effect key, and what the
system calls the row that was written."""
_RELATIONS: Final = (*FACTS, *(f"{name}_record" for name in RECORD_TYPES))
_COLUMN: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"

Column = Annotated[str, Field(pattern=_COLUMN)]


class ToolCall(Contract):
    """The tool that has the effect, and how its arguments are made from the parameters."""

    server: Name
    name: Name
    arguments: dict[Name, str]
    """Tool argument to a template: `{parameter}` or `{parameter.field}`; one place alone keeps its type."""


class ReadBack(Contract):
    """Where a published graph shows the effect once it has happened: the rows that say so."""

    relation: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?$")]
    """A fact, `organisation_record` or `person_record`; or a source table in its own columns, as `system:table`."""
    where: dict[Column, str] = Field(min_length=1)
    """Column to a template over the tool's arguments, `{reference}`, `{effect_key}` and `{action}`."""
    account: dict[Column, str] | None = None
    """Column to what stands in it where Precede's own account wrote the row, whatever it is about; none where the
    system does not say who wrote."""

    @property
    def key_column(self) -> str | None:
        """The column that holds the effect key, where one does."""
        return next((column for column, template in self.where.items() if template == KEY_PLACE), None)

    @model_validator(mode="after")
    def _named(self) -> Self:
        if ":" not in self.relation and self.relation not in _RELATIONS:
            raise ValueError(f"a `relation` among {', '.join(_RELATIONS)}, or a source table such as erp:invoice")
        if self.account is not None and (not self.account or self.key_column is None):
            raise ValueError(f"with `account` a column and a column under `where` that holds {KEY_PLACE}")
        return self


class Compensation(Contract):
    """How the effect is taken back: in words, and by a tool where one can."""

    description: str = Field(min_length=1)
    tool: ToolCall | None = None
    """Its templates name arguments of the tool that had the effect, `{reference}`, `{effect_key}` and `{action}`."""
    read_back: ReadBack | None = None
    """Where the taking back is seen, with its own tool's arguments; as the effect itself where it is not said."""

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if self.tool is not None and "effect_key" in self.tool.arguments:
            raise ValueError("no tool argument `effect_key`: the coordinator adds it")
        return self


def _described(value: Any) -> Any:  # noqa: ANN401  whatever a file says
    """A sentence alone says how a person takes it back: no tool does."""
    return {"description": value} if isinstance(value, str) else value


Undoing = Annotated[Compensation, BeforeValidator(_described)]

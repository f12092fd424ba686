"""Reading a YAML file that a user wrote into a frozen model, with one sentence for whatever is wrong in it.

What a file means belongs to the module of its model; nothing here knows any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from orchestration.errors import ConfigurationError

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION: Final = re.compile(r"(\d+)\s*([smhd])")

Model = TypeVar("Model", bound=BaseModel)


def parse_duration(value: object) -> timedelta:
    """A length of time from text such as `15m`, `26h` or `7d`.

    Raises:
        ValueError: It is not a whole number above 0 with one of the units s, m, h, d.
    """
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        raise ValueError("a length of time such as 15m, 26h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""What agents, action types, parameters and columns are called."""

Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
"""A length of time, written `15m`, `26h` or `7d`."""


def read_declaration(path: Path, model: type[Model], error: type[ConfigurationError]) -> Model:
    """What a YAML file declares.

    Args:
        path: The file.
        model: What it should say.
        error: What to raise where it does not.

    Raises:
        ConfigurationError: Of the given kind: the file cannot be read, or a field of it says something that cannot be.
    """
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise error(str(path), problem.strerror or "an unreadable file", "a readable file") from problem
    except (UnicodeDecodeError, yaml.YAMLError) as problem:
        raise error(str(path), str(problem).replace("\n", " "), "YAML in UTF-8") from problem
    if not isinstance(content, Mapping):
        raise error(str(path), type(content).__name__, "YAML with a name and a value on each line")
    try:
        return model.model_validate(content)
    except ValidationError as problem:
        raise explained(path, problem, error) from problem


def explained(path: Path, problem: ValidationError, error: type[ConfigurationError]) -> ConfigurationError:
    """The first thing that a model objects to, as one sentence that names file and field."""
    first = problem.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    found = "nothing" if first["type"] == "missing" else repr(first["input"])[:200]
    needed = str(first["msg"]).removeprefix("Value error, ")
    return error(f"{path}: {field}" if field else str(path), found, needed[:1].lower() + needed[1:])

"""Source folders from disk, with every mistake in them put into one sentence.

`load_sources` takes the folder that `PRECEDE_SOURCES` names. Nothing here opens a source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from insight.entities.survivorship import COMBINED
from insight.sources.source import EXTRAS, Class, Given, Source
from orchestration.errors import SourceError
from orchestration.graph.model import RECORD_TYPES, SHAPES

_BOOLEANS: Final = {True: "yes, on and true", False: "no, off and false"}
"""What YAML 1.1 reads as a truth value, though a column may be called so."""


def load_sources(folder: Path) -> tuple[Source, ...]:
    """Every source under `folder`, by name of system; or the one that `folder` itself is.

    A subfolder counts where it holds a `source.yml` or a `.sql`; any other is left alone.

    Raises:
        SourceError: There is no such folder, no source in it, or one says something that cannot be.
    """
    if not folder.is_dir():
        raise SourceError(str(folder), "no folder", "a folder of sources, named by PRECEDE_SOURCES")
    if (folder / "source.yml").is_file():
        return (load_source(folder),)
    found = [
        load_source(child)
        for child in sorted(folder.iterdir())
        if child.is_dir() and ((child / "source.yml").exists() or any(child.glob("*.sql")))
    ]
    if not found:
        raise SourceError(str(folder), "no source", "a folder for each source, with a source.yml in it")
    by_system: dict[str, Source] = {}
    for source in found:
        if source.system in by_system:
            other = by_system[source.system].file
            raise SourceError(f"{source.file}: system", f"{source.system!r}, as in {other}", "a name of its own")
        by_system[source.system] = source
    return tuple(by_system[system].beside(by_system) for system in sorted(by_system))


def load_source(folder: Path) -> Source:
    """The source that stands in `folder`.

    Raises:
        SourceError: `source.yml` is missing, unreadable or wrong, or a `.sql` beside it has no meaning.
    """
    file = folder / "source.yml"
    if not file.is_file():
        raise SourceError(str(file), "no such file", "the declaration of this source")
    try:
        stated = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f"{file}:{line + 1}" if line is not None else str(file)
        raise SourceError(where, getattr(error, "problem", None) or str(error), "YAML") from error
    if not isinstance(stated, dict):
        raise SourceError(str(file), _shown(stated), "fields such as system, kind, url and tables")
    try:
        source = Source.model_validate(stated).standing_in(folder)
    except ValidationError as error:
        raise _sentence(file, error) from None
    for where, found, needed in _faults(source):
        raise SourceError(f"{source.folder / where}" if where.endswith(".sql") else f"{file}: {where}", found, needed)
    return source


Fault = tuple[str, str, str]
"""Where, what was found, what was needed."""


def _faults(source: Source) -> Iterator[Fault]:
    """What the model alone cannot see."""
    yield from _faults_of_sql(source)
    for shape, classes in source.asserts.items():
        yield from _faults_of_asserts(shape, classes)
    for record_type, order in source.survivorship.items():
        yield from _faults_of_survivorship(record_type, order)
    for name, table in source.tables.items():
        if source.kind == "sql" and table.files:
            yield f"tables.{name}.files", "files of a database", "name, where the table is called otherwise there"
        if source.kind != "sql" and not table.files:
            yield f"tables.{name}.files", "nothing", f"a list of {source.kind} files to read"
        yield from _faults_of_table(source, name)
    if isinstance(source.url, str) and _password(source.url):
        yield "url", "a password", "{env: NAME}, with the address in the environment"
    elif not isinstance(source.url, str) and _password(source.url.default or ""):
        yield "url.default", "a password", "an address without one; the environment gives the secret"


def _faults_of_sql(source: Source) -> Iterator[Fault]:
    known = (*SHAPES, *EXTRAS)
    for path in sorted(source.folder.glob("*.sql")):
        if path.stem not in known:
            yield path.name, "a .sql of that name", f"one of {_listed(known)}"
    if not source.sql.keys() & SHAPES.keys():
        yield "organisation.sql", "no .sql of a record type or fact", f"at least one of {_listed(SHAPES)}"
    for shape in source.sql:
        if shape in SHAPES and "default" not in source.asserts.get(shape, {}):
            yield f"asserts.{shape}.default", "nothing", f"one of {_listed(get_args(Class))}, as {shape}.sql is there"


def _faults_of_table(source: Source, name: str) -> Iterator[Fault]:
    """What is wrong with how a table is read again, and with what it says of others."""
    spec = source.tables[name]
    if spec.cursor and (source.kind != "sql" or source.system_column):
        found = f"a cursor, where {'a column names the system' if source.system_column else 'files are read whole'}"
        yield f"tables.{name}.cursor", found, "none here: every row is read and compared with what was landed"
    for other, columns in (spec.concerns or {}).items():
        where = f"tables.{name}.concerns.{other}"
        if other not in source.tables:
            yield where, f"the table {other!r}", f"one of {_listed(source.tables)}"
            continue
        if not columns:
            yield where, "no columns", "{column: its column}, which are equal where the one row concerns the other"
        for mine, its in columns.items():
            for table, column in ((name, mine), (other, its)):
                if column not in source.tables[table].stated:
                    stated = _listed(source.tables[table].stated)
                    yield where, f"{column!r}, which a .sql does not see of {table}", f"one of {stated}"


def _faults_of_asserts(shape: str, classes: Mapping[str, object]) -> Iterator[Fault]:
    if shape not in SHAPES:
        yield f"asserts.{shape}", "no record type or fact", f"one of {_listed(SHAPES)}"
        return
    names = ("default", *SHAPES[shape].names)
    for field in classes:
        if field not in names:
            yield f"asserts.{shape}.{field}", f"no field of {shape}", f"one of {_listed(names)}"


def _faults_of_survivorship(record_type: str, order: Iterable[str]) -> Iterator[Fault]:
    if record_type not in RECORD_TYPES:
        yield f"survivorship.{record_type}", "no record type", f"one of {_listed(RECORD_TYPES)}"
        return
    names = [name for name in RECORD_TYPES[record_type].names if name not in COMBINED]
    for field in order:
        if field not in names:
            found = "a field that no single record gives" if field in COMBINED else f"no field of {record_type}"
            yield f"survivorship.{record_type}.{field}", found, f"one of {_listed(names)}"


def _password(url: str) -> bool:
    return re.search(r"://[^/@\s]*:[^/@\s]+@|[?&]password=", url) is not None


def _sentence(file: Path, error: ValidationError) -> SourceError:
    """The first mistake that pydantic found, and how many more there are."""
    details = error.errors()
    first = min(details, key=_informative)
    # Of a key that is no text pydantic gives a number that nobody wrote.
    stated = first["loc"][:-2] if first["loc"][-1:] == ("[key]",) and isinstance(first["input"], bool) else first["loc"]
    place = [
        part for part in stated if part not in {"Url", "str", "Given", "[key]"} and not str(part).startswith("literal")
    ]
    where = ".".join(str(part) for part in place) or "the file"
    others = len({tuple(map(str, detail["loc"][:2])) for detail in details}) - 1
    more = f" ({others} more like this)" if others else ""
    found, needed = _found_and_needed(first, place)
    return SourceError(f"{file}: {where}", found, needed + more)


def _informative(detail: ErrorDetails) -> int:
    """Mistakes in what was written before mistakes in what was meant."""
    return 0 if detail["type"] == "extra_forbidden" else 1


def _found_and_needed(detail: ErrorDetails, place: list[Any]) -> tuple[str, str]:
    model, description = _meaning(place)
    match detail["type"]:
        case "extra_forbidden":
            return f"the unknown field {place[-1]!r}", f"one of {_listed(model.model_fields)}"
        case "missing":
            return "nothing", description or "a value"
        case "value_error":
            said = detail["msg"].removeprefix("Value error, ")
            return ("the above" if isinstance(detail["input"], dict) else _shown(detail["input"])), said
    message = detail["msg"][0].lower() + detail["msg"][1:]
    needed = description or message.removeprefix("input should be ")
    if isinstance(detail["input"], bool) and detail["type"] in {"string_type", "invalid_key"}:
        found = f"{detail['input']}, which is what YAML makes of {_BOOLEANS[detail['input']]} without quotes"
        return found, f'{needed}, with a name that YAML reads as true or false in quotes, such as "no"'
    if place and place[0] == "asserts":
        return _shown(detail["input"]), f"one of {_listed(get_args(Class))}, or {{column: NAME}}"
    return _shown(detail["input"]), needed


def _meaning(place: list[Any]) -> tuple[type[BaseModel], str]:
    """The part of `source.yml` that a place lies in, and what its field is for."""
    model: type[BaseModel] = Source
    description = ""
    for part in place:
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        description = field.description or ""
        inner = next(
            (kind for kind in _kinds(field.annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)), None
        )
        if inner is not None and inner is not Given:
            model = inner
    return model, description


def _kinds(annotation: Any) -> Iterator[Any]:  # noqa: ANN401  any annotation
    yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner)


def _listed(names: Iterable[object]) -> str:
    return ", ".join(str(name) for name in names)


def _shown(value: object) -> str:
    text = repr(value)
    return "nothing" if value is None else text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004  a line's width

"""One record, against everything that is published: which entity it is of, which it may be of, or none.

The record is normalised as a source's would be, and compared with those records alone that share a key with it, which
the index beside the links finds; nothing is counted, trained or kept. Entities are those of the current graph.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import duckdb
import pyarrow as pa

from insight import layers
from insight.linkage.blocking import make_keys, make_tier_pairs
from insight.linkage.features import add_commons, make_features
from insight.linkage.inputs import Inputs, linkage_code, read_inputs
from insight.linkage.model import Model, load_model
from insight.linkage.read import NAMED, open_memory
from insight.linkage.rules import Linkage
from insight.linkage.score import score
from insight.linkage.statistics import Numbers, thaw
from insight.linkage.verdict import give_verdicts
from insight.records.columns import arrow_type, normalised
from insight.records.derive import DERIVED, complete, derived, duckdb_type
from insight.records.fields import Locale
from orchestration.errors import ConfigurationError, NoGraph, NotFound
from orchestration.graph.model import COMMON, RECORD_TYPES
from orchestration.settings import Settings
from orchestration.sql import literal, quoted

_ASKED: Final = "\x01asked"
"""The id of the record that is asked about: before every other."""
_MOST: Final = 500
"""Candidates that are compared; who shares the most keys goes first."""
_SQL: Final = Path(__file__).with_suffix(".sql")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that the record may be of.

    Attributes:
        entity_id: The entity.
        name: Its name.
        standing: Whether it is reconciled.
        record_id: Its record that fits best.
        match_weight: In bits; None where a strong key decided.
        match_probability: The same as a probability.
        rule: The strong key that joins them, or the veto that forbids it.
        status: accepted | possible | vetoed.
        margin: How many bits it fits better than the next one; None for the last, and for strong keys.
    """

    entity_id: str
    name: str | None
    standing: str
    record_id: str
    match_weight: float | None
    match_probability: float | None
    rule: str | None
    status: str
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a record is: one entity, one of several, or nobody; with the values as they were understood."""

    answer: Literal["entity", "candidates", "nobody"]
    candidates: tuple[Candidate, ...]
    accept: float
    review: float
    understood: Mapping[str, Any]
    left_out: Mapping[str, str]


def resolve(stated: Mapping[str, Any], record_type: str, settings: Settings, region: str | None = None) -> Resolved:
    """What a record is.

    Args:
        stated: Field of the record type to its value, as a source would state it.
        record_type: `organisation` or `person`.
        settings: Where the current graph and its stages are.
        region: The country in which values without one were written, such as GB.

    Raises:
        ConfigurationError: There is no such record type or field, or nothing is stated.
        NoGraph: Nothing was published yet, or its links are gone or of another version.
    """
    values, left_out = understood(stated, record_type, region)
    model = load_model(record_type, settings)
    if not settings.graph_link.is_file():
        raise NoGraph("No graph has been published yet; needed one to read; publish it with `precede run`.")
    with open_memory() as con:
        con.execute(f"ATTACH {literal(settings.graph_link)} AS graph (READ_ONLY)")
        index, inputs = _index(con, settings, model)
        assert inputs.statistics is not None  # noqa: S101  _index refuses links without
        frozen = thaw(con, record_type, inputs.statistics)
        _compare(con, model.linkage, model, index, frozen, values)
        found = _by_entity(con)
    review, accept, margin = frozen.thresholds.review, frozen.thresholds.accept, frozen.thresholds.margin
    shown = {name: _plain(column[0].as_py()) for name, column in values.items() if column[0].is_valid}
    return Resolved(_answer(found, margin), found, accept, review, shown, left_out)


def understood(
    stated: Mapping[str, Any], record_type: str, region: str | None
) -> tuple[dict[str, pa.Array], dict[str, str]]:
    """The columns of a record of that type, with those to link by, and of what could not be used why."""
    if record_type not in RECORD_TYPES:
        raise ConfigurationError("--type", repr(record_type), f"one of {', '.join(RECORD_TYPES)}")
    shape = RECORD_TYPES[record_type]
    if unknown := sorted(stated.keys() - set(shape.names)):
        raise ConfigurationError("the record", f"the fields {', '.join(unknown)}", f"some of {', '.join(shape.names)}")
    texts = {name: None if value is None else _text(value) for name, value in stated.items()}
    if not any(texts.values()):
        raise ConfigurationError("the record", "no value", f"a value of at least one of {', '.join(shape.names)}")
    locale = Locale(region) if region else Locale()
    said = {field.name: pa.array([texts.get(field.name)], pa.string()) for field in shape.fields}
    country = normalised(shape.field("country"), said["country"], pa.nulls(1, pa.string()), locale)[0]
    fields: dict[str, pa.Array] = {}
    problems: dict[str, str] = {}
    for field in shape.fields:
        if texts.get(field.name) is None:  # most fields are not stated, and cost nothing
            fields[field.name] = pa.nulls(1, arrow_type(field.duckdb_type))
            continue
        fields[field.name], problem = normalised(field, said[field.name], country, locale)
        if problem[0].is_valid:
            problems[field.name] = problem[0].as_py()
    fields = complete(record_type, fields)
    return fields | derived(record_type, fields, locale), problems


def _index(con: duckdb.DuckDBPyConnection, settings: Settings, model: Model) -> tuple[Path, Inputs]:
    """The index beside the links that the graph was made with, and what these were made from."""
    part = f"links/{model.record_type}/link"
    try:
        found = con.execute("SELECT path FROM graph.main.snapshot_part WHERE part = ?", [part]).fetchall()
    except duckdb.CatalogException:
        found = []
    if not found:
        raise NoGraph("The published graph does not say which links it has; needed one that does; run `precede run`.")
    folder = (settings.home / found[0][0]).parent
    layer = layers.read_layer(folder)
    inputs = read_inputs(layer.inputs) if layer is not None and layer.inputs else None
    if inputs is None or inputs.statistics is None or inputs.code != linkage_code(model):
        raise NoGraph(
            f"The links of {model.record_type}s were made by another version; needed those of this one; run "
            "`precede run`."
        )
    return folder / "key.parquet", inputs


def _compare(  # noqa: PLR0913, PLR0917  what a comparison rests on
    con: duckdb.DuckDBPyConnection,
    linkage: Linkage,
    model: Model,
    index: Path,
    frozen: Numbers,
    values: Mapping[str, pa.Array],
) -> None:
    """Makes `verdict` of the record and those that share a key with it."""
    _features(con, model.record_type, frozen, values)
    make_keys(con, linkage)
    keys = [row[0] for row in con.execute("SELECT DISTINCT key FROM key").fetchall()]
    sizes = [block.largest for block in linkage.blocks] + [tier.largest for tier in linkage.tiers]
    cases = " ".join(f"WHEN {rule} THEN {largest}" for rule, largest in enumerate(sizes))
    wanted = ", ".join(map(str, keys)) or "NULL"
    con.execute(f"""
        CREATE TABLE sharer AS
        SELECT record, rule FROM {layers.rows(index)} WHERE key IN ({wanted})
        QUALIFY count(*) OVER (PARTITION BY key) < CASE rule {cases} END
    """)
    handles = [
        row[0]
        for row in con.execute(
            f"SELECT record FROM sharer GROUP BY record ORDER BY max(rule) DESC, count(*) DESC LIMIT {_MOST}"
        ).fetchall()
    ]
    if handles:
        _features(con, model.record_type, frozen, values, handles)
    first = len(linkage.blocks)
    for name, where, columns in (("pair", f"rule < {first}", ""), ("found", f"rule >= {first}", ", rule")):
        con.execute(f"""
            CREATE OR REPLACE TABLE {name} AS
            SELECT DISTINCT 0::INTEGER AS a, position AS b{columns}
            FROM sharer JOIN firm_id ON hash(record_id) = record WHERE {where} AND position > 0
        """)
    make_tier_pairs(con, linkage)
    con.execute("CREATE TABLE judged (a INTEGER, b INTEGER, verdict VARCHAR)")
    score(con, model, frozen)
    give_verdicts(con, linkage, frozen.thresholds)


def _features(
    con: duckdb.DuckDBPyConnection,
    record_type: str,
    frozen: Numbers,
    values: Mapping[str, pa.Array],
    others: Sequence[int] = (),
) -> None:
    """Makes `record`, `firm_id` and `feature` of the record, first, and of those others, by the hash of their ids."""
    own = {"record_id": pa.array([_ASKED]), "system": pa.array([_ASKED])} | dict(values)
    own |= {name: pa.array([[]], pa.list_(pa.string())) for name in ("weak_fields", "verified_fields")}
    kinds = _kinds(record_type)
    declared = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds.items())
    con.execute(f"CREATE OR REPLACE TABLE record ({declared})")
    con.register("asking", pa.table(own))
    con.execute("INSERT INTO record BY NAME FROM asking")
    con.unregister("asking")
    if others:
        # from the graph, which finds a few records among many at once; what they are linked by is derived again
        names = [*dict(COMMON), *RECORD_TYPES[record_type].names, NAMED[record_type]]
        listed = ", ".join(map(str, others))
        columns = ", ".join(f"known.{quoted(name)}" for name in names)
        table = f"graph.main.{record_type}_record"
        # first their places, by one column: the others are then read at these places alone
        con.execute(
            f"CREATE OR REPLACE TABLE at_rows AS SELECT rowid AS place FROM {table} WHERE hash(record_id) IN ({listed})"
        )
        found = (
            con.sql(f"SELECT {columns} FROM {table} AS known JOIN at_rows ON known.rowid = at_rows.place ORDER BY ALL")
            .to_arrow_table()
            .combine_chunks()
        )
        fields = {name: found.column(name).combine_chunks() for name in RECORD_TYPES[record_type].names}
        for name, column in derived(record_type, fields, Locale()).items():
            found = found.append_column(name, column)
        con.register("known", found)
        con.execute("INSERT INTO record BY NAME FROM known")
        con.unregister("known")
    make_features(con, record_type, None, frozen)
    add_commons(con, frozen.stated)


def _kinds(record_type: str) -> dict[str, str]:
    """The columns of a record of a type as links read it, each with its type."""
    stated = {field.name: field.duckdb_type for field in RECORD_TYPES[record_type].fields}
    linked = {name: duckdb_type(kind) for name, kind in DERIVED[record_type].items()}
    return dict(COMMON) | stated | linked | {NAMED[record_type]: "VARCHAR"}


def _by_entity(con: duckdb.DuckDBPyConnection) -> tuple[Candidate, ...]:
    """The entities of the records that were compared, the best first."""
    rows = con.execute(_SQL.read_text(encoding="utf-8")).fetchall()
    found = tuple(Candidate(*row) for row in rows)
    return tuple(
        replace(one, margin=_margin(one.match_weight, [each.match_weight for each in found[place + 1 : place + 2]]))
        for place, one in enumerate(found)
    )


def _margin(weight: float | None, following: Sequence[float | None]) -> float | None:
    if weight is None or not following or following[0] is None:
        return None
    return round(weight - following[0], 2)


def _answer(found: Sequence[Candidate], margin: float) -> Literal["entity", "candidates", "nobody"]:
    """One entity where its record is accepted and no other is as good; several where they may be; or nobody."""
    open_ = [one for one in found if one.status != "vetoed"]
    if not open_:
        return "nobody"
    best, rest = open_[0], open_[1:]
    if best.status != "accepted":
        return "candidates"
    if best.rule is not None:
        return "candidates" if any(one.rule is not None and one.status == "accepted" for one in rest) else "entity"
    near = [
        one
        for one in rest
        if one.status == "accepted" and (best.match_weight or 0.0) - (one.match_weight or 0.0) <= margin
    ]
    return "candidates" if near else "entity"


def read_record(text: str) -> dict[str, Any]:
    """The record in a text of JSON.

    Raises:
        ConfigurationError: It is no JSON object.
    """
    try:
        stated = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(
            "the record", f"no JSON ({error})", 'an object such as {"name": "Acme Ltd"}'
        ) from error
    if not isinstance(stated, dict):
        raise ConfigurationError("the record", type(stated).__name__, 'an object such as {"name": "Acme Ltd"}')
    return stated


def read_file(path: Path) -> str:
    """The text of a file.

    Raises:
        NotFound: There is none, or it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFound(
            f"{path} could not be read ({error.strerror}); needed a file with one record as JSON."
        ) from error


def _text(value: Any) -> str | None:  # noqa: ANN401  whatever JSON holds
    if isinstance(value, list):
        return json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() or None


def _plain(value: Any) -> Any:  # noqa: ANN401  whatever Arrow holds
    return value if isinstance(value, str | int | float | bool | list) else str(value)

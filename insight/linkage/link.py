"""Records become links: candidates, scores, strong keys, vetoes, verdicts. One function, `build`.

The steps are modules of their own, each over tables in one DuckDB: `read`, `features`, `blocking`, `score`, `verdict`.
`whole` takes them for all records, `changed` for what differs from the version before; both give the same links.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from insight import layers
from insight.linkage.changed import kept_pairings, relink
from insight.linkage.inputs import Inputs, linkage_code, read_inputs
from insight.linkage.model import Model
from insight.linkage.partners import keys_with_handles
from insight.linkage.read import open_memory
from insight.linkage.statistics import freeze, numbers
from insight.linkage.whole import link
from insight.records.record_set import AliasSet, RecordSet
from insight.stage import version_of, writing
from orchestration.settings import Settings

TABLES: Final = ("link", "footing")
KEYS: Final = {
    "link": ("record_a", "record_b"),
    "footing": ("record_a", "record_b"),
    "pairing": ("record_a", "record_b"),
    "key": ("record",),
}
"""Each table of a folder of links and what identifies its rows; the last two are for the next version."""
MOVED: Final = 0.2
"""The share by which the number of records may change before the frozen statistics are counted anew."""


@dataclass(frozen=True, slots=True)
class LinkSet:
    """The links of one record type: a folder with `link.parquet` (the graph's columns) and `footing.parquet`."""

    record_type: str
    version: str
    path: Path
    model_id: str
    margin: float
    """How far apart two candidates' weights are that are no longer equally good."""
    accept: float
    """The match weight from which on a pair is accepted."""

    def table(self, name: str) -> Path:
        """The Parquet file of a table, which may be a layer."""
        return self.path / f"{name}.parquet"

    @property
    def statistics(self) -> Path:
        """The folder of the frozen counts that these links were made with."""
        layer = layers.read_layer(self.path)
        if layer is None:
            raise FileNotFoundError(self.path / layers.NOTE)
        return Path(layer.inputs["statistics"])


def build(  # noqa: PLR0913  one argument for each thing that links depend on
    records: RecordSet,
    aliases: AliasSet,
    model: Model,
    settings: Settings,
    employer: Path | None = None,
    *,
    judgements: Path | None = None,
    before: LinkSet | None = None,
    statistics: Path | None = None,
) -> LinkSet:
    """The links between the records of a type. Where the same were linked before, nothing is done.

    Args:
        records: The conformed records.
        aliases: The merges that sources made themselves.
        model: The trained model of the record type.
        settings: Where stages are kept.
        employer: The organisations' `crosswalk.parquet`, for people; it stands in a folder named by its content.
        judgements: `judgements.parquet`, what people said of pairs.
        before: What this returned the last time; what did not change since is not linked again. None to count the
            records anew, and so to link all of them.
        statistics: Frozen counts to use, whatever was used before.
    """
    found = Inputs(
        records=records.record,
        aliases=aliases.alias,
        employer=employer,
        judgements=judgements,
        statistics=None,
        model_id=model.model_id,
        code=linkage_code(model),
    )
    was = None if before is None else _made_from(before, found)
    if statistics is None and was is not None and _still_fits(was, found):
        statistics = was.statistics
    count = statistics is None
    if statistics is None:
        counted = version_of(
            records.version, "" if employer is None else employer.parent.name, found.model_id, found.code
        )
        statistics = settings.stages / "statistics" / records.shape / counted
    inputs = replace(found, statistics=statistics)
    folder = layers.place(settings.stages / "links" / records.shape, inputs.version, before.path if before else None)
    if not folder.exists():
        with open_memory() as con:
            changed = before is not None and was is not None and was.statistics == statistics
            if not (changed and before is not None and _build_layer(con, model, before.path, was, inputs, folder)):
                _build_whole(con, model, inputs, folder, count=count, spark=settings.spark)
    thresholds = numbers(statistics).thresholds
    return LinkSet(records.shape, folder.name, folder, model.model_id, thresholds.margin, thresholds.accept)


def _made_from(before: LinkSet, found: Inputs) -> Inputs | None:
    """What the version before was made from; None where it, or that, is of no use now."""
    layer = layers.read_layer(before.path)
    if layer is None or not layer.inputs:
        return None
    was = read_inputs(layer.inputs)
    if (was.model_id, was.code) != (found.model_id, found.code) or was.statistics is None:
        return None
    return was if was.statistics.exists() else None


def _still_fits(was: Inputs, found: Inputs) -> bool:
    """Whether the frozen counts are still of about as many records."""
    with duckdb.connect() as con:
        records = con.execute(f"SELECT count(*) FROM {layers.rows(found.records)}").fetchall()[0][0]
    counted = numbers(was.statistics).records if was.statistics is not None else 0
    return bool(abs(records - counted) <= MOVED * counted)


def _build_whole(  # noqa: PLR0913  one argument for each thing that a build depends on
    con: duckdb.DuckDBPyConnection, model: Model, inputs: Inputs, folder: Path, *, count: bool, spark: str | None
) -> None:
    frozen = None if count else inputs.statistics
    counted = link(con, inputs.records, inputs.aliases, model, inputs.employer, inputs.judgements, frozen, spark)
    if count and inputs.statistics is not None:
        freeze(con, model.record_type, counted, inputs.statistics)
    with writing(folder) as draft:
        for table in TABLES:
            layers.put(con, draft, table, f"FROM {table}", None, None, whole=True, keys=KEYS[table])
        layers.put(con, draft, "pairing", kept_pairings(), None, None, whole=True, keys=KEYS["pairing"])
        layers.write(con, f"FROM ({keys_with_handles()}) ORDER BY key", draft / "key.parquet")
        layers.describe(draft, layers.Layer(KEYS, None, 0, inputs.noted()))


def _build_layer(  # noqa: PLR0913, PLR0917  one argument for each thing that is compared
    con: duckdb.DuckDBPyConnection, model: Model, before: Path, was: Inputs | None, inputs: Inputs, folder: Path
) -> bool:
    """Writes what differs from the version before; false where everything may."""
    if was is None or not relink(con, model, before, was, inputs):
        return False
    below = layers.read_layer(before)
    whole = below is None or not layers.may_layer(before)
    with writing(folder) as draft:
        for table, keys in KEYS.items():
            # the keys as they were are at hand; to look for them once more would be to read all of them
            there = "old_key" if table == "key" else layers.rows(before / f"{table}.parquet")
            _put(con, draft, table, before, keys, there, whole=whole)
        height = 0 if whole or below is None else below.height + 1
        layers.describe(draft, layers.Layer(KEYS, before.name, height, inputs.noted()))
    return True


def _put(  # noqa: PLR0913, PLR0917  what a table's place in a version takes
    con: duckdb.DuckDBPyConnection,
    draft: Path,
    table: str,
    before: Path,
    keys: tuple[str, ...],
    was: str,
    *,
    whole: bool,
) -> None:
    """Writes of `new_<table>` what is not in the version before as it is; `was` has the rows there."""
    using = ", ".join(keys)
    con.execute(f"CREATE OR REPLACE TABLE earlier AS SELECT * FROM {was} SEMI JOIN asked_{table} USING ({using})")
    columns = ", ".join(str(row[0]) for row in con.execute("DESCRIBE earlier").fetchall())
    now = f"SELECT {columns} FROM new_{table}"
    con.execute(f"""
        CREATE OR REPLACE TABLE differing AS
        SELECT DISTINCT {using} FROM ((FROM earlier EXCEPT {now}) UNION ALL ({now} EXCEPT FROM earlier))
    """)
    changed = f"{now} SEMI JOIN differing USING ({using})"
    layers.put(con, draft, table, changed, "FROM differing", before, whole=whole, keys=keys)

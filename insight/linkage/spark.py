"""Scores of compared pairs on Spark, by Splink's Spark backend, where one machine's DuckDB is too small.

Features, keys and frequencies are made where they always are and written as Parquet; Spark joins the keys to pairs and
compares them, which is what grows with the square of a crowd; verdicts, clusters and all that follows read the scores
from Parquet again and do not know where they were made. The model is the same file: its conditions are translated.
"""

from __future__ import annotations

import atexit
import os
import re
import sys
import warnings
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import duckdb
import sqlglot
from sqlglot import exp

from insight.linkage.model import Model
from insight.linkage.score import assemble, terms
from insight.linkage.statistics import Numbers
from insight.linkage.weights import scales
from orchestration.errors import ConfigurationError
from orchestration.sql import literal

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_OURS: Final = {"JAROWINKLER_SIMILARITY": "jaro_winkler_similarity", "DAMERAU_LEVENSHTEIN": "damerau_levenshtein"}
"""Functions that Spark and its libraries lack or compute a little otherwise: there too DuckDB is asked for them."""
_PREFIX: Final = "precede_"
"""What their names begin with there; Spark's own functions of these names go before registered ones."""

_PAIR: Final = """
    WITH shared AS (
        SELECT key FROM key JOIN largest USING (rule) WHERE rule < {first}
        GROUP BY key HAVING count(*) BETWEEN 2 AND max(largest.records)
    ),
    sharing AS (SELECT position, key FROM key LEFT SEMI JOIN shared USING (key) WHERE rule < {first})
    SELECT one.position AS a, other.position AS b
    FROM sharing AS one JOIN sharing AS other ON one.key = other.key AND one.position < other.position
    UNION
    SELECT a, b FROM sure
"""


def start(master: str) -> SparkSession:
    """A Spark session with the functions that the comparisons use.

    Args:
        master: Spark's address, such as `local[2]` or `spark://host:7077`.

    Raises:
        ConfigurationError: PySpark is not installed.
    """
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415  optional
    except ImportError as error:
        raise ConfigurationError(
            "PRECEDE_SPARK", f"{master}, and no PySpark", "the extra `spark`: `make spark` installs it"
        ) from error
    local: dict[str, str] = {}
    if master.startswith("local"):
        local["spark.sql.shuffle.partitions"] = "4"
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else its workers run the system's Python
    folder = mkdtemp(prefix="precede-warehouse-")  # a session keeps nothing, and yet makes a folder for tables
    atexit.register(rmtree, folder, ignore_errors=True)
    spark = (
        SparkSession.builder.appName("precede")
        .master(master)
        .config("spark.sql.warehouse.dir", folder)
        .config(map=local)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    for name in _OURS.values():
        spark.udf.register(_PREFIX + name, _in_duckdb(name))
    return spark


def _in_duckdb(name: str) -> Any:  # noqa: ANN401  PySpark is optional
    """A function of two texts that Spark asks DuckDB for, a batch of rows at a time."""
    import pyarrow as pa  # noqa: PLC0415
    from pyspark.sql.functions import arrow_udf  # noqa: PLC0415

    def function(one: Any, other: Any) -> Any:  # noqa: ANN401  Arrow arrays, as is said to Spark below
        with duckdb.connect() as con:
            con.register("batch", pa.table({"one": one, "other": other}))
            found = con.sql(f"SELECT {name}(one, other)::DOUBLE AS found FROM batch").to_arrow_table()
        return found.column("found").combine_chunks()

    function.__annotations__ = dict.fromkeys(("one", "other", "return"), pa.Array)
    return arrow_udf(function, returnType="double")


def score_on_spark(con: duckdb.DuckDBPyConnection, model: Model, numbers: Numbers, master: str) -> None:
    """Makes `scored` as `score.score` does, with the comparing done on Spark.

    Weights are sums of the same parts in another order: they agree to 1e-4 bits, to which they are rounded.

    Args:
        con: A connection with `feature` and its frequencies, `firm_id`, `key`, `largest`, `tier_pair` and `judged`.
        model: The trained model.
        numbers: What was counted of all records: the prior and the thresholds.
        master: Spark's address.
    """
    spark = start(master)
    with TemporaryDirectory(prefix="precede-spark-") as name:
        folder = Path(name)
        con.execute("CREATE OR REPLACE TABLE sure AS SELECT a, b FROM tier_pair UNION SELECT a, b FROM judged")
        for table in ("feature", "key", "largest", "sure"):
            _hand_over(con, spark, folder, table)
        spark.sql(_PAIR.format(first=len(model.linkage.blocks))).write.parquet(str(folder / "pair"))
        con.execute(f"CREATE OR REPLACE TABLE asked AS FROM read_parquet({literal(folder / 'pair' / '*.parquet')})")
        _predict(con, spark, model, numbers, folder / "stated", "SELECT a AS one, b AS other FROM asked")
        con.execute(f"""
            CREATE OR REPLACE TABLE as_stated AS
            SELECT one AS a, other AS b, * EXCLUDE (one, other)
            FROM predicted LEFT JOIN sure ON sure.a = one AND sure.b = other
            WHERE match_weight >= {numbers.thresholds.review!r}::DOUBLE OR sure.a IS NOT NULL
        """)
        con.execute("""
            CREATE OR REPLACE TABLE firm_pair AS
            SELECT as_stated.a, as_stated.b, x.firm_position AS one, y.firm_position AS other
            FROM as_stated JOIN firm_id AS x ON x.position = a JOIN firm_id AS y ON y.position = b
            WHERE x.firm_position <> a OR y.firm_position <> b
        """)
        _predict(con, spark, model, numbers, folder / "firm", "SELECT one, other FROM firm_pair")
    con.execute("""
        CREATE OR REPLACE TABLE as_firm AS
        SELECT * EXCLUDE (one, other) FROM firm_pair JOIN predicted USING (one, other)
    """)
    assemble(con, scales(model.splink))
    for table in ("sure", "asked", "as_stated", "as_firm", "firm_pair", "predicted"):
        con.execute(f"DROP TABLE {table}")


def for_spark(splink: Mapping[str, Any]) -> dict[str, Any]:
    """A model's settings with every condition in Spark's SQL, and positions in place of ids."""
    settings: dict[str, Any] = deepcopy(dict(splink)) | {
        "unique_id_column_name": "position",
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
    }
    settings.pop("sql_dialect", None)
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            if level["sql_condition"].strip().upper() != "ELSE":
                level["sql_condition"] = in_spark(level["sql_condition"])
    return settings


def in_spark(condition: str) -> str:
    """A condition of a comparison, written for DuckDB, in Spark's SQL."""
    # `len` is of lists here and `length` of texts; to the translator the two are one
    said = re.sub(r"\blen\(", "list_size(", condition)
    tree: Any = sqlglot.parse_one(said, read="duckdb")
    for node in reversed(list(tree.walk())):  # the inner ones first: a new node takes them in as they then are
        new = _in_spark(node)
        if node is tree:
            tree = new
        elif new is not node:
            node.replace(new)
    return str(tree.sql(dialect="spark"))


def _in_spark(node: exp.Expression) -> Any:  # noqa: ANN401  a node of sqlglot's, some of which it has no type for
    if isinstance(node, exp.ArrayOverlaps):
        return exp.func("arrays_overlap", node.this, node.expression)
    name = (
        node.name.upper() if isinstance(node, exp.Anonymous) else node.sql_name() if isinstance(node, exp.Func) else ""
    )
    if name == "LIST_HAS_ALL":
        every, some = node.expressions
        lacking = exp.func("size", exp.func("array_except", some, every))
        return exp.EQ(this=lacking, expression=exp.Literal.number(0))
    if name in _OURS:
        return exp.Anonymous(this=_PREFIX + _OURS[name], expressions=list(node.iter_expressions()))
    if name == "REGEXP_FULL_MATCH":
        text, pattern = node.iter_expressions()
        return exp.RegexpLike(this=text, expression=exp.Literal.string(f"^(?:{pattern.name})$"))
    if name == "LIST_SIZE":
        return exp.Anonymous(this="size", expressions=list(node.iter_expressions()))
    return node


def _hand_over(con: duckdb.DuckDBPyConnection, spark: SparkSession, folder: Path, table: str) -> None:
    """Writes a table as Parquet and gives it to Spark under its name; hashes become signed, which Spark has alone."""
    rows = "SELECT position, rule, key::BIGINT AS key FROM (SELECT * REPLACE (key >> 1 AS key) FROM key)"
    query = rows if table == "key" else f"FROM {table}"
    con.sql(query).write_parquet(str(folder / f"{table}.parquet"), compression="zstd")
    spark.read.parquet(str(folder / f"{table}.parquet")).createOrReplaceTempView(table)


def _predict(  # noqa: PLR0913, PLR0917  one argument for each thing that a prediction takes
    con: duckdb.DuckDBPyConnection, spark: SparkSession, model: Model, numbers: Numbers, folder: Path, asked: str
) -> None:
    """Makes `predicted(one, other, match_weight, gamma_*, mw_*)` of the rows of `feature` that a query pairs."""
    from splink import Linker, SparkAPI  # noqa: PLC0415  optional

    pairs = folder.with_name(f"{folder.name}_asked.parquet")
    con.sql(f"SELECT one AS join_key_l, other AS join_key_r, '0' AS match_key FROM ({asked})").write_parquet(str(pairs))
    settings = for_spark(model.splink) | {"probability_two_random_records_match": numbers.prior}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api = SparkAPI(  # type: ignore[no-untyped-call]
            spark_session=spark, break_lineage_method="persist", register_udfs_automatically=False
        )
        linker = Linker(
            api.register(spark.table("feature"), dataset_display_name=f"records_{uuid4().hex[:8]}"),
            settings,
            log_level=None,
        )
        for term in terms(model):
            frequency = f"SELECT {term}, max(pow(2D, common_{term})) AS tf_{term} FROM feature WHERE {term} IS NOT NULL"
            found = spark.sql(f"{frequency} GROUP BY {term}")
            linker.table_management.register_term_frequency_lookup(api.register(found), term)
        linker.table_management.register_blocked_pairs_for_predict(api.register(spark.read.parquet(str(pairs))))
        predicted = linker.inference.predict(warning_mode="never")
    predicted.as_spark_dataframe().write.parquet(str(folder))
    columns = ", ".join(
        f"gamma_{one.name}, {_added(one.name, one.terms)} AS mw_{one.name}" for one in scales(model.splink)
    )
    con.execute(f"""
        CREATE OR REPLACE TABLE predicted AS
        SELECT position_l AS one, position_r AS other, match_weight, {columns}
        FROM read_parquet({literal(folder / "*.parquet")})
    """)


def _added(name: str, rare: tuple[str, ...]) -> str:
    return f"mw_{name} + mw_tf_adj_{name}" if rare else f"mw_{name}"

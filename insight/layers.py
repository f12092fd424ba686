"""Tables of Parquet that grow by what changed, as every stage of insight keeps its result.

The graph is made of such tables too, so that the coordinator has the code: `orchestration/layers.py`.
"""

from orchestration.layers import (
    HIGHEST,
    MARK,
    NOTE,
    Layer,
    describe,
    lineage,
    may_follow,
    may_layer,
    place,
    put,
    read_layer,
    rows,
    rows_since,
    touched,
    write,
)

__all__ = [
    "HIGHEST",
    "MARK",
    "NOTE",
    "Layer",
    "describe",
    "lineage",
    "may_follow",
    "may_layer",
    "place",
    "put",
    "read_layer",
    "rows",
    "rows_since",
    "touched",
    "write",
]

"""What was read from a source, as Parquet named by its content.

One folder a system, table and data version, whole or a layer. `row.parquet` in it is read with `layers.rows`: every
declared column as text, `_key` (the key columns joined by `|`) and `_row_hash` (over the declared columns that are not
volatile). Rows that are marked as deleted are dropped and counted. Rows without a key, rows whose key another row has,
rows that name the system of another source, and lines that are no row stand beside it in `rejected.parquet`, so that a
key is unique in what is used and no row is lost.

`rows` makes of what a reader hands over the rows that are used and those that are not, `content` the version of them,
`writing` a folder. `cursor` says from where on a table is read again, `again` lands what that gives.
"""

from insight.landing.reading import land
from insight.landing.table import LandedTable, row_count, version_of_table

__all__ = ["LandedTable", "land", "row_count", "version_of_table"]

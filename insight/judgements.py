"""What people judged, as Parquet: the asset that hands the store's judgements to links and entities.

The tables are small and written whole. Links and entities compare them with those that they were made from, so that one
judgement costs one pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa

from insight import layers
from insight.arriving import make_table
from insight.linkage.read import open_memory
from insight.stage import version_of, writing
from orchestration import judgements as given
from orchestration.canonical import canonical
from orchestration.settings import Settings
from orchestration.store.engine import Store

JUDGEMENTS: Final = "judgements"
SETTLEMENTS: Final = "settlements"
_COLUMNS: Final[dict[str, dict[str, pa.DataType]]] = {
    JUDGEMENTS: {name: pa.string() for name in ("entity_type", "record_a", "record_b", "verdict", "judgement_id")},
    SETTLEMENTS: {
        **{name: pa.string() for name in ("judgement_id", "entity_type", "record_id", "field", "value")},
        "until": pa.date32(),
        "expired": pa.bool_(),
    },
}


@dataclass(frozen=True, slots=True)
class JudgementSet:
    """The judgements that count: a folder with two tables.

    - `judgements(entity_type, record_a, record_b, verdict, judgement_id)`: one pair that somebody said is the `same`
      or `different`.
    - `settlements(judgement_id, entity_type, record_id, field, value, until, expired)`: one value that somebody said
      is right, of the entity that the record belongs to; what is past its last day is `expired`.
    """

    version: str
    path: Path
    judgement_count: int
    settlement_count: int

    def table(self, name: str) -> Path:
        """The Parquet file of a table."""
        return self.path / f"{name}.parquet"


def build(store: Store, settings: Settings, *, today: date | None = None) -> JudgementSet:
    """The judgements of the store that count. Where the same were handed on before, nothing is done.

    Args:
        store: The coordinator's store.
        settings: Where stages are kept.
        today: The day before which a settlement must have ended to be expired; the business date where it is not given.
    """
    day = today or settings.business_date
    with store.read() as connection:
        rows = {
            JUDGEMENTS: [one for one in given.judgements(connection) if one["verdict"] != given.PairVerdict.SKIP],
            SETTLEMENTS: [
                one | {"expired": _expired(one["until"], day)}
                for one in given.settlements(connection)
                if one["value"] is not None
            ],
        }
    stated = {name: [{key: row[key] for key in _COLUMNS[name]} for row in found] for name, found in rows.items()}
    named = {name: list(kinds) for name, kinds in _COLUMNS.items()}
    version = version_of(canonical([named, stated]).decode())
    folder = settings.stages / "judgements" / version
    made = JudgementSet(version, folder, len(rows[JUDGEMENTS]), len(rows[SETTLEMENTS]))
    if not folder.exists():
        with open_memory() as con, writing(folder) as draft:
            for name, found in stated.items():
                columns = {key: pa.array([row[key] for row in found], kind) for key, kind in _COLUMNS[name].items()}
                make_table(con, name, **columns)
                layers.write(con, f"FROM {name} ORDER BY ALL", draft / f"{name}.parquet")
    return made


def _expired(until: date | None, today: date) -> bool:
    return until is not None and until < today

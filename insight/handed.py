"""What an asset handed on last: where its result stands and which version it is, as one small JSON file each.

The results are folders of Parquet and files named by their content; here stand their descriptions alone. They do not
pass through Dagster, since every input of a step would be an event of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from insight.entities.build import EntitySet
from insight.entities.relationships import RelationshipSet
from insight.judgements import JudgementSet
from insight.landing import LandedTable
from insight.linkage.link import LinkSet
from insight.publication.questions import Built
from insight.records.record_set import AliasSet, RecordSet, RejectedSet
from insight.stage import writing_file
from orchestration.errors import NotFound
from orchestration.settings import Settings

KINDS: Final[tuple[type[Any], ...]] = (
    AliasSet,
    Built,
    EntitySet,
    JudgementSet,
    LandedTable,
    LinkSet,
    RecordSet,
    RejectedSet,
    RelationshipSet,
)
"""What can be handed on."""
_ADAPTERS: Final[dict[type[Any], TypeAdapter[Any]]] = {kind: TypeAdapter(kind) for kind in KINDS}

_Kind = TypeVar("_Kind")


def hand_on(settings: Settings, asset: Sequence[str], *values: Any) -> None:  # noqa: ANN401  one of KINDS
    """Keep what an asset hands on, one or more of a kind, in place of what it handed on before."""
    written = [_ADAPTERS[type(value)].dump_python(value, mode="json") for value in values]
    writing_file(_file(settings, asset), json.dumps(written))


def handed(settings: Settings, asset: Sequence[str], kind: type[_Kind]) -> list[_Kind]:
    """What an asset handed on last.

    Raises:
        NotFound: It was never materialised here, or by another version of Precede.
    """
    name = "/".join(asset)
    try:
        stated = json.loads(_file(settings, asset).read_bytes())
        found: list[_Kind] = [_ADAPTERS[kind].validate_python(one) for one in stated]
    except FileNotFoundError as error:
        raise NotFound(f"{name} was never materialised here; needed its result; materialise it first.") from error
    except ValidationError as error:
        raise NotFound(
            f"{name} was materialised by another version; needed this one's; materialise it again."
        ) from error
    return found


def handed_one(settings: Settings, asset: Sequence[str], kind: type[_Kind]) -> _Kind:
    """The one thing that an asset handed on last.

    Raises:
        NotFound: As `handed`.
    """
    return handed(settings, asset, kind)[0]


def handed_before(settings: Settings, asset: Sequence[str], kind: type[_Kind]) -> list[_Kind]:
    """What an asset handed on before; nothing where it did not."""
    try:
        return handed(settings, asset, kind)
    except NotFound:
        return []


def _file(settings: Settings, asset: Sequence[str]) -> Path:
    return settings.stages.joinpath("handed", *asset[:-1], f"{asset[-1]}.json")

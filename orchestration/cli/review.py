"""`precede review`: proposals in review, what a person could settle, and what people said."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import typer

from orchestration import judgements
from orchestration.cli import held
from orchestration.cli import review_shown as shown
from orchestration.cli.acting import acting
from orchestration.cli.reading import AsJson, Paper, print_json, reading_graph, reading_store
from orchestration.cli.why_shown import OfPair
from orchestration.errors import ConfigurationError
from orchestration.explanation import explained
from orchestration.graph.current import open_current
from orchestration.graph.reader import EntityGraph
from orchestration.identity.person import Role
from orchestration.judgements import PairVerdict, disputed, judge, pair_of, record_of, settle
from orchestration.reviewing import open_pairs
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Answer what is in review: proposals, pairs and values."
)
Note = Annotated[str, typer.Option(help="Why; kept with the judgement.")]
Record = Annotated[str, typer.Argument(help="A record's id, system:table:key.")]


@app.callback()
def review() -> None:
    """Answer what is in review: proposals, pairs and values."""


app.command("list")(held.list_)
app.command("approve")(held.approve_)
app.command("edit")(held.edit_)
app.command("reject")(held.reject_)


@app.command()
def pairs(  # noqa: PLR0913  one option for each way to ask
    entity: Annotated[str | None, typer.Option(help="Only doubts about this entity.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only of this record type.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 20,
    *,
    first: Annotated[bool, typer.Option("--next", help="Show the first one, both records side by side.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List them, also on a terminal.")] = False,
    as_json: AsJson = False,
) -> None:
    """List open review pairs, those that most actions wait for first; on a terminal, ask about one after the other.

    A pair that was judged is left out until the next graph shows what became of it; one that was skipped comes last.
    """
    asking = sys.stdin.isatty() and sys.stdout.isatty() and not (first or listed or as_json)
    with reading_store() as store, open_current(store, Settings()) as graph:
        with store.read() as connection:
            found = open_pairs(
                connection, graph, entity=entity, entity_type=type_, limit=1 if first else 1000 if asking else limit
            )
        if asking:
            _ask(store, graph, found)
        elif first:
            _show_first(graph, found, as_json=as_json)
        elif as_json:
            print_json(found)
        else:
            Paper().print(shown.listed(found))


@app.command()
def show(
    what: Annotated[str, typer.Argument(help="The id of a proposal that is in review, or of a record.")],
    record_b: Annotated[str | None, typer.Argument(help="Another record's id, where two are to be compared.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a proposal that is in review, with all that speaks for and against it; or two records side by side.

    Where a reviewer's token is given it is kept that they were shown the proposal: only then can they answer it.
    """
    if record_b is None:
        held.show_(what, as_json=as_json)
        return
    with reading_graph() as graph:
        _show(graph, what, record_b, {}, as_json=as_json)


@app.command("judge")
def judge_(
    record_a: Record,
    record_b: Record,
    verdict: Annotated[PairVerdict, typer.Argument(help="What you say; `skip` takes back what was said before.")],
    note: Note = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Say that two records are the same or different; every later graph obeys it, and tells where data contradicts it.

    It is kept for ever with your name and what you were shown, and stands in the ledger. A later one takes its place.
    It takes a reviewer.
    """
    with closing(open_store(Settings(), create=False)) as store:
        name = acting(store, Settings(), Role.REVIEWER).name
        with open_current(store, Settings()) as graph:
            pair = pair_of(graph, record_a, record_b)
        row = judge(store, pair, verdict, name, note=note, now=datetime.now(UTC))
    _told(row, shown.judged(row), as_json=as_json)


@app.command("settle")
def settle_(  # noqa: PLR0913  what a settlement says
    record: Record,
    field: Annotated[str, typer.Argument(help="The field on which records of its entity disagree.")],
    value: Annotated[str | None, typer.Argument(help="The right value, as one of them states it.")] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day on which it counts; for ever if unsaid.")
    ] = None,
    note: Note = "",
    *,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take back what was said of that field.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say which value of a field is right; it survives in the golden record, and the conflict is none any more.

    The source stays as it is: put it right there too, and let --until end what you say here. It takes a reviewer.
    """
    if withdraw is not (value is None):
        raise ConfigurationError("precede review settle", "both or neither", "either a value or --withdraw")
    last: date | None = until.date() if until is not None else None
    with closing(open_store(Settings(), create=False)) as store:
        name = acting(store, Settings(), Role.REVIEWER).name
        with open_current(store, Settings()) as graph:
            about = disputed(graph, record, field)
        row = settle(store, about, value, name, until=last, note=note, now=datetime.now(UTC))
    _told(row, shown.settled(row), as_json=as_json)


@app.command("judgements")
def judgements_(
    state: Annotated[
        Literal["obeyed", "contradicted", "expired", "unplaced", "waiting", "withdrawn"] | None,
        typer.Option(help="Only those of this state."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List what people said and what became of it, what is not obeyed first.

    `contradicted`: the data now speaks against it. `expired`: its last day has passed. `unplaced`: its records are
    gone. `waiting`: no graph was published since. `withdrawn`: it was taken back.
    """
    with reading_store() as store:
        with store.read() as connection:
            said = [*judgements.judgements(connection), *judgements.settlements(connection)]
        with open_current(store, Settings()) as graph:
            became = {row["judgement_id"]: row for row in graph.judgements()}
    found = [_with_state(row, became.get(row["judgement_id"])) for row in said]
    found = sorted((one for one in found if state in {None, one["state"]}), key=shown.by_state)
    if as_json:
        print_json(found)
    else:
        Paper().print(shown.judgements(found))


def _with_state(row: dict[str, Any], became: dict[str, Any] | None) -> dict[str, Any]:
    row = {name: value for name, value in row.items() if name not in {"shown", "number"}}
    withdrawn = row.get("verdict") == PairVerdict.SKIP or ("value" in row and row["value"] is None)
    state = became["state"] if became else "withdrawn" if withdrawn else "waiting"
    return row | {"state": state, "detail": became["detail"] if became else None}


def _ask(store: Store, graph: EntityGraph, found: list[dict[str, Any]]) -> None:
    """Show one pair after the other and keep what is said, until somebody quits or there is none left."""
    name, paper = acting(store, Settings(), Role.REVIEWER).name, Paper()
    if not found:
        paper.print(shown.listed(found))
        return
    for place, row in enumerate(found, start=1):
        paper.print(f"\n{place:,} of {len(found):,}", style="bold")
        _show(graph, row["record_a"], row["record_b"], row, as_json=False)
        answer = shown.ask(paper, name)
        if answer is None:
            return
        pair = pair_of(graph, row["record_a"], row["record_b"])
        made = judge(store, pair, answer.verdict, name, note=answer.note, now=datetime.now(UTC))
        paper.print(shown.judged(made))


def _show_first(graph: EntityGraph, found: list[dict[str, Any]], *, as_json: bool) -> None:
    if found and not found[0]["skipped"]:
        _show(graph, found[0]["record_a"], found[0]["record_b"], found[0], as_json=as_json)
    elif as_json:
        print_json(None)
    else:
        Paper().print(shown.listed([]))


def _show(graph: EntityGraph, record_a: str, record_b: str, row: dict[str, Any], *, as_json: bool) -> None:
    one, other = record_of(graph, record_a), record_of(graph, record_b)
    names = {each.entity_id: each.name for each in graph.entities({one.entity_id, other.entity_id}).values()}
    steps = explained(graph, one.entity_type, graph.why(record_a, record_b))
    sides = graph.record(record_a) or {}, graph.record(record_b) or {}
    told = OfPair(one, other, names, steps, sides)
    if as_json:
        print_json(
            {"pair": row or None, "records": dict(zip((record_a, record_b), sides, strict=True)), "steps": steps}
        )
    else:
        Paper().print(shown.pair(told, row))


def _told(row: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({name: value for name, value in row.items() if name not in {"shown", "number"}})
    else:
        Paper().print(text)

"""What `precede tune` and `precede linkage` do and print: each function returns one page, as data and as lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sqlalchemy import select

from insight.linkage.model import LINKAGES, Model, find_model, load_model, save_model
from insight.linkage.tuning.estimate import Found
from insight.linkage.tuning.records import elsewhere, read_judgements, read_records, resolve
from insight.linkage.tuning.sample import Pair, draw, estimated, keep, kept
from insight.linkage.tuning.trial import try_model
from insight.linkage.tuning.tune import Tuned, tune
from orchestration.cli.reading import Paper, print_json
from orchestration.errors import ConfigurationError
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.store.tables import judgement

SHOWN: Final = 12
"""Changed levels that are listed."""
_NOT_OURS: Final = "which actions wait for them this role may not read"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Page:
    """What a command has to say."""

    data: Mapping[str, Any]
    lines: tuple[str, ...]


def show(page: Page, *, as_json: bool) -> None:
    """Print a page."""
    if as_json:
        print_json(page.data)
    else:
        paper = Paper()
        for line in page.lines:
            paper.print(line)


def chosen(record_type: str | None) -> tuple[str, ...]:
    """The record types to tune.

    Raises:
        ConfigurationError: There is no such type.
    """
    if record_type is not None and record_type not in LINKAGES:
        raise ConfigurationError("--type", repr(record_type), f"one of {', '.join(LINKAGES)}")
    return tuple(LINKAGES) if record_type is None else (record_type,)


def tuned(settings: Settings, types: tuple[str, ...], tell: Tell, *, promote: bool) -> Page:
    """Train candidates, and say what is new in them."""
    found = tune(settings, types, promote=promote, tell=tell)
    if not found:
        return Page({"models": []}, ("There are no records to tune on.",))
    lines = [line for one in found for line in _of_candidate(one)]
    data = {
        "models": [
            {
                "record_type": one.after.record_type,
                "model": one.after.model_id,
                "before": one.before.model_id,
                "current": one.current,
                "path": str(one.path),
                "thresholds": asdict(one.after.thresholds),
                "trained_on": one.after.trained_on,
                "set_aside": list(one.after.set_aside),
                "changes": [asdict(change) for change in one.changes],
            }
            for one in found
        ]
    }
    return Page(data, tuple(lines))


def _of_candidate(one: Tuned) -> list[str]:
    before, after = one.before, one.after
    lines = [
        f"{after.record_type}: {after.model_id}, trained on {after.trained_on:,} records (before: {before.model_id})",
        (
            f"  accept from {after.thresholds.accept:g} bits (before {before.thresholds.accept:g}),"
            f" in doubt from {after.thresholds.review:g} (before {before.thresholds.review:g})"
        ),
    ]
    lines += [f"  veto set aside, for these records speak against it: {name}" for name in after.set_aside]
    lines += [f"  veto obeyed again: {name}" for name in before.set_aside if name not in after.set_aside]
    lines += [
        f"  {change.comparison}, {change.level}: {change.after:+.1f} bits (before {change.before:+.1f})"
        for change in one.changes[:SHOWN]
    ]
    if len(one.changes) > SHOWN:
        lines.append(f"  and {len(one.changes) - SHOWN} more levels by half a bit or more; --json lists them")
    lines.append(
        "  It is the current model now."
        if one.current
        else f"  It is a candidate: `precede linkage try {after.model_id}` shows what it would alter,"
        f" `precede linkage promote {after.model_id}` makes it the current one."
    )
    return lines


def sampled(settings: Settings, types: tuple[str, ...], size: int, seed: int, tell: Tell) -> Page:
    """Draw pairs to judge."""
    tell("Reading the records")
    records, said = read_records(settings), read_judgements(settings)
    models = {name: load_model(name, settings) for name in LINKAGES}
    lines: list[str] = []
    data: list[dict[str, Any]] = []
    with elsewhere(settings) as scratch:
        tell("Linking them")
        made = resolve(records, models, scratch, said, types=types if types == ("organisation",) else tuple(LINKAGES))
        for name in types:
            employer = made.entities["organisation"].table("crosswalk") if name == "person" else None
            crosswalk = made.entities[name].table("crosswalk")
            linked = _with(models[name], made.links[name].accept)
            (sample,) = draw(records.shapes[name], records.aliases, linked, crosswalk, employer, size, (seed,))
            path = keep(sample, settings)
            lines.append(f"{name}: {len(sample.pairs)} pairs to judge, kept in {path}")
            lines += [f"  precede review judge {one} {other} same|different" for one, other in sorted(sample.pairs)]
            data.append(
                {"record_type": name, "path": str(path), "pairs": [list(pair) for pair in sorted(sample.pairs)]}
            )
    lines.append("When they are judged, `precede tune --judgements` says how good the linkage is.")
    return Page({"samples": data}, tuple(lines))


def _with(model: Model, accept: float) -> Model:
    return replace(model, thresholds=replace(model.thresholds, accept=accept))


def judged(settings: Settings, types: tuple[str, ...]) -> Page:
    """Say how good the linkage is, by the judgements on the sample drawn last."""
    lines: list[str] = []
    data: list[dict[str, Any]] = []
    for name in types:
        sample = kept(settings, name)
        if sample is None:
            lines.append(f"{name}: no sample was drawn; draw one with `precede tune --type {name} --sample 300`")
            continue
        verdicts = _verdicts(settings, name)
        found = estimated(sample, verdicts)
        lines.append(f"{name}: {found.judged} of {len(sample.pairs)} sampled pairs are judged; by {sample.model_id}")
        if found.judged:
            lines += [f"  precision {_figure(found.precision)}", f"  recall    {_figure(found.recall)}"]
        data.append({"record_type": name, "sampled": len(sample.pairs), **asdict(found)})
    return Page({"quality": data}, tuple(lines))


def _figure(found: Found) -> str:
    return f"{found.estimate:.3f}, between {found.low:.3f} and {found.high:.3f} (95 %)"


def _verdicts(settings: Settings, record_type: str) -> dict[Pair, bool]:
    """The last judgement of each pair of a type, but for those that were skipped: whether it is one entity."""
    store = open_store(settings, create=False)
    try:
        with store.read() as connection:
            said = connection.execute(
                select(judgement.c.record_a, judgement.c.record_b, judgement.c.verdict)
                .where(judgement.c.entity_type == record_type)
                .order_by(judgement.c.at, judgement.c.judgement_id)
            ).all()
    finally:
        store.close()
    last = {(min(one, other), max(one, other)): verdict for one, other, verdict in said}
    return {pair: verdict == "same" for pair, verdict in last.items() if verdict in {"same", "different"}}


def tried(settings: Settings, name: str, limit: int) -> Page:
    """Say what a model would alter."""
    trial = try_model(find_model(name, settings), settings)
    waiting = {action for one in trial.altered for action in one.waiting}
    about = f"{len(waiting):,} waiting actions are about them" if trial.knows_waiting else _NOT_OURS
    lines = [
        (
            f"{trial.model.model_id} in place of {trial.current.model_id}: {len(trial.altered):,} of {trial.entities:,}"
            f" entities would be altered ({_counted(trial.altered)}); {about}"
        )
    ]
    for one in trial.altered[:limit]:
        lines.append(f"{one.entity_id}  {one.name}")
        if one.others:
            lines.append(f"  merged with {', '.join(one.others)}")
        if one.parts > 1:
            lines.append(f"  its {one.records} records would be of {one.parts} entities")
        if "standing" in one.how:
            lines.append(f"  {one.standing_before} -> {one.standing_after}")
        lines += [f"  waiting: {action}" for action in one.waiting]
    if len(trial.altered) > limit:
        lines.append(f"and {len(trial.altered) - limit:,} more; --limit lists them")
    data = {
        "model": trial.model.model_id,
        "current": trial.current.model_id,
        "entities": trial.entities,
        "altered": [asdict(one) for one in trial.altered],
        "waiting": sorted(waiting) if trial.knows_waiting else None,
    }
    return Page(data, tuple(lines))


def _counted(altered: list[Any]) -> str:
    return ", ".join(
        f"{sum(how in one.how for one in altered):,} {words}"
        for how, words in (("merged", "merged"), ("split", "split"), ("standing", "with another standing"))
    )


def promoted(settings: Settings, name: str) -> Page:
    """Make a model the current one."""
    model = find_model(name, settings)
    before = load_model(model.record_type, settings)
    save_model(model, settings)
    line = f"{model.model_id} is the current model of type {model.record_type} now, in place of {before.model_id}."
    return Page({"model": model.model_id, "before": before.model_id}, (line,))

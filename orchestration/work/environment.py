"""What each process may see of the environment: a list of names, so that what is not named here is not passed on.

`precede run` and `precede ui` start a process for each code location with `location_environment`; in a deployment the
same lists say which variables to give to which server. Nothing here starts a process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import yaml

from orchestration.errors import ConfigurationError, PrecedeError
from orchestration.settings import PROJECT, Settings

BASICS: Final = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "PYTHONUNBUFFERED",
    "PYTHONHASHSEED",
    "PYTHONWARNINGS",
)
"""What any program needs; none of it is ours.

PYTHONDONTWRITEBYTECODE is not passed on: each process would have to compile Dagster anew.
"""

TIMING: Final = ("PRECEDE_SCHEDULE", "PRECEDE_SENSOR_SECONDS")
"""How often schedules and sensors look."""

DAGSTER_URL: Final = "PRECEDE_DAGSTER_URL"
"""Where Dagster keeps its own record, if not in files of its home: each process that runs its code needs it."""
_ON_POSTGRES: Final = f"\nstorage:\n  postgres:\n    postgres_url: {{env: {DAGSTER_URL}}}\n"

LOCATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "insight": (
        "PRECEDE_HOME",
        "DAGSTER_HOME",
        DAGSTER_URL,
        "PRECEDE_STORE_URL",
        "PRECEDE_SOURCES",
        "PRECEDE_ACCEPT_MISSING",
        "PRECEDE_REBUILD_SCHEDULE",
        "PRECEDE_KEEP_GRAPHS",
        "PRECEDE_KEEP_HOURS",
        "PRECEDE_SPARK",
        "PRECEDE_BUSINESS_DATE",
        "PRECEDE_SUPPRESSION_KEY",
    ),
    "action": (
        "PRECEDE_HOME",
        "DAGSTER_HOME",
        DAGSTER_URL,
        "PRECEDE_AGENTS",
        "PRECEDE_EXCHANGE",
        "PRECEDE_ONLY_AGENTS",
    ),
    "orchestration": (
        "PRECEDE_HOME",
        "DAGSTER_HOME",
        DAGSTER_URL,
        "PRECEDE_STORE_URL",
        "PRECEDE_AGENTS",
        "PRECEDE_ACTIONS",
        "PRECEDE_TOOLS",
        "PRECEDE_EXCHANGE",
        "PRECEDE_CHECKPOINTS",
        "PRECEDE_CHECKPOINT_SCHEDULE",
        "PRECEDE_KEEP_EVIDENCE_DAYS",
        "PRECEDE_UNSEEN_HOURS",
        "PRECEDE_SUPPRESSION_KEY",
        "PRECEDE_NOTIFY",
        "PRECEDE_BUSINESS_DATE",
    ),
}
"""Code location to the variables of ours it gets. Insight also gets those that a `source.yml` names, the coordinator
those that the tool servers' file names, and the agents' location what a card names, if it is none of ours and no
source's or tool's. The agents' home is the exchange: whatever they derive from the settings lies in it or nowhere.
All of them share one record of Dagster's here; where agents are not trusted they get an instance of their own
(docs/how-to/deploy.md)."""


NEVER: Final = frozenset({"PRECEDE_TOKEN", "PRECEDE_TOKEN_FILE"})
"""What says who runs a command: passed on to no process, whatever file names it."""


def location_environment(location: str, settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a code location's process.

    Args:
        location: `insight`, `action` or `orchestration`.
        settings: Where things are; passed on as absolute paths, so that the working directory does not matter.
        environ: The environment to take the named variables from.

    Raises:
        ConfigurationError: A file that names variables is not readable as YAML.
    """
    known = {
        "PRECEDE_HOME": str(settings.home),
        "DAGSTER_HOME": str(settings.dagster_home),
        "PRECEDE_STORE_URL": settings.store_url,
        "PRECEDE_SOURCES": str(settings.sources),
        "PRECEDE_AGENTS": str(settings.agents),
        "PRECEDE_ACTIONS": str(settings.actions),
        "PRECEDE_TOOLS": str(settings.tools),
        "PRECEDE_EXCHANGE": str(settings.exchange),
        "PRECEDE_CHECKPOINTS": str(settings.checkpoints),
    }
    wanted = {*BASICS, *TIMING, *LOCATIONS[location], *_named_by_files(location, settings)} - NEVER
    passed = {name: environ[name] for name in sorted(wanted) if name in environ}
    if location == "action":
        known["PRECEDE_HOME"] = str(settings.exchange)
    return passed | {name: value for name, value in known.items() if name in LOCATIONS[location]}


def _named_by_files(location: str, settings: Settings) -> set[str]:
    if location == "insight":
        return _named_in([*settings.sources.glob("source.yml"), *settings.sources.glob("*/source.yml")])
    if location == "orchestration":
        return _named_in([settings.tools] if settings.tools.is_file() else [])
    others = {name for other in ("insight", "orchestration") for name in _named_by_files(other, settings)}
    return {
        name
        for name in _named_in(settings.agents.glob("*/agent.yml")) - others
        if not name.startswith(("PRECEDE_", "DAGSTER_"))
    }


def _named_in(files: Iterable[Path]) -> set[str]:
    return {name for file in files for name in _variables(_read(file))}


def _read(file: Path) -> object:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(str(file), str(error).replace("\n", " "), "a readable YAML file") from error


def _variables(value: object) -> Iterator[str]:
    """Every name that stands under a key `env`, as one name or a list of them."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "env" and isinstance(inner, str):
                yield inner
            elif key == "env" and isinstance(inner, list):
                yield from (name for name in inner if isinstance(name, str))
            else:
                yield from _variables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _variables(inner)


def prepare_home(settings: Settings) -> None:
    """Make the folders that everything is kept in, with Dagster's own configuration where there is none yet.

    Raises:
        ConfigurationError: Dagster was configured to keep its record elsewhere than `PRECEDE_DAGSTER_URL` says.
        PrecedeError: They cannot be made.
    """
    on_postgres = settings.dagster_url is not None
    try:
        for folder in (settings.home, settings.dagster_home, settings.exchange, settings.home / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
        configuration = settings.dagster_home / "dagster.yaml"
        if not configuration.exists():
            stated = (PROJECT / "dagster.yaml").read_text(encoding="utf-8")
            configuration.write_text(stated + _ON_POSTGRES * on_postgres, encoding="utf-8")
        named = DAGSTER_URL in configuration.read_text(encoding="utf-8")
    except OSError as error:
        raise PrecedeError(
            f"{error.filename or settings.home} cannot be made ({error.strerror}); needed a folder that this user may "
            "write to; point PRECEDE_HOME at one."
        ) from error
    if named is not on_postgres:
        found = f"{DAGSTER_URL}, which is not set" if named else f"no {DAGSTER_URL}, which is set"
        needed = f"it to keep Dagster's record where the environment says: set or unset {DAGSTER_URL}, or correct it"
        raise ConfigurationError(str(configuration), found, needed)

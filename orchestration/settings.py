"""The environment, read in one place: where Precede keeps things and which folders it works on.

A process is given only the variables it may see (`orchestration/work/dagster.py` starts the locations); this module
reads them and never writes them.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from orchestration.errors import ConfigurationError

PROJECT = Path(__file__).resolve().parent.parent


def _path(name: str, default: Path) -> Path:
    value = os.environ.get(name)
    return Path(value).expanduser().resolve() if value else default


def _number(name: str, default: int, needed: str) -> int:
    value = os.environ.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and int(value)):
        raise ConfigurationError(name, repr(value), f"{needed} such as {default}")
    return int(value)


@dataclass(frozen=True)
class Oidc:
    """Who says who people are, where it is an issuer of OpenID Connect rather than the people file.

    Attributes:
        issuer: `PRECEDE_OIDC_ISSUER`, as the claim `iss` states it.
        audience: `PRECEDE_OIDC_AUDIENCE`, as the claim `aud` states it.
        jwks: `PRECEDE_OIDC_JWKS`, the issuer's public keys: a file, or an address.
        roles: `PRECEDE_OIDC_ROLES`, the claim that holds roles; `roles` by default.
        name: `PRECEDE_OIDC_NAME`, the claim that names a person and nobody else, for ever; `sub` by default.
    """

    issuer: str
    audience: str
    jwks: str
    roles: str = "roles"
    name: str = "sub"


@dataclass(frozen=True)
class Settings:
    """Every path and address that the environment decides.

    Attributes:
        home: `PRECEDE_HOME`, the folder everything is kept in; `.precede` in the project by default.
        store_url: `PRECEDE_STORE_URL`, an SQLAlchemy URL; a SQLite file in `home` by default.
        sources: `PRECEDE_SOURCES`, folders of the source systems, one each.
        agents: `PRECEDE_AGENTS`, folders of the agents, one each.
        actions: `PRECEDE_ACTIONS`, the action types, one file each.
        tools: `PRECEDE_TOOLS`, the file that says how each tool server is started.
        exchange: `PRECEDE_EXCHANGE`, where batches pass between the coordinator and the agents.
        business_date: `PRECEDE_BUSINESS_DATE`, the day agents act on; today where it is not set.
        accept_missing: `PRECEDE_ACCEPT_MISSING`, systems that the next graph may lack; none by default.
    """

    home: Path = field(default_factory=lambda: _path("PRECEDE_HOME", PROJECT / ".precede"))
    sources: Path = field(default_factory=lambda: _path("PRECEDE_SOURCES", PROJECT / "insight" / "sources"))
    agents: Path = field(default_factory=lambda: _path("PRECEDE_AGENTS", PROJECT / "action" / "agents"))
    actions: Path = field(default_factory=lambda: _path("PRECEDE_ACTIONS", PROJECT / "orchestration" / "actions"))
    tools: Path = field(
        default_factory=lambda: _path("PRECEDE_TOOLS", PROJECT / "examples" / "northgate" / "tools" / "servers.yml")
    )

    @property
    def store_url(self) -> str:
        """Where the store is."""
        return os.environ.get("PRECEDE_STORE_URL") or f"sqlite:///{self.home / 'store.db'}"

    @property
    def exchange(self) -> Path:
        """Where the coordinator leaves trigger rows and agents leave proposals."""
        return _path("PRECEDE_EXCHANGE", self.home / "exchange")

    @property
    def business_date(self) -> date:
        """The day that triggers are evaluated on.

        Raises:
            ConfigurationError: `PRECEDE_BUSINESS_DATE` is no date.
        """
        value = os.environ.get("PRECEDE_BUSINESS_DATE")
        if not value:
            return date.today()  # noqa: DTZ011  the business's own calendar day
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise ConfigurationError("PRECEDE_BUSINESS_DATE", repr(value), "a date such as 2026-11-02") from error

    @property
    def people(self) -> Path:
        """`PRECEDE_PEOPLE`, the file of people and what they may do; `people.yml` in `home` by default."""
        return _path("PRECEDE_PEOPLE", self.home / "people.yml")

    @property
    def token(self) -> str | None:
        """`PRECEDE_TOKEN`, by which whoever runs a command is known; never to be printed, kept or passed on."""
        return os.environ.get("PRECEDE_TOKEN") or None

    @property
    def token_file(self) -> Path | None:
        """`PRECEDE_TOKEN_FILE`, a file that holds that token."""
        value = os.environ.get("PRECEDE_TOKEN_FILE")
        return Path(value).expanduser() if value else None

    @property
    def oidc(self) -> Oidc | None:
        """`PRECEDE_OIDC_…`, the issuer that says who people are; none where nothing of it is set.

        Raises:
            ConfigurationError: Only a part of it is set.
        """
        needed = ("PRECEDE_OIDC_ISSUER", "PRECEDE_OIDC_AUDIENCE", "PRECEDE_OIDC_JWKS")
        stated = {name: os.environ.get(name, "").strip() for name in needed}
        claims = {name: os.environ.get(f"PRECEDE_OIDC_{name.upper()}", "").strip() for name in ("roles", "name")}
        if not any(stated.values()) and not any(claims.values()):
            return None
        if missing := [name for name, value in stated.items() if not value]:
            raise ConfigurationError(", ".join(missing), "nothing", "all of PRECEDE_OIDC_ISSUER, _AUDIENCE and _JWKS")
        issuer, audience, jwks = stated.values()
        return Oidc(issuer, audience, jwks, **{name: value for name, value in claims.items() if value})

    @property
    def only_agents(self) -> frozenset[str]:
        """`PRECEDE_ONLY_AGENTS`, the agents that this code server runs, with commas between them; all by default."""
        stated = os.environ.get("PRECEDE_ONLY_AGENTS", "").split(",")
        return frozenset(name.strip() for name in stated if name.strip())

    @property
    def schedule(self) -> str:
        """`PRECEDE_SCHEDULE`, when the sources are read: a cron expression in UTC, every 15 minutes by default."""
        return os.environ.get("PRECEDE_SCHEDULE") or "*/15 * * * *"

    @property
    def rebuild_schedule(self) -> str:
        """`PRECEDE_REBUILD_SCHEDULE`, when everything is made anew: cron in UTC, Sunday at three by default."""
        return os.environ.get("PRECEDE_REBUILD_SCHEDULE") or "0 3 * * 0"

    @property
    def checkpoint_schedule(self) -> str:
        """`PRECEDE_CHECKPOINT_SCHEDULE`, when the ledger's head is signed: cron in UTC, every 15 minutes by default."""
        return os.environ.get("PRECEDE_CHECKPOINT_SCHEDULE") or "*/15 * * * *"

    @property
    def checkpoints(self) -> Path:
        """`PRECEDE_CHECKPOINTS`, the folder that signed heads of the ledger are written to; in `home` by default."""
        return _path("PRECEDE_CHECKPOINTS", self.home / "checkpoints")

    @property
    def keep_evidence_days(self) -> int | None:
        """`PRECEDE_KEEP_EVIDENCE_DAYS`, for how many days the evidence of a decision is kept; for ever by default.

        Raises:
            ConfigurationError: It is no whole number.
        """
        if not os.environ.get("PRECEDE_KEEP_EVIDENCE_DAYS"):
            return None
        return _number("PRECEDE_KEEP_EVIDENCE_DAYS", 365, "a whole number of days")

    @property
    def notify(self) -> tuple[str, ...]:
        """`PRECEDE_NOTIFY`, the program that tells people what happened, with its arguments; none by default.

        It is written as a shell would read it, and started without one.

        Raises:
            ConfigurationError: A quotation mark in it has no end.
        """
        stated = os.environ.get("PRECEDE_NOTIFY", "")
        try:
            return tuple(shlex.split(stated))
        except ValueError as error:
            raise ConfigurationError("PRECEDE_NOTIFY", repr(stated), "a program and its arguments") from error

    @property
    def unseen_hours(self) -> int:
        """`PRECEDE_UNSEEN_HOURS`, how long after an effect its system may be read without showing it; 24 by default.

        Raises:
            ConfigurationError: It is no whole number.
        """
        return _number("PRECEDE_UNSEEN_HOURS", 24, "a whole number of hours")

    @property
    def sensor_seconds(self) -> int:
        """`PRECEDE_SENSOR_SECONDS`, seconds between two looks of a sensor; 15 by default.

        Raises:
            ConfigurationError: It is no whole number of seconds.
        """
        return _number("PRECEDE_SENSOR_SECONDS", 15, "a whole number of seconds")

    @property
    def keep_graphs(self) -> int:
        """`PRECEDE_KEEP_GRAPHS`, how many of the last graphs are kept in any case; 5 by default.

        Raises:
            ConfigurationError: It is no whole number.
        """
        return _number("PRECEDE_KEEP_GRAPHS", 5, "a whole number of graphs")

    @property
    def keep_hours(self) -> int:
        """`PRECEDE_KEEP_HOURS`, for how many hours the last graph of each is kept; 24 by default.

        Raises:
            ConfigurationError: It is no whole number.
        """
        return _number("PRECEDE_KEEP_HOURS", 24, "a whole number of hours")

    @property
    def spark(self) -> str | None:
        """`PRECEDE_SPARK`, the address of the Spark that compares records in a full build; none by default."""
        return os.environ.get("PRECEDE_SPARK") or None

    @property
    def accept_missing(self) -> frozenset[str]:
        """`PRECEDE_ACCEPT_MISSING`, systems with commas between them that may be gone since the current graph."""
        stated = os.environ.get("PRECEDE_ACCEPT_MISSING", "").split(",")
        return frozenset(name.strip() for name in stated if name.strip())

    @property
    def example(self) -> bool:
        """Whether the example company is worked on: `PRECEDE_SOURCES` names no other systems."""
        return not os.environ.get("PRECEDE_SOURCES")

    @property
    def dagster_home(self) -> Path:
        """`DAGSTER_HOME`, the instance whose event log is the lineage."""
        return _path("DAGSTER_HOME", self.home / "dagster")

    @property
    def dagster_url(self) -> str | None:
        """`PRECEDE_DAGSTER_URL`, the Postgres database that Dagster keeps its own record in; SQLite by default.

        Raises:
            ConfigurationError: It is no URL of a Postgres database.
        """
        url = os.environ.get("PRECEDE_DAGSTER_URL") or None
        if url is not None and not url.startswith("postgresql+psycopg2://"):  # Dagster cannot use psycopg, our default
            needed = "`postgresql+psycopg2://user:password@host/database`"
            raise ConfigurationError("PRECEDE_DAGSTER_URL", "no URL of a Postgres database with that driver", needed)
        return url

    @property
    def landing(self) -> Path:
        """What was read from the sources, as Parquet named by content."""
        return self.home / "landing"

    @property
    def stages(self) -> Path:
        """Records, links and entities, as Parquet named by content."""
        return self.home / "stages"

    @property
    def snapshots(self) -> Path:
        """Published graphs, one `<snapshot>.duckdb` each."""
        return self.home / "graph"

    @property
    def graph_link(self) -> Path:
        """The current graph under a name that does not change, for analysts."""
        return self.home / "graph.duckdb"

    @property
    def audit(self) -> Path:
        """Published audit tables, a file each."""
        return self.home / "audit"

    @property
    def audit_link(self) -> Path:
        """The last audit tables under a name that does not change, for analysts."""
        return self.home / "audit.duckdb"

    @property
    def models(self) -> Path:
        """Linkage models trained here; the shipped ones stand where there is none."""
        return self.home / "models"

    @property
    def keys(self) -> Path:
        """The coordinator's signing key and its public half."""
        return self.home / "keys"

    @property
    def suppression_key(self) -> Path:
        """`PRECEDE_SUPPRESSION_KEY`, the key by which insight knows rows of people who were erased; in `keys`."""
        return _path("PRECEDE_SUPPRESSION_KEY", self.keys / "suppression.key")

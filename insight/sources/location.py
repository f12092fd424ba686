"""Where a source's data is: the address that `source.yml` and the environment give together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from insight.sources.source import Source
from orchestration.errors import SourceError

POSTGRES = ("postgresql", "postgres")


def locate(source: Source, home: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The address of a source: a Postgres URL, or the path of a SQLite file or of a folder of files.

    Args:
        source: The declaration.
        home: What `{home}` in a default stands for.
        environ: The environment; the process's own by default.

    Raises:
        SourceError: The environment gives none and there is no default, or it is of a kind that cannot be read.
    """
    url = source.url
    if isinstance(url, str):
        stated, where = _filled(source, url, home), f"{source.file}: url"
    elif environ.get(url.env):
        stated, where = environ[url.env], url.env
    elif url.default is not None:
        stated, where = _filled(source, url.default, home), f"{source.file}: url.default"
    else:
        raise SourceError(f"{source.file}: url.env", f"no variable {url.env}", f"the address of {source.system} in it")
    scheme = urlsplit(stated).scheme.split("+")[0] if "://" in stated else ""
    if source.kind == "sql" and scheme in POSTGRES:
        return _encoded("postgresql://" + stated.split("://", 1)[1])
    if source.kind == "sql" and scheme == "sqlite":
        return str(Path(stated.split("://", 1)[1].removeprefix("/")).expanduser().absolute())
    if scheme in {"", "file"}:
        return str(Path(stated.removeprefix("file://")).expanduser().absolute())
    needed = "sqlite:///PATH or postgresql://..." if source.kind == "sql" else "the path of a folder of files"
    raise SourceError(where, f"an address of the kind {scheme}://", needed)


def _encoded(url: str) -> str:
    """A Postgres URL as the driver wants it, where people wrote `?options=-csearch_path=erp`."""
    before, mark, query = url.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&"))
    return before + mark + "&".join(f"{name}{is_}{value.replace('=', '%3D')}" for name, is_, value in pairs)


def _filled(source: Source, template: str, home: Path) -> str:
    return template.replace("{home}", str(home)).replace("{source}", str(source.folder))

"""The write credential of a tool server: a file that it alone may read, or the example's own database."""

from __future__ import annotations

import os
from pathlib import Path

from orchestration.errors import ConfigurationError


def write_url(system: str) -> str:
    """Where a system is, with the credential to write to it.

    Args:
        system: What its variables begin with, such as `ERP`.

    Raises:
        ConfigurationError: The file is readable by others or says no URL; or there is none and no default either.
    """
    variable, wanted = f"{system}_CREDENTIALS", f"{system}_WRITE_URL"
    named = os.environ.get(variable, "")
    if named and Path(named).is_file():
        if Path(named).stat().st_mode & 0o077:
            raise ConfigurationError(named, "a credential that others may read", "mode 600 (chmod 600)")
        for line in Path(named).read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == wanted and value.strip():
                return value.strip()
        raise ConfigurationError(named, f"no {wanted}", f"a line `{wanted}=<database URL>`")
    if default := os.environ.get(f"{system}_DEFAULT_URL"):
        return default
    raise ConfigurationError(variable, named or "nothing", f"a file with a line `{wanted}=<database URL>`")

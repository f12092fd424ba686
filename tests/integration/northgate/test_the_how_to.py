"""What docs/how-to/northgate.md tells a reader to run does what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import adbc_driver_postgresql.dbapi
import pytest

from tests.documented import PROJECT, blocks

COMMANDS = [block.text.strip() for block in blocks("console") if block.where.startswith("docs/how-to/northgate.md")]


@pytest.mark.parametrize("command", COMMANDS)
def test_it_builds_what_it_says(command: str, tmp_path: Path, postgres_database: str) -> None:
    done = subprocess.run(  # noqa: S602  a reader types it into a shell
        command.replace("python", sys.executable, 1)
        .replace("elsewhere/northgate", str(tmp_path / "northgate"))
        .replace("postgresql://localhost/northgate", postgres_database),
        shell=True,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    elsewhere = "--erp" in command
    assert (tmp_path / "northgate" / "crm.db").exists()
    assert (tmp_path / "northgate" / "erp.db").exists() is not elsewhere
    if elsewhere:
        with adbc_driver_postgresql.dbapi.connect(postgres_database) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM customer")
            assert cursor.fetchone()[0] > 100


def test_both_of_its_commands_were_found() -> None:
    assert len(COMMANDS) == 2

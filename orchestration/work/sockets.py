"""A tool server behind a socket: it runs as a user of its own, and whoever may open the socket calls it.

    python -m orchestration.work.sockets serve SOCKET COMMAND...    as the tool server's user
    python -m orchestration.work.sockets connect SOCKET             what `PRECEDE_TOOLS` names as the server's command

A tool server speaks over its standard input and output. `serve` starts one for each caller, with the connection as
both; `connect` carries the coordinator's ends of them to the socket. Who may call is decided by the folder that the
socket is in: its owner and group alone may enter it.
"""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final, NoReturn

from orchestration.errors import ConfigurationError, PrecedeError

_PIECE: Final = 65_536
_OTHERS: Final = stat.S_IRWXO


def serve(path: Path, command: list[str]) -> NoReturn:
    """Start a tool server for each caller, for ever.

    Raises:
        ConfigurationError: Others than the folder's owner and group could reach the socket.
    """
    mode = path.parent.stat().st_mode
    if mode & _OTHERS:
        raise ConfigurationError(
            str(path.parent), f"mode {mode & 0o7777:o}", "a folder that others may not enter (2750)"
        )
    path.unlink(missing_ok=True)
    running: list[subprocess.Popen[bytes]] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        path.chmod(0o660)
        listening.listen()
        while True:
            caller, _ = listening.accept()
            running = [child for child in running if child.poll() is None]
            with caller:
                ends = caller.fileno()
                running.append(subprocess.Popen(command, stdin=ends, stdout=ends))  # noqa: S603  from the unit's file


def connect(path: Path, incoming: int = 0, outgoing: int = 1) -> None:
    """Carry bytes between two handles and the socket until the tool server is through.

    Raises:
        PrecedeError: Nobody serves there, or this user may not call.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        try:
            server.connect(str(path))
        except OSError as error:
            raise PrecedeError(
                f"The tool server at {path} could not be reached ({error.strerror}); needed one that serves there and "
                "leave to call it; start it, or let this user's group enter the folder."
            ) from error
        threading.Thread(target=_send, args=(incoming, server), daemon=True).start()
        while piece := server.recv(_PIECE):
            _write(outgoing, piece)


def _send(incoming: int, server: socket.socket) -> None:
    while piece := os.read(incoming, _PIECE):
        server.sendall(piece)
    server.shutdown(socket.SHUT_WR)


def _write(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]


def main(arguments: list[str]) -> int:
    """Serve or connect, as the command line says; 1 where that cannot be."""
    try:
        match arguments:
            case ["serve", path, *command] if command:
                serve(Path(path), command)
            case ["connect", path]:
                connect(Path(path))
            case _:
                raise ConfigurationError(
                    " ".join(arguments) or "nothing", "no such call", "serve SOCKET COMMAND, or connect"
                )
    except PrecedeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # a caller that still holds its end open would keep this process

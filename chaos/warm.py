"""Tool servers from a process that has everything loaded: `python -m chaos.warm SOCKET`.

Each that is asked for is forked from it, with its own standard streams and environment, and then is the product's own
server. Loading Python anew for each of hundreds would take longer than all that they do.
"""

from __future__ import annotations

import array
import json
import os
import random
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Final

from chaos import fuse
from examples.northgate.tools import erp

MOST: Final = 65_536
BURNS: Final = 0.6
"""How many of the servers that may have a fuse get one."""


def main(path: str) -> None:
    """Fork a server for everyone who connects, until the process is ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(path)
        listening.listen(64)
        while True:
            asked, _ = listening.accept()
            with asked:
                _fork(asked)


def _fork(asked: socket.socket) -> None:
    content, ancillary, _, _ = asked.recvmsg(MOST, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    streams = _descriptors(ancillary)
    if len(streams) == 3 and os.fork() == 0:  # noqa: PLR2004  in, out, and errors
        try:
            _become(json.loads(content), streams)
        finally:
            os._exit(0)
    for each in streams:
        os.close(each)


def _descriptors(ancillary: list[Any]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data)
    return list(found)


def _become(said: dict[str, Any], streams: list[int]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
    os.environ.clear()
    os.environ.update(said["environment"])
    place = Path(said["environment"]["CHAOS_PLACE"])
    (place / "started" / str(os.getpid())).touch()
    os.dup2(os.open(place / "servers.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    longest = int(os.environ.get(fuse.VARIABLE) or 0)
    chance = random.Random()
    burns = longest and chance.random() < BURNS
    fuse.lay(chance.randint(1, longest) if burns else None, place / "killed")
    erp.main()


if __name__ == "__main__":
    main(sys.argv[1])

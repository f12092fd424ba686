"""What a tool server is started by: hands its own streams to `chaos.warm`, and is there for as long as the server is.

It loads nothing, so that starting it takes no time: run it as `python -S -E start.py SOCKET`.
"""

import json
import os
import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
    asking.connect(sys.argv[1])
    said = json.dumps({"environment": dict(os.environ)}).encode()
    socket.send_fds(asking, [said], [0, 1, 2])
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    asking.recv(1)  # ends when the server has gone

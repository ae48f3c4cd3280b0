"""Small programs for a supervisor to run: `python children.py KIND [ARGUMENT …]`.

Each is what some server does at its worst. Standard library only.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time


def serve(port: str) -> None:
    """Listen on a port until told to end."""
    with socket.create_server(("127.0.0.1", int(port))) as server:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        print("serving", flush=True)
        while True:
            server.accept()[0].close()


def stubborn(port: str) -> None:
    """Listen on a port and ignore every polite signal."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with socket.create_server(("127.0.0.1", int(port))) as server:
        while True:
            server.accept()[0].close()


def family(port: str) -> None:
    """Start a stubborn child in a session of its own, with a clean environment, then serve."""
    subprocess.Popen([sys.executable, __file__, "stubborn", str(int(port) + 1)])
    subprocess.Popen(
        [sys.executable, __file__, "stubborn", str(int(port) + 2)], start_new_session=True
    )
    serve(port)


def crash(code: str) -> None:
    """Say why and end with a code."""
    print("no database at this address", flush=True)
    sys.exit(int(code))


def never_ready() -> None:
    """Live without ever serving."""
    while True:
        time.sleep(60)


if __name__ == "__main__":
    os.umask(0o077)
    {f.__name__: f for f in (serve, stubborn, family, crash, never_ready)}[sys.argv[1]](
        *sys.argv[2:]
    )

"""Free TCP ports on the loopback address for servers that tests start."""

from __future__ import annotations

import random
import socket
import time

# Below the ports Linux hands to outgoing connections, above the program's own, beside the readers'.
_RANGE = range(12_000, 28_000)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing holds at this moment.

    No outgoing connection can take it before the server that is to listen there does; two callers
    meet by chance only.
    """
    chance = random.SystemRandom()
    while True:
        port = chance.choice(_RANGE)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Say whether something accepts connections on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0


def wait_listening(port: int, *, timeout_seconds: float = 20.0) -> None:
    """Return as soon as the port accepts connections; raise TimeoutError after the deadline."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if is_listening(port):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on 127.0.0.1:{port} after {timeout_seconds:.0f} s")

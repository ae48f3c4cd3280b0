"""Free TCP ports on the loopback address for servers that tests start."""

from __future__ import annotations

import socket
import time


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on at this moment.

    The kernel hands these numbers out in turn, so two calls close together do not collide.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
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

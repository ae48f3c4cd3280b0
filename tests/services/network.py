"""Keeps tests on this machine: a connection that would leave loopback raises at once."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class TrafficLeavesMachineError(AssertionError):
    """A test tried to reach another machine."""


def is_loopback(address: object) -> bool:
    """Say whether a socket address stays on this machine (a file-system socket does too)."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    if host in {"localhost", "", "0.0.0.0", "::"}:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@contextmanager
def only_loopback() -> Iterator[None]:
    """Refuse connects and datagrams to any other machine inside the block."""
    original_connect = socket.socket.connect
    original_connect_ex = socket.socket.connect_ex
    original_sendto = socket.socket.sendto
    original_getaddrinfo = socket.getaddrinfo

    def check(address: object) -> None:
        if not is_loopback(address):
            raise TrafficLeavesMachineError(f"tests talk to loopback only, not to {address!r}")

    def connect(self: socket.socket, address: Any) -> None:
        check(address)
        original_connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        check(address)
        return original_connect_ex(self, address)

    def sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        check(rest[-1])
        return original_sendto(self, data, *rest)

    def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
        # Looking a name up is traffic of its own.
        name = host.decode() if isinstance(host, bytes) else host
        check((name or "",))
        return original_getaddrinfo(host, *rest, **options)

    guarded: Any = socket.socket
    library: Any = socket
    library.getaddrinfo = getaddrinfo
    guarded.connect, guarded.connect_ex, guarded.sendto = connect, connect_ex, sendto
    try:
        yield
    finally:
        guarded.connect = original_connect
        guarded.connect_ex = original_connect_ex
        guarded.sendto = original_sendto
        library.getaddrinfo = original_getaddrinfo

"""A TCP connection to a device (port 9100 printers, serial servers)."""

from __future__ import annotations

import select
import socket

from hardware_drivers.errors import TransientError


class TcpTransport:
    """One connection to host:port, made on first use."""

    def __init__(self, host: str, port: int, connect_timeout: float = 3.0) -> None:
        self.host = host
        self.port = port
        self._connect_timeout = connect_timeout
        self._socket: socket.socket | None = None

    def _open(self) -> socket.socket:
        if self._socket is None:
            try:
                link = socket.create_connection((self.host, self.port), self._connect_timeout)
            except OSError as error:
                raise TransientError("unreachable", f"{self.host}:{self.port}") from error
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = link
        return self._socket

    def write(self, data: bytes) -> None:
        """Send all of `data`; see ByteTransport.write."""
        link = self._open()
        try:
            link.sendall(data)
        except OSError as error:
            self.close()
            raise TransientError("connection_lost", f"{self.host}:{self.port}") from error

    def read(self, size: int, timeout: float) -> bytes:
        """Return what is there, at most `size` bytes; see ByteTransport.read."""
        link = self._open()
        try:
            if not select.select([link], [], [], timeout)[0]:
                return b""
            data = link.recv(size)
        except (OSError, ValueError) as error:
            self.close()
            raise TransientError("connection_lost", f"{self.host}:{self.port}") from error
        if not data:
            self.close()
            raise TransientError("connection_lost", f"{self.host}:{self.port} closed by the device")
        return data

    def discard_input(self) -> None:
        """Drop bytes received so far."""
        while self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            self.read(4096, 0)

    def close(self) -> None:
        """Close the connection; the next use makes a new one."""
        link, self._socket = self._socket, None
        if link is not None:
            link.close()

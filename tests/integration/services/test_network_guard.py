"""Tests cannot reach another machine."""

from __future__ import annotations

import socket

import pytest

from tests.services.network import TrafficLeavesMachineError


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org"])
def test_a_connection_elsewhere_is_refused_before_it_is_made(host: str) -> None:
    with socket.socket() as client, pytest.raises(TrafficLeavesMachineError, match=host):
        client.connect((host, 80))


def test_a_name_elsewhere_is_not_looked_up() -> None:
    with pytest.raises(TrafficLeavesMachineError, match=r"example\.org"):
        socket.create_connection(("example.org", 80), timeout=1)


def test_a_datagram_elsewhere_is_refused() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as client,
        pytest.raises(TrafficLeavesMachineError),
    ):
        client.sendto(b"x", ("192.0.2.1", 53))


def test_loopback_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            client.sendall(b"x")
        peer, _ = server.accept()
        with peer:
            assert peer.recv(1) == b"x"

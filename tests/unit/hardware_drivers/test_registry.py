"""Addresses in a kiosk's configuration."""

from __future__ import annotations

import pytest

from hardware_drivers.errors import PermanentError
from hardware_drivers.registry import (
    open_byte_transport,
    open_card_reader,
    open_id_reader,
    open_printer,
    open_scanner,
)
from hardware_drivers.transports.serial_port import SerialTransport
from hardware_drivers.transports.tcp import TcpTransport


def test_addresses_become_wires_without_touching_anything() -> None:
    serial = open_byte_transport("serial:///dev/none?baud=9600")
    assert isinstance(serial, SerialTransport)
    assert (serial.path, serial.baud) == ("/dev/none", 9600)
    network = open_byte_transport("tcp://192.0.2.7:9100")
    assert isinstance(network, TcpTransport)
    assert (network.host, network.port) == ("192.0.2.7", 9100)
    open_card_reader("pcsc://Xinglin%20Kiosk%200")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "tcp://host",
        "tcp://host:99999",
        "serial://dev/x",
        "serial:///dev/x?baud=fast",
        "http://x:1",
        "usb:1",
    ],
)
def test_a_bad_address_is_named(address: str) -> None:
    with pytest.raises(PermanentError) as caught:
        open_printer(address)
    assert caught.value.code == "bad_address"
    with pytest.raises(PermanentError):
        open_card_reader(address)


def test_a_device_that_is_not_there_is_not_alive() -> None:
    assert not open_id_reader("serial:///dev/xinglin-none").is_alive()
    assert not open_scanner("serial:///dev/xinglin-none").is_alive()
    assert open_printer("tcp://127.0.0.1:1").status().problem == "unreachable"

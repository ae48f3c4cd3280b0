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
from hardware_drivers.smart_card.pcsc import PcscCardReader
from hardware_drivers.smart_card.protocol import ContactlessProfile, ContactProfile
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
    ("query", "profile"),
    [
        ("", ContactlessProfile()),
        ("?block=8", ContactlessProfile(block=8)),
        (
            "?block=9&key=000102030405&key_type=B",
            ContactlessProfile(block=9, key=bytes(range(6)), key_type=0x61),
        ),
        ("?offset=0", ContactProfile()),
        (
            "?application=A000000003&file_id=EF06&offset=2&length=16",
            ContactProfile(bytes.fromhex("A000000003"), bytes.fromhex("EF06"), 2, 16),
        ),
    ],
)
def test_where_the_number_is_on_a_card_is_said_by_the_address(
    query: str, profile: ContactlessProfile | ContactProfile
) -> None:
    reader = open_card_reader(f"pcsc://Reader%20Name{query}")
    assert isinstance(reader, PcscCardReader)
    assert reader._profile == profile


@pytest.mark.parametrize(
    "query",
    [
        "block=256",
        "block=",
        "key=00",
        "key=secret",
        "key_type=C",
        "sector=1",
        "block=4&file_id=EF05",
        "file_id=EF",
        "offset=32768",
        "length=0",
    ],
)
def test_a_card_profile_that_no_card_has_is_a_bad_address_without_the_key(query: str) -> None:
    with pytest.raises(PermanentError) as caught:
        open_card_reader(f"pcsc://Reader?{query}")
    assert caught.value.code == "bad_address"
    assert "secret" not in str(caught.value)


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

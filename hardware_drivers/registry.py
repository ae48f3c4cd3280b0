"""Opening drivers from the addresses in a kiosk's configuration.

`serial:///dev/ttyS1?baud=115200`, `tcp://192.0.2.7:9100`, `pcsc://Reader%20Name?block=8`. Nothing
is touched here: wires open on first use, so a kiosk starts with a device unplugged and says so by
its status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from hardware_drivers.errors import PermanentError
from hardware_drivers.id_card.ga467 import Ga467Reader
from hardware_drivers.id_card.protocol import IdCardReader
from hardware_drivers.receipt_printer.escpos import EscPosPrinter
from hardware_drivers.receipt_printer.protocol import ReceiptPrinter
from hardware_drivers.scanner.protocol import Scanner
from hardware_drivers.scanner.serial_line import SerialScanner
from hardware_drivers.smart_card.pcsc import PcscCardReader
from hardware_drivers.smart_card.protocol import CardReader, ContactlessProfile, ContactProfile
from hardware_drivers.transports.base import ByteTransport
from hardware_drivers.transports.pcsc import PcscTransport
from hardware_drivers.transports.serial_port import SerialTransport
from hardware_drivers.transports.tcp import TcpTransport


def open_id_reader(url: str) -> IdCardReader:
    """A GA 467 reader. Raises PermanentError `bad_address`."""
    return Ga467Reader(open_byte_transport(url))


def open_card_reader(url: str) -> CardReader:
    """A PC/SC card reader. The address's query is the card profile, where the site wrote the number:
    `?block=8&key=A0A1A2A3A4A5&key_type=B` or `?application=D1560000025774&file_id=EF05&offset=0&length=32`;
    what is left out is the profile's default, without a query ContactlessProfile's.

    Raises PermanentError `bad_address`, which never names the key.
    """
    address, _, query = url.partition("?")
    parts = urlsplit(address)
    name = unquote(parts.netloc)
    if parts.scheme != "pcsc" or not name or parts.path not in ("", "/"):
        raise PermanentError("bad_address", f"not a pcsc:// address: {address}")
    return PcscCardReader(PcscTransport(name), _card_profile(query))


def open_printer(url: str) -> ReceiptPrinter:
    """An ESC/POS receipt printer. Raises PermanentError `bad_address`."""
    return EscPosPrinter(open_byte_transport(url))


def open_scanner(url: str) -> Scanner:
    """A serial scanner (9600 8N1 unless the address says otherwise). Raises PermanentError
    `bad_address`.
    """
    return SerialScanner(open_byte_transport(url, default_baud=9600))


def open_byte_transport(url: str, *, default_baud: int = 115200) -> ByteTransport:
    """The wire of a serial:// or tcp:// address, not yet opened. Raises PermanentError
    `bad_address`.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme == "serial" and not parts.netloc and parts.path.startswith("/"):
            baud = int(parse_qs(parts.query).get("baud", [str(default_baud)])[0])
            if baud > 0:
                return SerialTransport(unquote(parts.path), baud)
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            return TcpTransport(parts.hostname, parts.port)
    except ValueError as error:
        raise PermanentError("bad_address", url) from error
    raise PermanentError("bad_address", f"neither serial:///path nor tcp://host:port: {url}")


def _card_profile(query: str) -> ContactlessProfile | ContactProfile:
    given = dict(parse_qsl(query, keep_blank_values=True))
    kind, fields = (
        (ContactProfile, _CONTACT)
        if given.keys() & _CONTACT
        else (ContactlessProfile, _CONTACTLESS)
    )
    values: dict[str, Any] = {}
    for name, words in given.items():
        try:
            values[name] = fields[name](words)
        except (KeyError, ValueError):
            raise PermanentError("bad_address", f"card profile: {name}") from None
    return kind(**values)


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(words: str) -> int:
        if not least <= (number := int(words)) <= most:
            raise ValueError
        return number

    return parse


def _hex(least: int, most: int) -> Callable[[str], bytes]:
    def parse(words: str) -> bytes:
        if not least <= len(value := bytes.fromhex(words)) <= most:
            raise ValueError
        return value

    return parse


_CONTACTLESS: Mapping[str, Callable[[str], object]] = {
    "block": _number(0, 255),
    "key": _hex(6, 6),
    "key_type": {"A": 0x60, "B": 0x61}.__getitem__,
}
#: An application's name has 5 to 16 bytes; READ BINARY has 15 bits for the offset, one byte for the length.
_CONTACT: Mapping[str, Callable[[str], object]] = {
    "application": _hex(5, 16),
    "file_id": _hex(2, 2),
    "offset": _number(0, 0x7FFF),
    "length": _number(1, 256),
}

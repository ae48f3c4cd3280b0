"""Opening drivers from the addresses in a kiosk's configuration.

`serial:///dev/ttyS1?baud=115200`, `tcp://192.0.2.7:9100`, `pcsc://Reader%20Name`. Nothing is
touched here: wires open on first use, so a kiosk starts with a device unplugged and says so by its
status.
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

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


def open_card_reader(
    url: str, profile: ContactlessProfile | ContactProfile | None = None
) -> CardReader:
    """A PC/SC card reader; the profile is where the site wrote the number. Raises PermanentError
    `bad_address`.
    """
    parts = urlsplit(url)
    name = unquote(parts.netloc)
    if parts.scheme != "pcsc" or not name or parts.path not in ("", "/"):
        raise PermanentError("bad_address", f"not a pcsc:// address: {url}")
    return PcscCardReader(PcscTransport(name), profile or ContactlessProfile())


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

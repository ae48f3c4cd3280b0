"""The devices of all kiosks, up and running, and the file that tells kiosks where they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hardware_drivers.simulators.id_reader import IdReaderOnPty
from hardware_drivers.simulators.pcscd import VirtualReader, leased_readers
from hardware_drivers.simulators.printer.server import PrinterSimulator
from hardware_drivers.simulators.scanner import ScannerSimulator
from hardware_drivers.simulators.vpcd_slot import VirtualSlot

DEVICES_FILE = "devices.json"


@dataclass(frozen=True)
class KioskDevices:
    """What hangs on one kiosk."""

    index: int
    id_reader: IdReaderOnPty
    scanner: ScannerSimulator
    printer: PrinterSimulator
    slot: VirtualSlot
    reader: VirtualReader

    def addresses(self) -> dict[str, object]:
        """This kiosk's part of devices.json."""
        return {
            "index": self.index,
            "id_reader": self.id_reader.port.url,
            "card_reader": f"pcsc://{quote(self.reader.name)}",
            "printer": self.printer.url,
            "scanner": self.scanner.port.url,
        }


@contextmanager
def running_devices(
    directory: Path,
    kiosks: int,
    *,
    reader_set: str = "kiosk",
    wait: float = 0.0,
    first_printer_port: int = 0,
) -> Iterator[list[KioskDevices]]:
    """Start all devices of `kiosks` kiosks (1..4) and write devices.json; take everything down
    afterwards.

    Printers listen on `first_printer_port` and the ports after it, or on free ones when it is 0:
    fixed ports let kiosks run on while the bench is restarted. Raises OSError when one is busy,
    PcscdError (with what to type) when virtual card readers cannot be had within `wait` seconds.
    """
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / DEVICES_FILE
    target.unlink(missing_ok=True)
    with ExitStack() as stack:
        readers = stack.enter_context(leased_readers(reader_set, kiosks, wait=wait))
        found = []
        for index, reader in enumerate(readers):
            printer_port = first_printer_port + index if first_printer_port else 0
            found.append(_start(stack, directory, index, reader, printer_port))
        stack.callback(target.unlink, missing_ok=True)
        # Written whole at the end: who sees the file may open every device in it.
        temporary = directory / f".{DEVICES_FILE}.new"
        content = {"kiosks": [each.addresses() for each in found]}
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        temporary.replace(target)
        yield found


def _start(
    stack: ExitStack, directory: Path, index: int, reader: VirtualReader, printer_port: int
) -> KioskDevices:
    id_reader = IdReaderOnPty(directory / f"kiosk{index}-id")
    stack.callback(id_reader.close)
    scanner = ScannerSimulator(directory / f"kiosk{index}-scanner")
    stack.callback(scanner.close)
    printer = PrinterSimulator(printer_port)
    stack.callback(printer.close)
    slot = VirtualSlot(reader.port)
    stack.callback(slot.remove)
    return KioskDevices(index, id_reader, scanner, printer, slot, reader)

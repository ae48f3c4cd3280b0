"""Real far ends: ptys, a TCP printer, and pcscd with a virtual reader of its own, held for the
whole run.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware_drivers.simulators.id_reader import IdReaderOnPty
from hardware_drivers.simulators.pcscd import VirtualReader, leased_readers
from hardware_drivers.simulators.printer.server import PrinterSimulator
from hardware_drivers.simulators.scanner import ScannerSimulator
from hardware_drivers.simulators.vpcd_slot import VirtualSlot
from tests.services import used
from tests.services.card_slots import card_slot


@pytest.fixture(scope="session")
def virtual_reader() -> Iterator[VirtualReader]:
    """One virtual reader for this process alone; fails (with what to type) when pcscd cannot be
    had.
    """
    with leased_readers("test", 1, wait=60) as readers:
        version = subprocess.run(
            ["pcscd", "--version"], capture_output=True, text=True, check=True
        ).stdout
        used.record("pcscd", f"{version.split()[2].rstrip('.')}, virtual reader {readers[0].name}")
        yield readers[0]


@pytest.fixture
def slot(virtual_reader: VirtualReader) -> Iterator[VirtualSlot]:
    """The reader's slot, empty before and after."""
    with card_slot(virtual_reader) as slot:
        yield slot


@pytest.fixture
def id_reader(tmp_path: Path) -> Iterator[IdReaderOnPty]:
    """An ID reader on a pty."""
    reader = IdReaderOnPty(tmp_path / "id")
    yield reader
    reader.close()


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[ScannerSimulator]:
    """A scanner on a pty."""
    scanner = ScannerSimulator(tmp_path / "scanner")
    yield scanner
    scanner.close()


@pytest.fixture
def printer() -> Iterator[PrinterSimulator]:
    """A printer on a free TCP port."""
    printer = PrinterSimulator()
    yield printer
    printer.close()

"""The receipt printer: its state every few seconds, and prints for the print desk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

from hardware_drivers import registry
from hardware_drivers.receipt_printer import (
    PaperState,
    PrinterStatus,
    PrintOutcome,
    PrintState,
    Receipt,
    ReceiptPrinter,
)
from kiosk_agent.devices.addresses import Addresses
from kiosk_agent.devices.worker import Closable, DeviceWorker

STATUS_SECONDS = 2.0


class PrinterWorker(DeviceWorker):
    """Watches the printer; a print asked for while it is away ends as failed at once."""

    name = "printer"

    def __init__(self, addresses: Addresses, on_state: Callable[[str, str], None]) -> None:
        super().__init__(addresses, on_state)
        self._lock = threading.Lock()
        self._driver: ReceiptPrinter | None = None

    def open(self, address: str) -> Closable:
        """The driver at `address`, kept for prints."""
        driver = registry.open_printer(address)
        with self._lock:
            self._driver = driver
        return driver

    def work(self, driver: Closable) -> None:
        """Ask for the state, say it, rest."""
        self.say(state_of(cast(ReceiptPrinter, driver).status()))
        self._stop.wait(STATUS_SECONDS)

    def print(self, receipt: Receipt, job_id: str) -> PrintOutcome:
        """Print and confirm. Never raises for what the device does; ValueError for a receipt no
        printer can print."""
        with self._lock:
            driver = self._driver
        if driver is None:
            return PrintOutcome(job_id, PrintState.FAILED, "unreachable")
        outcome = driver.print(receipt, job_id)
        if outcome.status is not None:
            self.say(state_of(outcome.status))
        return outcome


def state_of(status: PrinterStatus) -> str:
    """The printer's state as one word: ok, paper_near_end, or the code of its problem."""
    if status.problem:
        return status.problem
    return "paper_near_end" if status.paper is PaperState.NEAR_END else "ok"

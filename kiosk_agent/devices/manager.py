"""All devices of one kiosk: starts them, gathers their states, ends them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kiosk_agent.devices.addresses import Addresses
from kiosk_agent.devices.printer import PrinterWorker
from kiosk_agent.devices.readers import HospitalCardWorker, IdCardWorker, ScannerWorker
from kiosk_agent.flows.events import DevicesChanged, Event
from kiosk_agent.flows.state import Devices

_PAPER = {"paper_out": "out", "paper_near_end": "near_end"}


class DeviceManager:
    """Owns the device threads; `printer` prints, `report` is what the heartbeat says."""

    def __init__(self, addresses: Addresses, post: Callable[[Event], None]) -> None:
        self._post = post
        self._lock = threading.Lock()
        self._devices = Devices("starting", "starting", "starting", "starting")
        self.printer = PrinterWorker(addresses, self._changed)
        self._workers = (
            IdCardWorker(addresses, self._changed, post),
            HospitalCardWorker(addresses, self._changed, post),
            ScannerWorker(addresses, self._changed, post),
            self.printer,
        )

    def start(self) -> None:
        """Begin to watch all devices."""
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End all device threads (each within about a second)."""
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.join()

    def current(self) -> Devices:
        """The devices as last seen."""
        with self._lock:
            return self._devices

    def report(self) -> dict[str, Any]:
        """The devices as the heartbeat tells them."""
        devices = self.current()
        printer = "ok" if devices.printer == "paper_near_end" else devices.printer
        return {
            "printer": {"state": printer, "paper": _PAPER.get(devices.printer, "ok")},
            "id_reader": {"state": devices.id_reader},
            "card_reader": {"state": devices.card_reader},
            "scanner": {"state": devices.scanner},
        }

    def _changed(self, device: str, state: str) -> None:
        with self._lock:
            self._devices = replace(self._devices, **{device: state})
            devices = self._devices
        self._post(DevicesChanged(devices))

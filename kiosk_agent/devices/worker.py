"""The thread behind one device: open, work, say its state, come back after a loss."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

import structlog

from hardware_drivers.errors import DeviceError
from kiosk_agent.devices.addresses import Addresses

log = structlog.get_logger("kiosk.devices")

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0
# Codes that say the device itself is not there, as opposed to a card that cannot be read.
LOST = frozenset({"unreachable", "connection_lost", "no_reader", "bad_address", "no_pcsc"})


class Closable(Protocol):
    """What every driver can do."""

    def close(self) -> None:
        """Let go of the device."""


class DeviceWorker(ABC):
    """Runs `work` over and over on an open driver; subclasses say how to open and what to do."""

    name: str

    def __init__(self, addresses: Addresses, on_state: Callable[[str, str], None]) -> None:
        self._addresses = addresses
        self._on_state = on_state
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._state = ""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; `join` waits for it."""
        self._stop.set()

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    @abstractmethod
    def open(self, address: str) -> Closable:
        """The driver at `address`."""

    @abstractmethod
    def work(self, driver: Closable) -> None:
        """One round. Raises DeviceError with a code in LOST when the device is gone."""

    def say(self, state: str) -> None:
        """Tell the device's state once it differs."""
        if state != self._state:
            self._state = state
            log.info("device_state", device=self.name, state=state)
            self._on_state(self.name, state)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            address = self._addresses.get(self.name)
            if address is None:
                self.say("not_configured")
            elif self._work_until_lost(address):
                pause = FIRST_PAUSE
            if self._stop.wait(pause):
                return
            pause = min(pause * 2, LONGEST_PAUSE)

    def _work_until_lost(self, address: str) -> bool:
        """Work on the device until it is lost; answers whether it worked at all."""
        has_worked = False
        driver: Closable | None = None
        try:
            driver = self.open(address)
            while not self._stop.is_set():
                self.work(driver)
                has_worked = True
        except DeviceError as error:
            self.say(error.code)
        except Exception as error:  # noqa: BLE001 (a device must never take the kiosk down)
            log.error("device_broken", device=self.name, kind=type(error).__name__)
            self.say("broken")
        finally:
            if driver is not None:
                driver.close()
        return has_worked

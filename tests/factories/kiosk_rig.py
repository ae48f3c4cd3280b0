"""A whole kiosk for tests: the real agent over real wires, with simulated far ends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from hardware_drivers.simulators.id_reader import IdReaderOnPty, PrintedCard
from hardware_drivers.simulators.printer.server import PrinterSimulator
from hardware_drivers.simulators.scanner import ScannerSimulator
from kiosk_agent.agent import Agent
from kiosk_agent.settings import Settings
from tests.factories.kiosk_backend import CODE, KioskBackend, running_backend

WAIT_SECONDS = 20.0


def id_card(valid_until: str = "长期") -> PrintedCard:
    """A resident ID card with a right check character."""
    number = "11010519800101003"
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number))
    return PrintedCard(
        name="张小三",
        sex="1",
        ethnic_group="01",
        birth_date="19800101",
        address="北京市朝阳区杏林路 1 号",
        number=number + "10X98765432"[total % 11],
        authority="北京市公安局朝阳分局",
        valid_from="20200101",
        valid_until=valid_until,
    )


@dataclass
class Screen:
    """One screen document."""

    document: dict[str, Any]

    @property
    def no(self) -> int:
        """Its number."""
        return int(self.document["no"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["name"])

    @property
    def title(self) -> str:
        """Its heading."""
        return str(self.document["title"])

    @property
    def data(self) -> dict[str, Any]:
        """Its facts."""
        data: dict[str, Any] = self.document["data"]
        return data


class Glass:
    """The kiosk's touch screen as whoever drives it sees it: plain HTTP."""

    def __init__(self, base: str) -> None:
        self.base = base

    def see(self) -> Screen:
        """What is shown."""
        return Screen(requests.get(f"{self.base}/api/screen", timeout=5).json())

    def wait(self, wanted: Callable[[Screen], bool]) -> Screen:
        """The first screen that is `wanted`, by long poll; AssertionError after the deadline."""
        deadline = time.monotonic() + WAIT_SECONDS
        screen = self.see()
        while not wanted(screen):
            left = deadline - time.monotonic()
            assert left > 0, screen.document
            address = f"{self.base}/api/screen?after={screen.no}&wait={min(left, 5):.1f}"
            screen = Screen(requests.get(address, timeout=30).json())
        return screen

    def wait_for(self, name: str) -> Screen:
        """The screen called `name`."""
        return self.wait(lambda screen: screen.name == name)

    def touch(self, action: str, value: str = "", *, no: int | None = None) -> requests.Response:
        """Touch a button of the shown screen (or of screen `no`)."""
        number = self.see().no if no is None else no
        body = {"no": number, "action": action, "value": value}
        return requests.post(f"{self.base}/api/actions", json=body, timeout=10)

    def press(self, action: str, value: str = "") -> Screen:
        """Touch a button; it must be taken."""
        answer = self.touch(action, value)
        assert answer.status_code == 200, answer.text
        return Screen(answer.json())

    def picture(self) -> bytes:
        """The code on the screen."""
        answer = requests.get(f"{self.base}/api/qr.png", timeout=5)
        assert answer.status_code == 200
        return answer.content


@dataclass
class Rig:
    """A running kiosk with everything around it."""

    agent: Agent
    glass: Glass
    backend: KioskBackend
    id_reader: IdReaderOnPty
    scanner: ScannerSimulator
    printer: PrinterSimulator
    devices_file: Path

    def put_id_card(self) -> None:
        """Lay an ID card on the reader."""
        self.id_reader.reader.put(id_card())

    def printed(self) -> list[str]:
        """The text of every piece of paper, oldest first."""
        return [receipt.text for receipt in reversed(self.printer.mechanism.receipts())]


@contextmanager
def far_ends(directory: Path, *, card_reader: str = "") -> Iterator[dict[str, Any]]:
    """ID reader, scanner and printer, and the devices file that names them."""
    with ExitStack() as stack:
        id_reader = IdReaderOnPty(directory / "id")
        stack.callback(id_reader.close)
        scanner = ScannerSimulator(directory / "scanner")
        stack.callback(scanner.close)
        printer = PrinterSimulator()
        stack.callback(printer.close)
        entry = {
            "index": 0,
            "id_reader": id_reader.port.url,
            "scanner": scanner.port.url,
            "printer": printer.url,
        }
        if card_reader:
            entry["card_reader"] = f"pcsc://{quote(card_reader)}"
        path = directory / "devices.json"
        path.write_text(json.dumps({"kiosks": [entry]}), encoding="utf-8")
        yield {
            "id_reader": id_reader,
            "scanner": scanner,
            "printer": printer,
            "devices_file": path,
        }


@contextmanager
def running_kiosk(directory: Path, *, card_reader: str = "", **options: Any) -> Iterator[Rig]:
    """A kiosk in service; `options` are settings of the agent."""
    with (
        running_backend() as backend,
        far_ends(directory, card_reader=card_reader) as devices,
    ):
        settings = Settings(
            port=0,
            backend=backend.url,
            state_dir=directory / "state",
            devices=devices["devices_file"],
            enrolment_code=CODE,
            **{"heartbeat_seconds": 0.5, **options},
        )
        agent = Agent(settings)
        agent.start()
        serving = threading.Thread(target=agent.serve, name="serve")
        serving.start()
        rig = Rig(agent, Glass(f"http://127.0.0.1:{agent.port}"), backend, **devices)
        try:
            rig.glass.wait_for("home")
            wait_until(lambda: agent.devices.current().printer == "ok")
            yield rig
        finally:
            agent.stop_serving()
            serving.join()
            agent.stop()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition nothing announces; AssertionError after the deadline."""
    deadline = time.monotonic() + WAIT_SECONDS
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < deadline
        pause.wait(0.02)

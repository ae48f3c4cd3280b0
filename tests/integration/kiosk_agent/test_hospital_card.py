"""Hospital cards on a real PC/SC slot: read, unknown, pulled out, second card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware_drivers.simulators.cards import MifareCard
from hardware_drivers.simulators.pcscd import VirtualReader, leased_readers
from hardware_drivers.simulators.vpcd_slot import VirtualSlot
from tests.factories.kiosk_rig import Rig, running_kiosk, wait_until
from tests.services import used
from tests.services.card_slots import card_slot

UID = bytes.fromhex("04A1B2C3")


@pytest.fixture(scope="module")
def reader() -> Iterator[VirtualReader]:
    """One virtual reader; fails with what to type when pcscd cannot be had."""
    with leased_readers("test", 1, wait=120) as readers:
        used.record("pcscd", f"virtual reader {readers[0].name}")
        yield readers[0]


@pytest.fixture
def slot(reader: VirtualReader) -> Iterator[VirtualSlot]:
    """The reader's slot, empty before and after."""
    with card_slot(reader) as found:
        yield found


@pytest.fixture
def rig(reader: VirtualReader, slot: VirtualSlot, tmp_path: Path) -> Iterator[Rig]:
    """A kiosk with a card reader."""
    with running_kiosk(tmp_path, card_reader=reader.name) as found:
        wait_until(lambda: found.agent.devices.current().card_reader == "ok")
        yield found


def test_a_card_identifies_and_a_second_one_is_ignored(rig: Rig, slot: VirtualSlot) -> None:
    slot.insert(MifareCard(UID, "H0000001"))
    rig.glass.wait_for("confirm_person")
    (asked,) = [item for item in rig.backend.asked if item.path.endswith("/identify")]
    assert asked.body == {"kind": "hospital_card", "number": "H0000001"}
    rig.glass.press("confirm_person")
    slot.insert(MifareCard(UID, "H0000002"))
    screen = rig.glass.wait(lambda screen: screen.document["notice"] is not None)
    assert (screen.name, rig.backend.paths().count("/identify")) == ("menu", 1)


def test_a_card_of_another_house_is_unknown(rig: Rig, slot: VirtualSlot) -> None:
    slot.insert(MifareCard(UID, "H0000001", key=b"\x01" * 6))
    screen = rig.glass.wait_for("problem")
    assert screen.title == "这张卡没有登记"
    assert "/identify" not in rig.backend.paths()


def test_a_card_pulled_in_mid_read_is_asked_for_again(rig: Rig, slot: VirtualSlot) -> None:
    slot.insert(MifareCard(UID, "H0000001"), pull_after=2)
    screen = rig.glass.wait(lambda screen: screen.document["notice"] is not None)
    assert "拿开得太早" in screen.document["notice"]["text"]
    slot.insert(MifareCard(UID, "H0000001"))
    rig.glass.wait_for("confirm_person")


def test_a_card_nobody_is_registered_with(rig: Rig, slot: VirtualSlot) -> None:
    rig.backend.refusals["/identify"] = (404, {"code": "card_unknown"})
    slot.insert(MifareCard(UID, "H0000009"))
    assert rig.glass.wait_for("problem").title == "这张卡没有登记"

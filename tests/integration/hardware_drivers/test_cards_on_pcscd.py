"""Card readers through the real pcscd and pyscard, with a virtual card at the far end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from hardware_drivers.errors import DeviceError, PermanentError, TransientError
from hardware_drivers.registry import open_card_reader
from hardware_drivers.simulators.cards import HealthCard, MifareCard
from hardware_drivers.simulators.pcscd import VirtualReader
from hardware_drivers.simulators.vpcd_slot import VirtualSlot
from hardware_drivers.smart_card.protocol import CardKind, CardReader
from hardware_drivers.transports.pcsc import list_readers

UID = bytes.fromhex("04A1B2C3")


@pytest.fixture
def reader(virtual_reader: VirtualReader, slot: VirtualSlot) -> Iterator[CardReader]:
    reader = open_card_reader(f"pcsc://{quote(virtual_reader.name)}")
    assert reader.wait_for_removal(5)
    yield reader
    reader.close()


def test_a_card_is_noticed_read_and_its_removal_seen(reader: CardReader, slot: VirtualSlot) -> None:
    assert reader.is_alive()
    putting = threading.Thread(target=slot.insert, args=(MifareCard(UID, "H00012345"),))
    putting.start()
    card = reader.wait_for_card(10)
    putting.join()
    assert card is not None
    assert (card.kind, card.number, card.uid) == (CardKind.CONTACTLESS, "H00012345", "04A1B2C3")
    assert not reader.wait_for_removal(0)
    slot.remove()
    assert reader.wait_for_removal(10)


def test_no_card(reader: CardReader) -> None:
    assert reader.wait_for_card(0) is None
    with pytest.raises(TransientError) as caught:
        reader.read()
    assert caught.value.code == "no_card"


@pytest.mark.parametrize("pull_after", [0, 1, 2, 3])
def test_a_card_pulled_in_mid_read_can_be_put_again(
    reader: CardReader, slot: VirtualSlot, pull_after: int
) -> None:
    slot.insert(MifareCard(UID, "H00012345"), pull_after=pull_after)
    with pytest.raises(TransientError) as caught:
        reader.wait_for_card(10)
    assert caught.value.code == "card_removed"
    slot.insert(MifareCard(UID, "H00012345"))
    card = reader.wait_for_card(10)
    assert card is not None
    assert card.number == "H00012345"


def test_a_card_of_another_hospital(reader: CardReader, slot: VirtualSlot) -> None:
    slot.insert(MifareCard(UID, "H00012345", key=b"\x01" * 6))
    with pytest.raises(PermanentError) as caught:
        reader.wait_for_card(10)
    assert caught.value.code == "unknown_card"


def test_a_second_card_after_the_first(reader: CardReader, slot: VirtualSlot) -> None:
    for number in ("H1", "H2"):
        slot.insert(MifareCard(UID, number))
        card = reader.wait_for_card(10)
        assert card is not None
        assert card.number == number
        slot.remove()
        assert reader.wait_for_removal(10)


def test_contact_health_card(virtual_reader: VirtualReader, slot: VirtualSlot) -> None:
    reader = open_card_reader(f"pcsc://{quote(virtual_reader.name)}?file_id=EF05")
    slot.insert(HealthCard("A123456789"))
    card = reader.wait_for_card(10)
    reader.close()
    assert card is not None
    assert (card.kind, card.number) == (CardKind.HEALTH_CARD, "A123456789")


def test_a_reader_that_is_not_plugged_in(virtual_reader: VirtualReader) -> None:
    assert any(name.startswith(virtual_reader.name) for name in list_readers())
    reader = open_card_reader("pcsc://No%20Such%20Reader")
    assert not reader.is_alive()
    with pytest.raises(DeviceError) as caught:
        reader.read()
    assert caught.value.code == "no_reader"

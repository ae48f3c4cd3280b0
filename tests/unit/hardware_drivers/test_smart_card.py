"""Card readers against literal APDUs: contactless, contact, wrong key, pulled in mid-read."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import PermanentError, TransientError
from hardware_drivers.smart_card import apdu
from hardware_drivers.smart_card.pcsc import PcscCardReader
from hardware_drivers.smart_card.protocol import CardKind, ContactlessProfile, ContactProfile
from hardware_drivers.transports.memory import MemoryCard
from hardware_drivers.transports.pcsc import match_reader
from tests.contract.hardware_drivers import vectors

BLOCK = b"H00012345".ljust(16, b"\x00")


def scripted(answers: dict[bytes, tuple[bytes, int]]) -> Callable[[bytes], tuple[bytes, int]]:
    return lambda command: answers.get(command, (b"", 0x6D00))


CONTACTLESS = {
    vectors.GET_UID: (bytes.fromhex("04A1B2C3"), 0x9000),
    vectors.LOAD_KEY: (b"", 0x9000),
    vectors.AUTHENTICATE_4: (b"", 0x9000),
    vectors.READ_4: (BLOCK, 0x9000),
}


def test_contactless_card_by_the_commands_of_pcsc_part_3() -> None:
    slot = MemoryCard(scripted(CONTACTLESS))
    card = PcscCardReader(slot, ContactlessProfile()).read()
    assert slot.sent == [vectors.GET_UID, vectors.LOAD_KEY, vectors.AUTHENTICATE_4, vectors.READ_4]
    assert (card.kind, card.number, card.uid) == (CardKind.CONTACTLESS, "H00012345", "04A1B2C3")


def test_the_profile_says_block_and_key() -> None:
    slot = MemoryCard(lambda _command: (BLOCK, 0x9000))
    PcscCardReader(slot, ContactlessProfile(block=9, key=bytes(range(6)), key_type=0x61)).read()
    assert slot.sent[1:] == [
        bytes.fromhex("FF 82 00 00 06 00 01 02 03 04 05"),
        bytes.fromhex("FF 86 00 00 05 01 00 09 61 00"),
        bytes.fromhex("FF B0 00 09 10"),
    ]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (vectors.AUTHENTICATE_4, (b"", 0x6300)),
        (vectors.READ_4, (b"", 0x6982)),
        (vectors.READ_4, (bytes(16), 0x9000)),
        (vectors.READ_4, (b"\x01\x02binary\x00\xfe\x00\x00\x00\x00\x00\x00", 0x9000)),
    ],
)
def test_a_card_of_another_hospital_is_unknown_for_good(
    command: bytes, answer: tuple[bytes, int]
) -> None:
    slot = MemoryCard(scripted(CONTACTLESS | {command: answer}))
    with pytest.raises(PermanentError) as caught:
        PcscCardReader(slot, ContactlessProfile()).read()
    assert caught.value.code == "unknown_card"


def test_a_card_pulled_in_mid_read_may_be_put_again() -> None:
    def answer(command: bytes) -> tuple[bytes, int]:
        if command == vectors.AUTHENTICATE_4:
            raise TransientError("card_removed")
        return b"", 0x9000

    with pytest.raises(TransientError) as caught:
        PcscCardReader(MemoryCard(answer), ContactlessProfile()).read()
    assert caught.value.code == "card_removed"


def test_contact_card_with_get_response_and_corrected_length() -> None:
    select_application = bytes.fromhex("00 A4 04 00 07 D1 56 00 00 02 57 74")
    select_file = bytes.fromhex("00 A4 00 00 02 EF 05")
    slot = MemoryCard(
        scripted(
            {
                select_application: (b"", 0x6104),
                bytes.fromhex("00 C0 00 00 04"): (b"\x6f\x02\x84\x00", 0x9000),
                select_file: (b"", 0x9000),
                bytes.fromhex("00 B0 00 00 20"): (b"", 0x6C10),
                bytes.fromhex("00 B0 00 00 10"): (b"A123456789".ljust(16), 0x9000),
            }
        )
    )
    card = PcscCardReader(slot, ContactProfile()).read()
    assert (card.kind, card.number, card.uid) == (CardKind.HEALTH_CARD, "A123456789", "")


def test_card_number_and_key_stay_out_of_logs() -> None:
    card = PcscCardReader(MemoryCard(scripted(CONTACTLESS)), ContactlessProfile()).read()
    assert "H00012345" not in repr(card)
    assert "04A1B2C3" not in repr(card)
    assert "xff" not in repr(ContactlessProfile())


def test_waiting_without_a_card_and_cancelled() -> None:
    slot = MemoryCard(scripted(CONTACTLESS))
    slot.is_present = False
    reader = PcscCardReader(slot, ContactlessProfile())
    cancelled = threading.Event()
    cancelled.set()
    assert reader.wait_for_card(0) is None
    assert reader.wait_for_card(60, cancelled) is None
    assert reader.wait_for_removal(0)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Xinglin Kiosk 0", "Xinglin Kiosk 0 00 00"),
        ("Xinglin Kiosk 0 00 01", "Xinglin Kiosk 0 00 01"),
        ("Xinglin Kiosk", None),
        ("Xinglin Kiosk 1", "Xinglin Kiosk 1 00 00"),
        ("Xinglin Kiosk 12", None),
    ],
)
def test_reader_names_match_their_first_slot_and_no_other_reader(
    wanted: str, found: str | None
) -> None:
    names = [f"Xinglin Kiosk {i} 00 0{slot}" for i in (1, 0) for slot in (1, 0)]
    assert match_reader(wanted, names) == found


@given(st.binary(max_size=48))
def test_card_numbers_are_ascii_letters_and_digits_or_refused(data: bytes) -> None:
    number = ""
    with contextlib.suppress(PermanentError):
        number = apdu.parse_number(data)
    assert number.isascii()
    assert number == "" or number.isalnum()

"""The ID reader's driver against literal frames: whole, torn, wrong, other documents."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import AmbiguousError, DeviceError, PermanentError, TransientError
from hardware_drivers.id_card import frames
from hardware_drivers.id_card.content import is_valid_number, parse_text
from hardware_drivers.id_card.ga467 import Ga467Reader
from hardware_drivers.transports.memory import MemoryTransport
from tests.contract.hardware_drivers import vectors

WHOLE = vectors.read_answer(vectors.text_block())


def reader_of(*answers: bytes | DeviceError) -> tuple[Ga467Reader, MemoryTransport]:
    transport = MemoryTransport(answers)
    return Ga467Reader(transport), transport


def code_of(*answers: bytes | DeviceError) -> str:
    reader, _transport = reader_of(*answers)
    with pytest.raises(DeviceError) as caught:
        reader.read()
    return caught.value.code


def test_sends_the_frames_of_the_standard_and_reads_every_field() -> None:
    reader, transport = reader_of(vectors.FOUND, vectors.SELECTED, WHOLE)
    card = reader.read()
    assert transport.written == [vectors.FIND, vectors.SELECT, vectors.READ]
    assert (card.name, card.sex, card.ethnic_group) == ("张三", "1", "01")
    assert (card.birth_date, card.number) == (date(1949, 12, 31), "11010519491231002X")
    assert (card.address, card.authority) == ("北京市朝阳区安定路1号", "北京市公安局朝阳分局")
    assert (card.valid_from, card.valid_until) == (date(2018, 6, 1), None)
    assert card.photo == vectors.PHOTO


def test_a_card_says_nothing_about_the_person_in_logs() -> None:
    card = parse_text(vectors.text_block())
    assert "张三" not in repr(card)
    assert "1949" not in repr(card)
    assert "张三" not in str(card)


def test_an_expired_card_is_read_like_any_other() -> None:
    """Expiry is a rule of the flow, which needs the date."""
    card = parse_text(vectors.text_block(vectors.with_field(8, "20200601")))
    assert card.valid_until == date(2020, 6, 1)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ((vectors.NO_CARD,), "no_card"),
        ((vectors.FOUND, vectors.SELECT_FAILED), "select_failed"),
        ((vectors.FOUND, vectors.SELECTED, vectors.READ_FAILED), "card_removed"),
        ((vectors.FOUND, vectors.SELECTED, vectors.NO_CARD), "no_card"),
        ((vectors.BAD_CHECKSUM,) * 3, "checksum"),
        ((vectors.FOUND, vectors.SELECTED, *[WHOLE[:700]] * 3), "torn_frame"),
        ((vectors.FOUND, vectors.SELECTED, *[WHOLE[:-1] + b"\x00"] * 3), "checksum"),
        ((), "no_answer"),
        ((b"\x00\x01\x02",) * 3, "torn_frame"),
        ((b"\xaa\xaa\xaa\x96\x69\xff\xff",) * 3, "torn_frame"),
        ((TransientError("connection_lost"),), "connection_lost"),
    ],
)
def test_every_failure_is_transient_and_has_its_code(
    answers: tuple[bytes | DeviceError, ...], code: str
) -> None:
    assert code_of(*answers) == code


@pytest.mark.parametrize(
    "damaged", [WHOLE[:700], WHOLE[:100] + b"\x00" + WHOLE[101:], vectors.BAD_CHECKSUM]
)
def test_a_damaged_answer_is_asked_for_again_without_finding_the_card_anew(damaged: bytes) -> None:
    """The reader answers `no card` to a find once a card was read."""
    reader, transport = reader_of(vectors.FOUND, vectors.SELECTED, damaged, WHOLE)
    assert reader.read().name == "张三"
    assert transport.written == [vectors.FIND, vectors.SELECT, vectors.READ, vectors.READ]


@pytest.mark.parametrize(
    ("letter", "code"),
    [("I", "foreigner_card"), ("Y", "foreigner_card"), ("J", "hmt_resident_card")],
)
def test_other_documents_are_recognised_and_named(letter: str, code: str) -> None:
    with pytest.raises(PermanentError) as caught:
        parse_text(vectors.text_block(letter=letter))
    assert caught.value.code == code
    assert not caught.value.is_retry_safe


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (0, ""),
        (1, "x"),
        (2, "ab"),
        (3, "19490231"),
        (3, "19500101"),
        (5, "110105194912310021"),
        (5, "12345"),
        (7, "2018"),
        (8, "2038060"),
    ],
)
def test_impossible_content_is_refused_without_quoting_it(field: int, value: str) -> None:
    with pytest.raises(PermanentError) as caught:
        parse_text(vectors.text_block(vectors.with_field(field, value)))
    assert caught.value.code == "malformed_card"
    assert "张三" not in str(caught.value)
    assert "1949" not in str(caught.value)


def test_waiting_returns_nothing_when_no_card_comes_or_the_wait_is_cancelled() -> None:
    reader, _transport = reader_of(vectors.NO_CARD)
    assert reader.wait_for_card(0) is None
    cancelled = threading.Event()
    cancelled.set()
    reader, transport = reader_of()
    assert reader.wait_for_card(60, cancelled) is None
    assert transport.written == []


def test_waiting_passes_over_the_card_that_was_read_and_not_lifted() -> None:
    ticks = iter(range(100))
    transport = MemoryTransport([vectors.NO_CARD, vectors.FOUND, vectors.SELECTED, WHOLE])
    reader = Ga467Reader(transport, answer_timeout=99, poll_interval=0, clock=lambda: next(ticks))
    card = reader.wait_for_card(50)
    assert card is not None
    assert card.name == "张三"


def test_alive_asks_for_the_sam_status() -> None:
    reader, transport = reader_of(bytes.fromhex("AA AA AA 96 69 00 04 00 00 90 94"))
    assert reader.is_alive()
    assert transport.written == [bytes.fromhex("AA AA AA 96 69 00 03 11 FF ED")]
    assert not reader.is_alive()


@given(st.binary(max_size=1400))
def test_noise_is_never_taken_for_an_answer(noise: bytes) -> None:
    with pytest.raises(TransientError) as caught:
        frames.decode_answer(noise)
    assert caught.value.code in {"torn_frame", "checksum"}


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_one_changed_byte_is_always_noticed(at: int, change: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[at] ^= change
    with pytest.raises(TransientError):
        frames.decode_answer(bytes(damaged))


@given(st.integers(0, len(WHOLE) - 1))
def test_every_cut_of_a_frame_is_incomplete(at: int) -> None:
    assert frames.missing_bytes(WHOLE[:at]) > 0


@given(st.binary(min_size=256, max_size=256))
def test_any_256_bytes_are_refused_by_name(text: bytes) -> None:
    """Bytes at hazard never make a number with its birth date and check character."""
    with pytest.raises(PermanentError) as caught:
        parse_text(text)
    assert caught.value.code in {"malformed_card", "foreigner_card", "hmt_resident_card"}


@pytest.mark.parametrize(
    ("number", "is_valid"),
    [
        ("11010519491231002X", True),
        ("440524188001010014", True),
        ("110105194912310021", False),
        ("", False),
    ],
)
def test_check_character_of_gb_11643(number: str, is_valid: bool) -> None:
    assert is_valid_number(number) is is_valid


def test_error_classes_say_what_may_be_repeated() -> None:
    assert TransientError("no_card").is_retry_safe
    assert not AmbiguousError("connection_lost").is_retry_safe

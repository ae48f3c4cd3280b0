"""Sealed values open for their own context and key only; the blind index matches and tells nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.crypto import KeyRing, SealBroken

OLD, NEW, INDEX = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
RING = KeyRing({"k1": OLD}, INDEX)
CONTEXT = "patients_patient.id_number"
NUMBER = "110101196005040015"


@given(text=st.text(max_size=200))
def test_what_was_sealed_opens(text: str) -> None:
    assert RING.open(RING.seal(text, CONTEXT), CONTEXT) == text


def test_two_seals_of_the_same_text_differ_and_hide_it() -> None:
    first, second = RING.seal(NUMBER, CONTEXT), RING.seal(NUMBER, CONTEXT)
    assert first != second
    assert NUMBER.encode() not in first


def test_a_value_moved_to_another_column_does_not_open() -> None:
    with pytest.raises(SealBroken):
        RING.open(RING.seal(NUMBER, CONTEXT), "patients_patient.phone")


@given(position=st.integers(0, 47), flip=st.integers(1, 255))
def test_one_changed_byte_anywhere_is_seen(position: int, flip: int) -> None:
    sealed = bytearray(RING.seal(NUMBER, CONTEXT))
    assert len(sealed) > 47
    sealed[position] ^= flip
    with pytest.raises(SealBroken):
        RING.open(bytes(sealed), CONTEXT)


@given(blob=st.binary(max_size=80))
def test_bytes_that_were_never_sealed_are_refused_in_one_way(blob: bytes) -> None:
    with pytest.raises(SealBroken):
        RING.open(blob, CONTEXT)


@pytest.mark.parametrize("length", range(48))
def test_a_torn_value_is_refused(length: int) -> None:
    with pytest.raises(SealBroken):
        RING.open(RING.seal(NUMBER, CONTEXT)[:length], CONTEXT)


def test_after_a_rotation_the_new_key_seals_and_the_old_one_still_opens() -> None:
    before = RING.seal(NUMBER, CONTEXT)
    rotated = KeyRing({"k1": OLD, "k2": NEW}, INDEX)
    after = rotated.seal(NUMBER, CONTEXT)
    assert after[2:4] == b"k2"
    assert rotated.open(before, CONTEXT) == rotated.open(after, CONTEXT) == NUMBER
    with pytest.raises(SealBroken, match="k2"):
        RING.open(after, CONTEXT)


def test_a_key_of_the_same_name_but_other_bytes_does_not_open() -> None:
    with pytest.raises(SealBroken):
        KeyRing({"k1": NEW}, INDEX).open(RING.seal(NUMBER, CONTEXT), CONTEXT)


def test_the_blind_index_matches_however_it_was_typed() -> None:
    assert RING.blind_index(" 11010119600504001x ", "id") == RING.blind_index(
        "11010119600504001X", "id"
    )
    assert len(RING.blind_index(NUMBER, "id")) == 32


def test_the_blind_index_differs_by_purpose_and_by_key() -> None:
    assert RING.blind_index(NUMBER, "id") != RING.blind_index(NUMBER, "card")
    assert RING.blind_index(NUMBER, "id") != KeyRing({"k1": OLD}, NEW).blind_index(NUMBER, "id")


def test_the_blind_index_outlives_a_rotation() -> None:
    rotated = KeyRing({"k1": OLD, "k2": NEW}, INDEX)
    assert rotated.blind_index(NUMBER, "id") == RING.blind_index(NUMBER, "id")

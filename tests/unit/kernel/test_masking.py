"""Masks show what their rule allows and never more, however short or odd the text is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.masking import mask_address, mask_card, mask_id_number, mask_name, mask_phone

#: Text without stars and outer blanks, so that every star in an answer is the mask's.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=1, max_size=40).map(
    str.strip
)
DIGITS = st.text("0123456789", min_size=1, max_size=24)


def shown(masked: str) -> int:
    return len(masked.replace("*", ""))


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("张小三", "张*三"),
        ("欧阳小三", "欧**三"),
        (" 王建国 ", "王*国"),
        ("Muhammad Ali", "M***i"),
        ("王", "*"),
        ("", "*"),
    ],
)
def test_names(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("110101199003078888", "1101**********8888"),
        ("E12345678", "E*******8"),
        ("H12345678901", "H**********1"),
        ("AB", "**"),
        ("", ""),
    ],
)
def test_id_numbers(number: str, masked: str) -> None:
    assert mask_id_number(number) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13812341234", "138****1234"),
        ("8613812341234", "861****1234"),
        ("65551234", "65****34"),
        ("110", "***"),
    ],
)
def test_phones(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("number", "masked"), [("H000123456", "****3456"), ("1234", "****34"), ("7", "****")]
)
def test_cards(number: str, masked: str) -> None:
    assert mask_card(number) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("北京市朝阳区建国路1号2单元301室", "北京市朝阳区****"),
        ("东街1号", "东街****"),
        ("", ""),
    ],
)
def test_addresses(address: str, masked: str) -> None:
    assert mask_address(address) == masked


@given(name=TEXT)
def test_a_name_shows_its_ends_at_most_and_never_all(name: str) -> None:
    masked = mask_name(name)
    assert shown(masked) <= min(2, len(name) // 2 + 1)
    assert "*" in masked
    assert name not in masked or not name


@given(number=DIGITS)
def test_numbers_keep_at_least_their_share_hidden(number: str) -> None:
    assert len(number) - shown(mask_id_number(number)) >= len(number) / 2
    assert shown(mask_card(number)) <= min(4, len(number) / 2)
    phone = mask_phone(number)
    assert shown(phone) <= 7
    assert len(number) - shown(phone) >= (4 if len(number) >= 11 else len(number) / 2)


@given(address=TEXT)
def test_an_address_shows_its_beginning_only(address: str) -> None:
    assert shown(mask_address(address)) <= min(6, len(address) / 2)

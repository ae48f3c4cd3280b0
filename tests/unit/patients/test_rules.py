"""Who a person is: document numbers, names and what a search text could be."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.patients import rules
from backend.patients.rules import SearchKind

TODAY = dt.date(2026, 11, 23)


def test_a_known_number_says_birth_date_and_sex() -> None:
    # The worked example of GB 11643-1999's annex.
    facts = rules.read_id_number("11010519491231002X", TODAY)
    assert facts == rules.IdNumberFacts(dt.date(1949, 12, 31), rules.Sex.FEMALE)
    assert rules.read_id_number("440524188001010014", dt.date(1990, 1, 1)) is not None


@given(
    st.from_regex(r"11010519491231[0-9]{3}", fullmatch=True), st.integers(0, 16), st.integers(1, 9)
)
def test_one_wrong_digit_never_passes(first: str, place: int, shift: int) -> None:
    number = first + rules.check_character(first)
    wrong = first[:place] + str((int(first[place]) + shift) % 10) + first[place + 1 :]
    assert rules.read_id_number(number, TODAY) is not None
    assert rules.read_id_number(wrong + number[17], TODAY) is None


@pytest.mark.parametrize(
    "number",
    [
        "",
        "11010519491231002",
        "110105194913310021",
        "11010520991231002X",
        "abc",
        "１１010519491231002X",
    ],
)
def test_what_is_no_number_is_refused(number: str) -> None:
    assert rules.read_id_number(number, TODAY) is None


@pytest.mark.parametrize(
    ("name", "pinyin", "initials"),
    [
        ("王小三", "wangxiaosan", "wxs"),
        ("欧阳娜娜", "ouyangnana", "oynn"),
        ("买买提·艾力", "maimaitiaili", "mmtal"),
        ("John Smith", "johnsmith", "js"),
    ],
)
def test_names_are_found_by_pinyin(name: str, pinyin: str, initials: str) -> None:
    assert rules.pinyin_of(name) == (pinyin, initials)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("张", SearchKind.NAME),
        ("zxs", SearchKind.PINYIN),
        ("13812341234", SearchKind.NUMBER),
        ("11010519491231002X", SearchKind.NUMBER),
        ("123", None),
        ("  ", None),
        ("%", None),
    ],
)
def test_a_search_text_is_understood(text: str, kind: SearchKind | None) -> None:
    assert rules.search_kind(text) is kind


def test_names_are_compared_as_documents_print_them() -> None:
    assert rules.same_name("买买提·艾力", "买买提•艾力")
    assert rules.same_name("JOHN SMITH", "John Smith")
    assert not rules.same_name("张三", "张四")

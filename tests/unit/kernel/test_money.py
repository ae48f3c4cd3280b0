"""Fen and yuan: what is written comes back, and what is no amount is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.errors import InvalidInput
from backend.kernel.money import format_yuan, from_yuan, parse_yuan, to_yuan


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "¥0.00"),
        (5, "¥0.05"),
        (2500, "¥25.00"),
        (123456789, "¥1,234,567.89"),
        (-2501, "-¥25.01"),
        (-1, "-¥0.01"),
    ],
)
def test_format(fen: int, text: str) -> None:
    assert format_yuan(fen) == text


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("25", 2500),
        ("25.5", 2550),
        ("25.05", 2505),
        ("¥25.00", 2500),
        ("￥ 25", 2500),
        ("1,234.56", 123456),
        ("25元", 2500),
        (" 0.01 ", 1),
    ],
)
def test_parse(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text", ["", "abc", "-5", "1.234", "1e3", "1.", ".5", "12 34", "1234567890", "25.00元元"]
)
def test_no_amount(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_yuan(text)
    assert refused.value.error_code == "amount_malformed"


@given(fen=st.integers(0, 99_999_999_999))
def test_what_is_shown_can_be_typed(fen: int) -> None:
    assert parse_yuan(format_yuan(fen)) == fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [("25.00", 2500), ("0.01", 1), ("7", 700), ("7.5", 750), ("123456.78", 12345678)],
)
def test_what_another_system_wrote_is_read_to_the_fen(text: str, fen: int) -> None:
    assert from_yuan(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.005",
        "-1",
        "+1",
        "1e3",
        "１",
        "1.٣",
        "1.x",
        "1,000",
        ".5",
        " 1",
        "一",
        "1234567890123",
    ],
)
def test_of_another_system_no_amount_is_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        from_yuan(text)


@given(fen=st.integers(0, 99_999_999_999))
def test_what_is_written_for_another_system_reads_the_same(fen: int) -> None:
    assert from_yuan(to_yuan(fen)) == fen


def test_amounts_are_written_with_both_places() -> None:
    assert [to_yuan(fen) for fen in (1, 2500, 100000)] == ["0.01", "25.00", "1000.00"]

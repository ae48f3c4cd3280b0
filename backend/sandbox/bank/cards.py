"""The sandbox's cards, by number: what each does when it is swiped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """A card: the answer it gets, and how the answer travels (`answer`: given, none, slow)."""

    words: str
    response_code: str = "00"
    answer: str = "given"


#: All pass the Luhn check; the range is no bank's.
CARDS: Mapping[str, Card] = {
    "6299990000000017": Card("正常，批准"),
    "6299990000000025": Card("余额不足", "51"),
    "6299990000000033": Card("已扣款，但没有应答", answer="none"),
    "6299990000000041": Card("应答很慢", answer="slow"),
    "6299990000000058": Card("挂失卡", "41"),
    "6299990000000066": Card("过期的卡", "54"),
    "6299990000000074": Card("超出取款金额限制", "61"),
    "6299990000000082": Card("发卡行故障", "91"),
}
UNKNOWN_CARD = Card("不认识的卡", "14")


def behaviour(pan: str) -> Card:
    """What a card does; one the bank does not know has an invalid number (14)."""
    return CARDS.get(pan, UNKNOWN_CARD)


def masked(pan: str) -> str:
    """First six and last four."""
    return f"{pan[:6]}{'*' * (len(pan) - 10)}{pan[-4:]}"

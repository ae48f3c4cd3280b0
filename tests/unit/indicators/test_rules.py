"""What counts as self-service, and how its share is rounded."""

from __future__ import annotations

import pytest

from backend.billing.rules import Channel as MoneyChannel
from backend.indicators.rules import Share, Way, add_up, way_of
from backend.scheduling.rules import Channel as BookingChannel


def test_every_channel_of_booking_and_money_has_its_way() -> None:
    assert {channel: way_of(channel.value) for channel in BookingChannel} == {
        BookingChannel.COUNTER: Way.COUNTER,
        BookingChannel.IN_CLINIC: Way.OTHER,
        BookingChannel.KIOSK: Way.KIOSK,
        BookingChannel.MINIPROGRAM: Way.PHONE,
        BookingChannel.PARTNER: Way.OTHER,
        BookingChannel.WECHAT: Way.PHONE,
    }
    assert [way_of(channel.value) for channel in MoneyChannel] == [
        Way.COUNTER,
        Way.KIOSK,
        Way.PHONE,
        Way.OTHER,
    ]


@pytest.mark.parametrize(
    ("kiosk", "counter", "words"),
    [
        (0, 0, "—"),
        (1, 0, "100.0%"),
        (0, 3, "0.0%"),
        (1, 2, "33.3%"),
        (2, 1, "66.7%"),
        (1, 7, "12.5%"),
    ],
)
def test_shares(kiosk: int, counter: int, words: str) -> None:
    assert Share({Way.KIOSK: kiosk, Way.COUNTER: counter}).words == words


def test_counts_add_up() -> None:
    counts = add_up(add_up({}, Way.PHONE, 2), Way.PHONE, 3)
    assert (Share(counts).self_service, Share(counts).total) == (5, 5)

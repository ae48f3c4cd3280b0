"""Signed links open for their purpose and installation only."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.kernel import links
from backend.kernel.ids import new_id

SECRET, OTHER = "s" * 32, "t" * 32
DAY = dt.date(2026, 11, 23)


def test_a_ticket_link_carries_its_ticket_and_day() -> None:
    ticket = new_id()
    url = links.ticket_url("http://h", SECRET, ticket, DAY)
    token = url.removeprefix("http://h/t/")
    assert links.read_ticket_token(SECRET, token) == (ticket, DAY)
    assert token.isascii()


def test_a_screens_key_opens_its_hall() -> None:
    hall = new_id()
    key = links.screen_url("http://h", SECRET, hall).removeprefix("http://h/screens/")
    assert links.read_screen_key(SECRET, key) == hall


def test_no_token_serves_another_purpose() -> None:
    ticket = new_id()
    assert links.read_ticket_token(SECRET, links.screen_key(SECRET, ticket)) is None
    assert links.read_screen_key(SECRET, links.ticket_token(SECRET, ticket, DAY)) is None
    assert not links.may_follow(SECRET, ticket.hex, links.screen_key(SECRET, ticket))


def test_a_stream_token_opens_its_own_stream() -> None:
    token = links.stream_token(SECRET, "hall:1")
    assert links.may_follow(SECRET, "hall:1", token)
    assert not links.may_follow(SECRET, "hall:2", token)


@pytest.mark.parametrize("spoil", ["", "x", "e30.x", "中文", "a" * 500, "..", "\0"])
def test_what_we_did_not_write_opens_nothing(spoil: str) -> None:
    assert links.read_ticket_token(SECRET, spoil) is None
    assert links.read_screen_key(SECRET, spoil) is None
    assert not links.may_follow(SECRET, "hall:1", spoil)


def test_another_installations_secret_does_not_open() -> None:
    token = links.ticket_token(SECRET, new_id(), DAY)
    assert links.read_ticket_token(OTHER, token) is None


def test_a_signed_value_of_the_wrong_shape_is_none() -> None:
    for value in ([], ["only one"], ["no id", DAY.isoformat()], [new_id().hex, "no day"]):
        assert links.read_ticket_token(SECRET, links.sign(SECRET, links.TICKET, value)) is None

"""The card gateway over TCP against the sandbox's bank: the dialogue, and everything that is unknown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from backend.billing.ports import (
    BatchTotals,
    CardAnswer,
    CardOrder,
    GatewayRefused,
    GatewayUnknown,
    Line,
    OriginalSale,
    SignOnNeeded,
)
from backend.channels.bank_card import BankCardGateway, BankConfig, load_bank_file
from tests.contract.wechat.sandbox_process import Sandbox
from tests.services.ports import free_port

GOOD, POOR, MUTE, LOST = (f"62999900000000{end}" for end in ("17", "25", "33", "58"))
AT = dt.datetime(2026, 11, 23, 1, 30, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)


@pytest.fixture
def config(sandbox: Sandbox) -> BankConfig:
    return replace(load_bank_file(sandbox.directory / "bank.json"), answer_seconds=5.0)


@pytest.fixture
def bank(config: BankConfig) -> BankCardGateway:
    return BankCardGateway(lambda: config)


@pytest.fixture
def stan() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{next(numbers):06d}"


@pytest.fixture
def line(bank: BankCardGateway, stan: Callable[[], str]) -> Line:
    terminal_id = bank.terminal_ids[0]
    signed_on = bank.sign_on(terminal_id, stan=stan(), at=AT)
    return Line(terminal_id, signed_on.batch, signed_on.mac_key)


def order(stan: str, fen: int = 2500, card: str | None = GOOD) -> CardOrder:
    return CardOrder(stan, fen, AT, card)


def original(line: Line, stan: str, rrn: str = "") -> OriginalSale:
    return OriginalSale(line.batch, stan, TODAY, rrn)


def fault(sandbox: Sandbox, mode: str, operation: str, seconds: float = 0.05) -> None:
    sandbox.put("/sandbox/faults", bank=mode, operation=operation, count=1, seconds=seconds)


def test_a_terminal_signs_on_and_each_time_gets_another_key(bank: BankCardGateway) -> None:
    first, second = (bank.sign_on(bank.terminal_ids[0], stan=f"00000{n}", at=AT) for n in (1, 2))
    assert (first.batch, len(first.mac_key)) == (1, 16)
    assert first.mac_key != second.mac_key


def test_a_sale_is_approved_with_a_reference(bank: BankCardGateway, line: Line) -> None:
    answer = bank.sale(line, order("000002"))
    assert answer.is_approved
    assert len(answer.rrn) == 12
    assert len(answer.auth_code) == 6


@pytest.mark.parametrize(("card", "code"), [(POOR, "51"), (LOST, "41"), ("6222020200000000", "14")])
def test_a_refused_card_says_why(card: str, code: str, bank: BankCardGateway, line: Line) -> None:
    assert bank.sale(line, order("000002", card=card)).response_code == code


@pytest.mark.parametrize("mode", ["silent", "swallow", "wrong_amount", "bad_mac"])
def test_an_answer_that_is_missing_or_wrong_is_unknown_and_reversed(
    mode: str, bank: BankCardGateway, line: Line, sandbox: Sandbox
) -> None:
    fault(sandbox, mode, "sale")
    with pytest.raises(GatewayUnknown):
        bank.sale(line, order("000002"))
    first = bank.reverse(line, order("000002"), original(line, "000002"))
    again = bank.reverse(line, order("000002"), original(line, "000002"))
    assert first.response_code == again.response_code == ("25" if mode == "swallow" else "00")
    assert bank.settle(line, stan="000003", totals=BatchTotals(0, 0, 0, 0)), "nothing was sold"


def test_a_sale_that_comes_after_its_reversal_is_refused(bank: BankCardGateway, line: Line) -> None:
    assert bank.reverse(line, order("000002"), original(line, "000002")).response_code == "25"
    assert bank.sale(line, order("000002")).response_code == "94"


def test_a_slow_answer_is_given_up(bank: BankCardGateway, line: Line, sandbox: Sandbox) -> None:
    hasty = BankCardGateway(lambda: replace(bank.config, answer_seconds=0.3))
    fault(sandbox, "slow", "sale", seconds=1.0)
    with pytest.raises(GatewayUnknown, match="TimeoutError"):
        hasty.sale(line, order("000002"))
    assert bank.reverse(line, order("000002"), original(line, "000002")).response_code == "00"


def test_a_mute_card_is_charged_without_an_answer(
    bank: BankCardGateway, line: Line, sandbox: Sandbox
) -> None:
    hasty = BankCardGateway(lambda: replace(bank.config, answer_seconds=0.3))
    with pytest.raises(GatewayUnknown):
        hasty.sale(line, order("000002", card=MUTE))
    assert bank.reverse(line, order("000002", card=MUTE), original(line, "000002")).is_approved


def test_parts_go_back_up_to_the_whole_and_a_repeat_gives_nothing_twice(
    bank: BankCardGateway, line: Line, sandbox: Sandbox
) -> None:
    sold = bank.sale(line, order("000002"))
    sale = original(line, "000002", sold.rrn)
    fault(sandbox, "silent", "card_refund")
    back = order("000003", 1000, None)
    with pytest.raises(GatewayUnknown):
        bank.refund(line, back, sale, is_repeat=False)
    assert bank.refund(line, back, sale, is_repeat=True).is_approved
    assert bank.refund(line, order("000004", 1501, None), sale, is_repeat=False) == CardAnswer("64")
    assert bank.refund(line, order("000005", 1500, None), sale, is_repeat=False).is_approved
    assert bank.settle(line, stan="000006", totals=BatchTotals(2500, 1, 2500, 2))


def test_a_batch_that_does_not_agree_is_told_and_the_next_begins(
    bank: BankCardGateway, line: Line
) -> None:
    bank.sale(line, order("000002"))
    assert not bank.settle(line, stan="000003", totals=BatchTotals(2501, 1, 0, 0))
    assert bank.settle(line, stan="000004", totals=BatchTotals(2500, 1, 0, 0)), "asked again"
    assert bank.sign_on(line.terminal_id, stan="000005", at=AT).batch == line.batch + 1


def test_another_sign_on_makes_the_old_key_strange(bank: BankCardGateway, line: Line) -> None:
    bank.sign_on(line.terminal_id, stan="000002", at=AT)
    with pytest.raises(SignOnNeeded):
        bank.sale(line, order("000003"))


def test_a_terminal_the_bank_does_not_know_is_refused(config: BankConfig) -> None:
    stranger = BankCardGateway(lambda: replace(config, merchant_id="8" * 15))
    with pytest.raises(GatewayRefused, match="SIGN_ON_03"):
        stranger.sign_on(stranger.terminal_ids[0], stan="000001", at=AT)


def test_a_bank_nobody_answers_at_is_a_refusal(config: BankConfig, line: Line) -> None:
    away = BankCardGateway(lambda: replace(config, port=free_port()))
    with pytest.raises(GatewayRefused, match="BANK_UNREACHABLE"):
        away.sale(line, order("000002"))

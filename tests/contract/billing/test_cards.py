"""Cards over the real wire: books, terminals and the sandbox's bank together, with everything that goes wrong."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text

from backend.billing import service
from backend.billing.errors import CardNumberInvalid, PaymentInFlight
from backend.billing.models import CardSettlement
from backend.billing.rules import InvoiceState, PaymentState
from backend.billing.rules.cards import CardActState
from backend.channels.bank_card import BankCardGateway
from backend.contracts.billing import PaymentCheckDue
from backend.kernel.outbox import RetryLater
from tests.contract.wechat.sandbox_process import Sandbox
from tests.factories.card_desk import GOOD, MUTE, POOR, CardDesk, open_card_desk
from tests.factories.databases import SYSTEM


@pytest.fixture
def desk(sandbox_process: Sandbox, tmp_path: Path) -> Iterator[CardDesk]:
    with open_card_desk(sandbox_process, tmp_path) as desk:
        yield desk


def test_a_card_pays_a_bill(desk: CardDesk) -> None:
    bill, payment_id = desk.swipe(GOOD)
    payment, act = desk.payment(payment_id), desk.act(payment_id)
    assert payment.state is PaymentState.SUCCEEDED
    assert desk.bill_state(bill) is InvoiceState.PAID
    assert (act.state, act.stan, act.response_code) == (CardActState.APPROVED, "000002", "00")
    assert act.card_number_masked == "629999******0017"
    assert desk.problems() == []


def test_what_a_keyboard_wedge_types_is_read(desk: CardDesk) -> None:
    _bill, payment_id = desk.swipe(f";{GOOD}=29121010000000000?")
    assert desk.payment(payment_id).state is PaymentState.SUCCEEDED
    for wrong in ("", "6299990000000018", "12345678", "卡", GOOD + "=abc"):
        with pytest.raises(CardNumberInvalid):
            desk.swipe(wrong)


def test_a_refused_card_takes_nothing_and_says_why(desk: CardDesk) -> None:
    bill, payment_id = desk.swipe(POOR)
    payment = desk.payment(payment_id)
    assert payment.state is PaymentState.FAILED
    assert "余额不足" in payment.outcome_words
    assert desk.act(payment_id).state is CardActState.DECLINED
    _bill, other = desk.swipe(GOOD, bill)
    assert desk.payment(other).state is PaymentState.SUCCEEDED
    assert desk.problems() == []


@pytest.mark.parametrize("mode", ["silent", "swallow", "wrong_amount", "bad_mac"])
def test_silence_is_reversed_and_the_bill_can_be_paid_again(mode: str, desk: CardDesk) -> None:
    desk.fault(mode, "sale")
    bill, payment_id = desk.swipe(GOOD)
    assert desk.payment(payment_id).state is PaymentState.UNKNOWN
    assert desk.act(payment_id).state is CardActState.REVERSING
    assert not desk.check(payment_id)
    assert desk.payment(payment_id).state is PaymentState.CLOSED
    assert desk.act(payment_id).state is CardActState.REVERSED
    _bill, other = desk.swipe(GOOD, bill)
    assert desk.payment(other).state is PaymentState.SUCCEEDED
    assert desk.cashier.settle(desk.database, desk.act(other).terminal_id or "") is True
    assert desk.problems() == []


def test_a_reversal_is_repeated_until_the_bank_confirms(desk: CardDesk) -> None:
    desk.fault("silent", "reversal", count=2)
    _bill, payment_id = desk.swipe(MUTE)
    assert desk.check(payment_id)
    assert desk.check(payment_id)
    assert desk.act(payment_id).state is CardActState.REVERSING
    assert not desk.check(payment_id)
    assert desk.act(payment_id).state is CardActState.REVERSED


def test_a_bank_that_stays_away_is_asked_more_and_more_rarely(desk: CardDesk) -> None:
    desk.fault("silent", "reversal", count=3)
    _bill, payment_id = desk.swipe(MUTE)
    waits = []
    for hours in (0, 1, 24):
        desk.clock.advance(dt.timedelta(hours=hours))
        with pytest.raises(RetryLater) as later:
            desk.cashier.check(desk.database, PaymentCheckDue(desk.world.hospital_id, payment_id))
        waits.append(later.value.seconds)
    assert waits == [5, 30, 750]


def test_others_keep_off_a_terminal_with_an_unanswered_sale(desk: CardDesk) -> None:
    _bill, doubtful = desk.swipe(MUTE)
    _bill, good = desk.swipe(GOOD)
    assert desk.act(good).state is CardActState.APPROVED
    assert desk.act(good).terminal_id != desk.act(doubtful).terminal_id
    _bill, second = desk.swipe(MUTE)
    _bill, waiting = desk.swipe(GOOD)
    assert desk.act(waiting).state is CardActState.CREATED, "no terminal is free of doubt"
    assert not desk.check(doubtful)
    assert not desk.check(waiting)
    assert desk.act(waiting).state is CardActState.APPROVED
    assert not desk.check(second)


def test_a_worker_that_dies_after_sending_leads_to_a_reversal_never_to_a_second_sale(
    desk: CardDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    real = desk.bank.sale

    def sale_then_die(*given: object) -> None:
        real(*given)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(BankCardGateway, "sale", lambda _self, *given: sale_then_die(*given))
    bill = desk.world.bill("REG-ASSOC")
    with desk.database.write(SYSTEM) as session:
        payment_id = service.start_card_payment(
            session, invoice_id=bill, amount_fen=2500, swiped=GOOD
        ).id
    with pytest.raises(Killed):
        desk.check(payment_id)
    assert desk.act(payment_id).state is CardActState.SENDING
    assert desk.check(payment_id), "somebody may still be sending it"
    assert desk.act(payment_id).state is CardActState.SENDING
    desk.clock.advance(dt.timedelta(seconds=61))
    assert desk.check(payment_id)
    assert desk.act(payment_id).state is CardActState.REVERSING
    assert not desk.check(payment_id)
    assert (desk.act(payment_id).state, desk.act(payment_id).response_code) == (
        CardActState.REVERSED,
        "00",
    )
    assert desk.bill_state(bill) is InvoiceState.OPEN
    assert desk.problems() == []


def test_a_bank_that_is_away_is_waited_for_and_then_given_up(
    desk: CardDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = replace(desk.bank.config, port=1)
    monkeypatch.setattr(desk.bank, "_opened", away)
    _bill, payment_id = desk.swipe(GOOD)
    assert desk.act(payment_id).state is CardActState.CREATED
    desk.clock.advance(dt.timedelta(minutes=16))
    assert not desk.check(payment_id)
    assert desk.payment(payment_id).state is PaymentState.CLOSED
    assert desk.act(payment_id).state is CardActState.WITHDRAWN


def test_a_second_card_must_wait_for_the_first(desk: CardDesk) -> None:
    desk.fault("silent", "sale")
    bill, payment_id = desk.swipe(GOOD)
    with pytest.raises(PaymentInFlight):
        desk.swipe(POOR, bill)
    _bill, same = desk.swipe(GOOD, bill)
    assert same == payment_id, "the same card twice is one payment"


def test_a_key_the_bank_has_forgotten_leads_to_sign_on_and_reversal(desk: CardDesk) -> None:
    desk.swipe(GOOD)
    desk.sandbox.reset()
    _bill, payment_id = desk.swipe(GOOD)
    assert desk.act(payment_id).state is CardActState.REVERSING
    assert not desk.check(payment_id)
    assert (desk.act(payment_id).state, desk.act(payment_id).response_code) == (
        CardActState.REVERSED,
        "25",
    )


def test_trace_numbers_have_no_gap_and_go_on_from_day_to_day(desk: CardDesk) -> None:
    stans = [desk.act(desk.swipe(card)[1]).stan for card in (GOOD, POOR, GOOD)]
    assert stans == ["000002", "000003", "000004"], "1 was the sign-on"
    desk.clock.advance(dt.timedelta(days=1))
    act = desk.act(desk.swipe(GOOD)[1])
    assert (act.state, act.stan) == (CardActState.APPROVED, "000006"), "5 was the sign-on"


def test_a_batch_is_settled_and_a_wrong_one_is_seen(desk: CardDesk) -> None:
    _bill, payment_id = desk.swipe(GOOD)
    terminal_id = desk.act(payment_id).terminal_id or ""
    assert desk.cashier.settle(desk.database, terminal_id) is True
    _bill, payment_id = desk.swipe(GOOD)
    assert desk.act(payment_id).batch == 2
    with desk.database.write(SYSTEM, housekeeping=True) as session:
        session.execute(text("UPDATE billing_card_act SET amount_fen = 2400 WHERE batch = 2"))
    assert desk.cashier.settle(desk.database, terminal_id) is False
    with desk.database.read(SYSTEM) as session:
        rows = session.scalars(select(CardSettlement).order_by(CardSettlement.batch)).all()
    assert [(row.sales_fen, row.is_balanced) for row in rows] == [(2500, True), (2400, False)]


def test_every_terminal_is_settled_and_one_in_doubt_waits(desk: CardDesk) -> None:
    _bill, payment_id = desk.swipe(GOOD)
    assert set(desk.cashier.settle_all(desk.database).values()) == {True}
    desk.fault("silent", "settlement")
    first, second = desk.cashier.settle_all(desk.database).values()
    assert (first, second) == (None, True)
    assert set(desk.cashier.settle_all(desk.database).values()) == {True}
    _bill, payment_id = desk.swipe(MUTE)
    doubtful = desk.act(payment_id).terminal_id
    assert desk.cashier.settle_all(desk.database)[doubtful or ""] is None


def test_no_card_number_is_left_anywhere(desk: CardDesk, tmp_path: Path) -> None:
    desk.fault("silent", "sale")
    _bill, payment_id = desk.swipe(GOOD)
    desk.check(payment_id)
    for card in (GOOD, POOR, MUTE):
        _bill, payment_id = desk.swipe(card)
        desk.check(payment_id)
    assert desk.act(payment_id).card_number_sealed is None
    with desk.database.engine.connect() as connection:
        names = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'table'")
        ).scalars()
        dump = json.dumps(
            [
                [str(v) for v in row]
                for name in names
                for row in connection.execute(text(f"SELECT * FROM {name}"))
            ]
        )
    for card in (GOOD, POOR, MUTE):
        assert card not in dump
    assert "629999******0017" in dump

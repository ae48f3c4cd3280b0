"""Refunds of card payments over the real wire: once, whatever is lost, and by one worker at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from backend.billing import handlers, queries, service
from backend.billing.models import CardAct, CardTerminal
from backend.billing.ports import CardAnswer
from backend.billing.rules import CaseKind, RefundState
from backend.billing.rules.cards import CardActState
from backend.billing.services import card_terminals
from backend.channels.bank_card import BankCardGateway
from backend.contracts.billing import RefundCheckDue
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.outbox import RetryLater
from tests.contract.wechat.sandbox_process import Sandbox
from tests.factories.card_desk import GOOD, CardDesk, open_card_desk
from tests.factories.databases import SYSTEM


@pytest.fixture
def desk(sandbox_process: Sandbox, tmp_path: Path) -> Iterator[CardDesk]:
    with open_card_desk(sandbox_process, tmp_path) as desk:
        yield desk


@pytest.mark.parametrize("mode", [None, "silent", "swallow", "bad_mac"])
def test_a_refund_goes_back_once(mode: str | None, desk: CardDesk) -> None:
    bill, _payment_id = desk.swipe(GOOD)
    if mode is not None:
        desk.fault(mode, "card_refund")
    refund_id = desk.refund(bill, 1000)
    if mode is not None:
        assert desk.refund_state(refund_id) is RefundState.UNKNOWN
        desk.cashier.give_back(desk.database, RefundCheckDue(desk.world.hospital_id, refund_id))
    assert desk.refund_state(refund_id) is RefundState.SUCCEEDED
    desk.cashier.give_back(desk.database, RefundCheckDue(desk.world.hospital_id, refund_id))
    with desk.database.read(SYSTEM) as session:
        acts = session.scalars(select(CardAct).where(CardAct.refund_id == refund_id)).all()
    assert [act.state for act in acts] == [CardActState.APPROVED]
    assert desk.cashier.settle(desk.database, acts[0].terminal_id or "") is True
    assert desk.problems() == []


def test_a_refund_the_bank_refuses_is_a_case(desk: CardDesk) -> None:
    bill, _payment_id = desk.swipe(GOOD)
    desk.sandbox.reset()  # the bank has forgotten the sale
    with desk.database.write(SYSTEM, housekeeping=True) as session:
        for terminal in session.scalars(select(CardTerminal)):
            terminal.mac_key_sealed = None
    refund_id = desk.refund(bill, 2500)
    assert desk.refund_state(refund_id) is RefundState.ABNORMAL
    with desk.database.read(SYSTEM) as session:
        kinds = [case.kind for case in queries.list_open_cases(session)]
    assert kinds == [CaseKind.REFUND_ABNORMAL]
    assert desk.problems() == []


def test_a_refund_asked_for_again_is_a_new_message_not_a_repeat(
    desk: CardDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill, _payment_id = desk.swipe(GOOD)
    repeats = list[bool]()

    def refuse(*_given: object, is_repeat: bool) -> CardAnswer:
        repeats.append(is_repeat)
        return CardAnswer("96", "", "")

    with monkeypatch.context() as patch:
        patch.setattr(BankCardGateway, "refund", refuse)
        refund_id = desk.refund(bill, 2500)
        with desk.database.write(SYSTEM) as session:
            service.retry_refund(session, refund_id)
        Dispatcher(desk.database).drain()
    assert repeats == [False, False]
    with desk.database.write(SYSTEM) as session:
        service.retry_refund(session, refund_id)
    Dispatcher(desk.database).drain()
    assert desk.refund_state(refund_id) is RefundState.SUCCEEDED


def test_who_finds_a_refund_at_another_workers_terminal_comes_again(
    desk: CardDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill, payment_id = desk.swipe(GOOD)
    real, others = handlers.CardCashier._terminal, list[str]()

    def another_is_quicker(cashier: handlers.CardCashier, *given: object, **named: object) -> Any:
        if not others:
            others.append("it sends, and dies over it with its terminal in hand")
            desk.fault("swallow", "card_refund")
            with pytest.raises(RetryLater):
                cashier.give_back(desk.database, event)
            with desk.database.write(SYSTEM, housekeeping=True) as session:
                card_terminals.hold_terminal(
                    session, desk.bank.terminal_ids, own=desk.act(payment_id).terminal_id
                )
        return real(cashier, *given, **named)  # type: ignore[arg-type]

    with desk.database.write(SYSTEM) as session:
        charge_id = queries.get_invoice(session, bill).lines[0].charge_id
        [refund] = service.refund_charges(
            session, invoice_id=bill, parts={charge_id: 1000}, reason="退号"
        )
        event = RefundCheckDue(desk.world.hospital_id, refund.id)
    monkeypatch.setattr(handlers.CardCashier, "_terminal", another_is_quicker)
    with pytest.raises(RetryLater):
        desk.cashier.give_back(desk.database, event)
    desk.clock.advance(dt.timedelta(seconds=61))
    desk.cashier.give_back(desk.database, event)
    assert desk.refund_state(event.refund_id) is RefundState.SUCCEEDED

"""Prepaid accounts: opened, topped up by any tender, used, refunded to, withdrawn from, frozen and closed."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from backend.billing import queries, service
from backend.billing.errors import (
    AccountNotOpen,
    AccountUnknown,
    BalanceLeft,
    BalanceTooLow,
    InvoiceNotOpen,
)
from backend.billing.models import DepositAccount
from backend.billing.rules import AccountState, Channel, InvoiceState, RefundState, Tender
from backend.billing.verify import verify_ledger
from backend.kernel import audit
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id
from tests.factories.billing import MoneyWorld, ScriptedGateway, make_patient, paid
from tests.factories.databases import SYSTEM


@pytest.fixture
def account(world: MoneyWorld) -> Id:
    """The patient's empty outpatient account."""
    with world.database.write(SYSTEM) as session:
        return service.open_account(
            session, hospital_id=world.hospital_id, patient_id=world.patient_id
        ).id


def balance(world: MoneyWorld, account_id: Id) -> int:
    with world.database.read(SYSTEM) as session:
        assert verify_ledger(session).problems == []
        return queries.get_account(session, account_id).balance_fen


def top_up_by_cash(world: MoneyWorld, account_id: Id, amount_fen: int) -> Id:
    with world.database.write(SYSTEM) as session:
        bill = service.start_top_up(session, account_id=account_id, amount_fen=amount_fen)
        service.pay_cash(
            session, invoice_id=bill.id, received_fen=amount_fen, channel=Channel.COUNTER
        )
        return bill.id


def top_up_by_wechat(
    world: MoneyWorld,
    account_id: Id,
    amount_fen: int,
    gateway: ScriptedGateway,
    dispatcher: Dispatcher,
) -> Id:
    with world.database.write(SYSTEM) as session:
        bill_id = service.start_top_up(session, account_id=account_id, amount_fen=amount_fen).id
    _payment, number = world.start_qr(bill_id, amount_fen)
    dispatcher.drain()
    world.report(gateway.pay(number))
    return bill_id


def pay(world: MoneyWorld, invoice_id: Id, amount_fen: int | None = None) -> Id:
    with world.database.write(SYSTEM) as session:
        return service.pay_prepaid(session, invoice_id=invoice_id, amount_fen=amount_fen).id


def withdraw(world: MoneyWorld, account_id: Id, amount_fen: int | None = None) -> list[Id]:
    with world.database.write(SYSTEM) as session:
        made = service.withdraw(
            session,
            account_id=account_id,
            amount_fen=amount_fen,
            reason="余额退回",
            channel=Channel.COUNTER,
        )
        return [refund.id for refund in made]


def test_one_account_a_patient(world: MoneyWorld, account: Id) -> None:
    with world.database.write(SYSTEM) as session:
        again = service.open_account(
            session, hospital_id=world.hospital_id, patient_id=world.patient_id
        )
        assert again.id == account


def test_a_top_up_counts_once_it_is_paid_in_full(world: MoneyWorld, account: Id) -> None:
    with world.database.write(SYSTEM) as session:
        bill = service.start_top_up(session, account_id=account, amount_fen=10000, key="k").id
    with world.database.write(SYSTEM) as session:
        again = service.start_top_up(session, account_id=account, amount_fen=10000, key="k")
        assert again.id == bill
    with world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=bill, received_fen=4000, amount_fen=4000)
    assert balance(world, account) == 0
    _payment, number = world.start_qr(bill, 6000)
    world.report(paid(number, 6000))
    world.report(paid(number, 6000))
    assert balance(world, account) == 10000
    with world.database.read(SYSTEM) as session:
        assert queries.get_invoice(session, bill).number == "D202600000001"


def test_a_top_up_that_is_given_up_gives_its_parts_back(world: MoneyWorld, account: Id) -> None:
    with world.database.write(SYSTEM) as session:
        bill = service.start_top_up(session, account_id=account, amount_fen=10000).id
        service.pay_cash(session, invoice_id=bill, received_fen=4000, amount_fen=4000)
        service.void_invoice(session, bill, reason="cancelled")
    assert balance(world, account) == 0
    with world.database.read(SYSTEM) as session:
        assert [c.amount_fen for c in queries.list_open_cases(session)] == [4000]


def test_pay_part_from_the_account_and_the_rest_in_cash(world: MoneyWorld, account: Id) -> None:
    top_up_by_cash(world, account, 2000)
    bill = world.bill("REG-ASSOC")
    with pytest.raises(BalanceTooLow) as refusal:
        pay(world, bill, 2500)
    assert refusal.value.facts["balance_fen"] == 2000
    pay(world, bill)
    with world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=bill, received_fen=500)
    assert balance(world, account) == 0
    with world.database.read(SYSTEM) as session:
        assert queries.get_invoice(session, bill).state is InvoiceState.PAID


def test_a_refund_goes_back_onto_the_account_at_once(world: MoneyWorld, account: Id) -> None:
    top_up_by_cash(world, account, 5000)
    bill = world.bill("REG-ASSOC")
    pay(world, bill)
    assert balance(world, account) == 2500
    with world.database.write(SYSTEM) as session:
        charge_id = queries.get_invoice(session, bill).lines[0].charge_id
        (refund,) = service.refund_charges(
            session, invoice_id=bill, parts={charge_id: 1000}, reason="退"
        )
        assert refund.state is RefundState.SUCCEEDED
    assert balance(world, account) == 3500


def test_a_balance_goes_back_to_its_tenders_newest_first(
    world: MoneyWorld, account: Id, gateway: ScriptedGateway, dispatcher: Dispatcher
) -> None:
    top_up_by_cash(world, account, 3000)
    top_up_by_wechat(world, account, 2000, gateway, dispatcher)
    pay(world, world.bill("LAB-CBC"))
    refunds = withdraw(world, account)
    dispatcher.drain()
    assert balance(world, account) == 0
    with world.database.read(SYSTEM) as session:
        views = [queries.get_refund(session, refund_id) for refund_id in refunds]
        tenders = [queries.get_payment(session, view.payment_id).tender for view in views]
    assert [(view.amount_fen, tender) for view, tender in zip(views, tenders, strict=True)] == [
        (2000, Tender.WECHAT_NATIVE),
        (1000, Tender.CASH),
    ]
    assert {view.state for view in views} == {RefundState.SUCCEEDED}


def test_no_more_is_withdrawn_than_is_there(world: MoneyWorld, account: Id) -> None:
    top_up_by_cash(world, account, 3000)
    for amount in (3001, 0, -1):
        with pytest.raises(BalanceTooLow):
            withdraw(world, account, amount)
    withdraw(world, account, 1000)
    with pytest.raises(BalanceTooLow):
        withdraw(world, account, 2001)
    assert balance(world, account) == 2000


def test_a_top_up_that_was_spent_is_not_refunded_by_its_bill(
    world: MoneyWorld, account: Id
) -> None:
    bill = top_up_by_cash(world, account, 3000)
    pay(world, world.bill("REG-ASSOC"))
    with world.database.write(SYSTEM) as session:
        charge_id = queries.get_invoice(session, bill).lines[0].charge_id
    with pytest.raises(BalanceTooLow), world.database.write(SYSTEM) as session:
        service.refund_charges(session, invoice_id=bill, parts={charge_id: 3000}, reason="退")
    assert balance(world, account) == 500


def test_nothing_leaves_a_frozen_account(world: MoneyWorld, account: Id) -> None:
    top_up_by_cash(world, account, 3000)
    with world.database.write(SYSTEM) as session:
        awaited = service.start_top_up(session, account_id=account, amount_fen=100).id
    with world.database.write(SYSTEM) as session:
        service.freeze_account(session, account, reason="卡丢失")
    with pytest.raises(AccountNotOpen):
        pay(world, world.bill("LAB-CBC"))
    with pytest.raises(AccountNotOpen):
        withdraw(world, account)
    with pytest.raises(AccountNotOpen), world.database.write(SYSTEM) as session:
        service.start_top_up(session, account_id=account, amount_fen=100)
    with world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=awaited, received_fen=100)
    assert balance(world, account) == 3100  # what was on its way in arrives
    with pytest.raises(InvalidInput), world.database.write(SYSTEM) as session:
        service.unfreeze_account(session, account, reason=" ")
    with world.database.write(SYSTEM) as session:
        service.unfreeze_account(session, account, reason="卡已找回")
    pay(world, world.bill("LAB-CBC"))
    assert balance(world, account) == 1100


def test_an_account_closes_empty_and_opens_again(world: MoneyWorld, account: Id) -> None:
    top_up_by_cash(world, account, 2000)
    with pytest.raises(BalanceLeft), world.database.write(SYSTEM) as session:
        service.close_account(session, account)
    bill = world.bill("LAB-CBC")
    pay(world, bill)
    with world.database.write(SYSTEM) as session:
        awaited = service.start_top_up(session, account_id=account, amount_fen=100).id
    with pytest.raises(BalanceLeft), world.database.write(SYSTEM) as session:
        service.close_account(session, account)
    with world.database.write(SYSTEM) as session:
        service.void_invoice(session, awaited, reason="cancelled")
        session.flush()
        service.close_account(session, account)
    with pytest.raises(AccountNotOpen):
        pay(world, world.bill("LAB-CBC"))
    with world.database.write(SYSTEM) as session:
        charge_id = queries.get_invoice(session, bill).lines[0].charge_id
        service.refund_charges(session, invoice_id=bill, parts={charge_id: 2000}, reason="退")
    with world.database.read(SYSTEM) as session:
        assert queries.get_account(session, account).state is AccountState.OPEN
    assert balance(world, account) == 2000


def test_a_balance_pays_its_own_patient_only(world: MoneyWorld, account: Id) -> None:
    top_up_by_cash(world, account, 3000)
    with world.database.write(SYSTEM) as session:
        other = make_patient(session, world.hospital_id, "李四")
        service.open_account(session, hospital_id=world.hospital_id, patient_id=other)
    stranger = MoneyWorld(world.database, world.hospital_id, other)
    with pytest.raises(BalanceTooLow):
        pay(stranger, stranger.bill("LAB-CBC"))
    with world.database.write(SYSTEM) as session:
        third = make_patient(session, world.hospital_id, "王五")
        audit.record(session, "test.register", entity="patient", entity_id=third)
    nobody = MoneyWorld(world.database, world.hospital_id, third)
    with pytest.raises(AccountUnknown):
        pay(nobody, nobody.bill("LAB-CBC"))


def test_a_top_up_is_not_paid_by_a_balance_and_has_bounds(world: MoneyWorld, account: Id) -> None:
    top_up_by_cash(world, account, 3000)
    with world.database.write(SYSTEM) as session:
        bill = service.start_top_up(session, account_id=account, amount_fen=1000).id
    with pytest.raises(InvoiceNotOpen):
        pay(world, bill)
    for amount in (0, -1, 5_000_001):
        with pytest.raises(InvalidInput), world.database.write(SYSTEM) as session:
            service.start_top_up(session, account_id=account, amount_fen=amount)


def test_the_database_itself_refuses_a_negative_balance(world: MoneyWorld, account: Id) -> None:
    with (
        pytest.raises(IntegrityError),
        world.database.write(SYSTEM, housekeeping=True) as session,
    ):
        session.execute(
            update(DepositAccount).where(DepositAccount.id == account).values(balance_fen=-1)
        )


def test_the_statement_explains_the_balance_by_day(world: MoneyWorld, account: Id) -> None:
    top_up_by_cash(world, account, 5000)
    pay(world, world.bill("LAB-CBC"))
    withdraw(world, account, 1000)
    with world.database.read(SYSTEM) as session:
        day = (
            queries.get_account(session, account)
            .opened_at.astimezone(dt.timezone(dt.timedelta(hours=8)))
            .date()
        )
        statement = queries.get_statement(session, account, first=day, last=day)
        empty = queries.get_statement(
            session, account, first=day + dt.timedelta(1), last=day + dt.timedelta(1)
        )
    assert (statement.opening_fen, statement.closing_fen) == (0, 2000)
    assert [line.amount_fen for line in statement.lines] == [5000, -2000, -1000]
    assert (empty.opening_fen, empty.closing_fen, empty.lines) == (2000, 2000, ())

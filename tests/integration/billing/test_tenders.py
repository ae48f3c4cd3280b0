"""Every tender has its account; who took money and where is kept; tenders without a platform are left alone."""

from __future__ import annotations

import pytest

from backend.billing import queries, rules, service
from backend.billing.models import Payment, Refund
from backend.billing.ports import TradeState, TradeStatus
from backend.billing.rules import Channel, InvoiceState, PaymentState, Tender
from backend.billing.verify import verify_ledger
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Actor, ActorKind, Permission
from tests.factories.billing import MoneyWorld, ScriptedGateway, paid
from tests.factories.bills import refund_part
from tests.factories.databases import SYSTEM


def actor(world: MoneyWorld, kind: ActorKind, label: str) -> Actor:
    grants = dict.fromkeys(Permission)
    return Actor(kind, id=new_id(), hospital_id=world.hospital_id, label=label, grants=grants)


def test_who_took_it_and_where(world: MoneyWorld) -> None:
    cases = [
        (ActorKind.STAFF, "E001", Channel.COUNTER),
        (ActorKind.DEVICE, "K-01", Channel.KIOSK),
        (ActorKind.PATIENT, "patient", Channel.PHONE),
    ]
    for kind, label, channel in cases:
        acting = actor(world, kind, label)
        bill = world.bill("REG-ASSOC")
        with world.database.write(acting) as session:
            payment = service.start_qr_payment(session, invoice_id=bill, amount_fen=2500)
        assert (payment.channel, payment.actor_kind, payment.actor_id, payment.actor_label) == (
            channel,
            kind,
            acting.id,
            label,
        )
        with world.database.read(acting) as session:
            view = queries.get_payment(session, payment.id)
            assert (view.channel, view.actor_label) == (channel, label)


def test_a_named_channel_wins_and_a_refund_knows_its_own(world: MoneyWorld) -> None:
    cashier = actor(world, ActorKind.STAFF, "E001")
    bill = world.bill("LAB-CBC")
    with world.database.write(SYSTEM) as session:
        payment = service.pay_cash(
            session, invoice_id=bill, received_fen=2000, channel=Channel.COUNTER
        )
        assert payment.channel is Channel.COUNTER
    with world.database.write(cashier) as session:
        [refund] = refund_part(session, bill, 2000)
    with world.database.read(SYSTEM) as session:
        kept = session.get_one(Refund, refund.id)
        assert (kept.channel, kept.actor_label) == (Channel.COUNTER, "E001")


def start(world: MoneyWorld, tender: Tender) -> tuple[Id, str, Id]:
    bill = world.bill("CT-CHEST")
    return *world.start_qr(bill, 18000, tender), bill


@pytest.mark.parametrize("tender", sorted(set(Tender) - rules.QR_TENDERS))
def test_what_has_no_code_is_not_begun_by_one(tender: Tender, world: MoneyWorld) -> None:
    bill = world.bill("CT-CHEST")
    with pytest.raises(InvalidInput), world.database.write(SYSTEM) as session:
        service.start_qr_payment(session, invoice_id=bill, amount_fen=18000, tender=tender)


def test_a_tender_without_a_platform_is_left_to_others(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    payment_id, number, bill = start(world, Tender.BANK_CARD)
    dispatcher.drain()
    assert gateway.calls == []
    with world.database.read(SYSTEM) as session:
        assert session.get_one(Payment, payment_id).state is PaymentState.CREATED
    world.report(paid(number, 18000))
    with world.database.read(SYSTEM) as session:
        assert queries.get_invoice(session, bill).state is InvoiceState.PAID
        assert verify_ledger(session).problems == []


def test_stray_money_lies_where_its_platform_is(world: MoneyWorld) -> None:
    with world.database.write(SYSTEM) as session:
        status = TradeStatus("not-ours", TradeState.SUCCESS, 700, "tx-1")
        service.record_stray_trade(session, status, tender=Tender.ALIPAY_QR)
    with world.database.read(SYSTEM) as session:
        assert verify_ledger(session).problems == []
        assert queries.list_open_cases(session)[0].tender is Tender.ALIPAY_QR


def test_every_tender_has_an_account_in_the_chart() -> None:
    assert set(rules.TENDER_ACCOUNTS) == set(Tender)
    assert set(rules.TENDER_ACCOUNTS.values()) <= rules.ACCOUNTS

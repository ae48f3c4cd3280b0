"""Prices, charges and bills: priced on the day, billed once, numbered without gaps, ended cleanly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import queries, service
from backend.billing.errors import (
    CashTooLittle,
    ChargeNotPending,
    InvoiceExpired,
    InvoiceNotOpen,
    InvoiceUnknown,
    PaymentInFlight,
    PaymentUnknown,
    PriceUnknown,
)
from backend.billing.models import Invoice
from backend.billing.rules import ChargeState, InvoiceState, PriceCategory
from backend.billing.verify import verify_ledger
from backend.kernel.clock import FixedClock
from backend.kernel.errors import Conflict, InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import system_actor
from backend.organization.service import add_hospital
from tests.factories.billing import MoneyWorld
from tests.factories.databases import SYSTEM

QUARTER = dt.timedelta(minutes=15)


def is_explained(world: MoneyWorld) -> bool:
    with world.database.read(SYSTEM) as session:
        report = verify_ledger(session)
    assert report.problems == []
    return report.checked > 0


def test_a_price_holds_from_its_day_and_the_past_stays(
    world: MoneyWorld, clock: FixedClock
) -> None:
    today = dt.date(2026, 11, 23)
    tomorrow = today + dt.timedelta(days=1)
    with world.database.write(SYSTEM) as session:
        service.set_price(
            session,
            hospital_id=world.hospital_id,
            code="LAB-CBC",
            name="血常规（五分类）",
            unit="次",
            category=PriceCategory.LABORATORY,
            price_fen=2200,
            effective_from=tomorrow,
        )
    with world.database.read(SYSTEM) as session:
        assert queries.get_price(session, world.hospital_id, "LAB-CBC", today).price_fen == 2000
        assert queries.get_price(session, world.hospital_id, "LAB-CBC", tomorrow).price_fen == 2200
        with pytest.raises(PriceUnknown):
            queries.get_price(session, world.hospital_id, "LAB-CBC", today - dt.timedelta(days=1))
        listed = queries.search_prices(session, world.hospital_id, on=tomorrow, text="xcg")
    assert [(item.code, item.price_fen) for item in listed] == [("LAB-CBC", 2200)]
    with pytest.raises(Conflict), world.database.write(SYSTEM) as session:
        service.set_price(
            session,
            hospital_id=world.hospital_id,
            code="LAB-CBC",
            name="血常规（五分类）",
            unit="次",
            category=PriceCategory.LABORATORY,
            price_fen=1,
            effective_from=today,
        )


def test_prices_are_found_by_code_name_part_and_initials(world: MoneyWorld) -> None:
    with world.database.read(SYSTEM) as session:

        def codes(text: str) -> list[str]:
            found = queries.search_prices(
                session, world.hospital_id, on=dt.date(2026, 11, 23), text=text
            )
            return [price.code for price in found]

        assert codes("ct-") == ["CT-CHEST"]
        assert codes("CT平") == ["CT-CHEST"]
        assert codes("xbct") == ["CT-CHEST"]
        assert codes("%") == []
        assert codes("") == ["CT-CHEST", "DRUG-1", "FREE", "LAB-CBC", "REG-ASSOC"]


def test_one_source_is_charged_once(world: MoneyWorld) -> None:
    source_id = new_id()
    charges = []
    for _try in range(2):
        with world.database.write(SYSTEM) as session:
            charge = service.raise_charge(
                session,
                hospital_id=world.hospital_id,
                patient_id=world.patient_id,
                price_item_code="DRUG-1",
                quantity=3,
                source_kind="order",
                source_id=source_id,
            )
            charges.append((charge.id, charge.amount_fen))
    assert charges[0] == charges[1]
    assert charges[0][1] == 9999
    assert is_explained(world)


def test_a_quantity_below_one_is_refused(world: MoneyWorld) -> None:
    with pytest.raises(InvalidInput), world.database.write(SYSTEM) as session:
        world.charge_in(session, "DRUG-1", quantity=0)


def test_a_cancelled_charge_leaves_the_books(world: MoneyWorld) -> None:
    with world.database.write(SYSTEM) as session:
        charge_id = world.charge_in(session, "LAB-CBC").id
    with world.database.write(SYSTEM) as session:
        service.cancel_charge(session, charge_id)
        assert service.cancel_charge(session, charge_id).state is ChargeState.CANCELLED
    with world.database.read(SYSTEM) as session:
        assert queries.list_due(session, world.patient_id).total_fen == 0
    assert is_explained(world)


def test_a_bill_takes_each_charge_once(world: MoneyWorld) -> None:
    with world.database.write(SYSTEM) as session:
        charge_id = world.charge_in(session, "LAB-CBC").id
        service.open_invoice(session, patient_id=world.patient_id, charge_ids=[charge_id])
    with pytest.raises(ChargeNotPending), world.database.write(SYSTEM) as session:
        service.open_invoice(session, patient_id=world.patient_id, charge_ids=[charge_id])


def test_a_bill_is_numbered_without_gaps_when_it_is_paid(
    world: MoneyWorld, clock: FixedClock
) -> None:
    def pay(invoice_id: Id) -> Invoice:
        with world.database.write(SYSTEM) as session:
            service.pay_cash(session, invoice_id=invoice_id, received_fen=2000)
            return session.get_one(Invoice, invoice_id)

    bills = [world.bill("LAB-CBC") for _ in range(3)]
    with world.database.write(SYSTEM) as session:
        service.void_invoice(session, bills[0], reason="test")
    assert pay(bills[2]).number == "202600000001"
    with pytest.raises(ZeroDivisionError), world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=bills[1], received_fen=2000)
        assert session.get_one(Invoice, bills[1]).ordinal == 1 / 0
    clock.advance(dt.timedelta(days=365))
    assert pay(bills[1]).number == "202700000001", "the year in which it is paid"
    with world.database.read(SYSTEM) as session:
        numbers = session.scalars(select(Invoice.number).order_by(Invoice.id)).all()
    assert numbers == ["", "202700000001", "202600000001"]
    assert is_explained(world)


def test_anothers_charges_are_not_billed(world: MoneyWorld) -> None:
    with world.database.write(SYSTEM) as session:
        charge_id = world.charge_in(session, "LAB-CBC").id
    with pytest.raises(ChargeNotPending), world.database.write(SYSTEM) as session:
        service.open_invoice(session, patient_id=new_id(), charge_ids=[charge_id])
    with pytest.raises(InvalidInput), world.database.write(SYSTEM) as session:
        service.open_invoice(session, patient_id=world.patient_id, charge_ids=[])


def test_a_bill_of_nothing_is_paid_at_once(world: MoneyWorld) -> None:
    invoice_id = world.bill("FREE")
    with world.database.read(SYSTEM) as session:
        invoice = queries.get_invoice(session, invoice_id)
    assert invoice.state is InvoiceState.PAID
    assert [line.state for line in invoice.lines] == [ChargeState.PAID]
    assert is_explained(world)


def test_cash_pays_a_bill_and_gives_change(world: MoneyWorld) -> None:
    invoice_id = world.bill("REG-ASSOC", "LAB-CBC")
    with world.database.write(SYSTEM) as session:
        payment = service.pay_cash(session, invoice_id=invoice_id, received_fen=5000, key="k1")
        assert (payment.amount_fen, payment.change_fen) == (4500, 500)
        payment_id = payment.id
    with world.database.write(SYSTEM) as session:
        again = service.pay_cash(session, invoice_id=invoice_id, received_fen=5000, key="k1")
        assert again.id == payment_id
    with pytest.raises(InvoiceNotOpen), world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=invoice_id, received_fen=5000, key="k2")
    with world.database.read(SYSTEM) as session:
        assert queries.get_invoice(session, invoice_id).state is InvoiceState.PAID
        assert queries.list_open_invoices(session, world.patient_id) == []
    assert is_explained(world)


def test_too_little_cash_takes_nothing(world: MoneyWorld) -> None:
    invoice_id = world.bill("REG-ASSOC")
    with pytest.raises(CashTooLittle), world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=invoice_id, received_fen=2499)
    with world.database.read(SYSTEM) as session:
        assert queries.list_payments(session, invoice_id) == []
        assert queries.get_invoice(session, invoice_id).due_fen == 2500


def test_cash_waits_until_a_qr_payment_was_asked_to_close(world: MoneyWorld) -> None:
    invoice_id = world.bill("REG-ASSOC")
    payment_id, _number = world.start_qr(invoice_id, 2500)
    with pytest.raises(PaymentInFlight), world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=invoice_id, received_fen=2500)
    with world.database.write(SYSTEM) as session:
        service.cancel_payment(session, payment_id)
    with world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=invoice_id, received_fen=2500)
    assert is_explained(world)


def test_an_expired_bill_takes_no_money(world: MoneyWorld, clock: FixedClock) -> None:
    invoice_id = world.bill("REG-ASSOC", expires_in=QUARTER)
    clock.advance(QUARTER)
    with pytest.raises(InvoiceExpired), world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=invoice_id, received_fen=2500)
    with pytest.raises(InvoiceExpired), world.database.write(SYSTEM) as session:
        service.start_qr_payment(session, invoice_id=invoice_id, amount_fen=2500)


@pytest.mark.parametrize("cancel_charges", [True, False])
def test_a_voided_bill_cancels_or_frees_its_charges(
    world: MoneyWorld, cancel_charges: bool
) -> None:
    invoice_id = world.bill("REG-ASSOC")
    for _try in range(2):
        with world.database.write(SYSTEM) as session:
            service.void_invoice(session, invoice_id, reason="test", cancel_charges=cancel_charges)
    with world.database.read(SYSTEM) as session:
        assert queries.get_invoice(session, invoice_id).state is InvoiceState.VOID
        due = queries.list_due(session, world.patient_id)
    assert due.total_fen == (0 if cancel_charges else 2500)
    assert is_explained(world)


def test_a_paid_bill_cannot_be_voided(world: MoneyWorld) -> None:
    invoice_id = world.bill("REG-ASSOC")
    with world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=invoice_id, received_fen=2500)
    with pytest.raises(InvoiceNotOpen), world.database.write(SYSTEM) as session:
        service.void_invoice(session, invoice_id, reason="test")


def test_another_hospitals_money_does_not_exist(world: MoneyWorld) -> None:
    with world.database.write(SYSTEM) as session:
        charge_id = world.charge_in(session, "LAB-CBC").id
        invoice = world.bill_in(session, "REG-ASSOC")
        payment = service.start_qr_payment(session, invoice_id=invoice.id, amount_fen=2500)
        invoice_id, payment_id = invoice.id, payment.id
        elsewhere = system_actor("test", add_hospital(session, code="H2", name="别的医院").id)
    with world.database.read(elsewhere) as session:
        with pytest.raises(InvoiceUnknown):
            queries.get_invoice(session, invoice_id)
        with pytest.raises(PaymentUnknown):
            queries.get_payment(session, payment_id)
    acts: list[Callable[[Session], object]] = [
        lambda session: service.pay_cash(session, invoice_id=invoice_id, received_fen=2500),
        lambda session: service.void_invoice(session, invoice_id, reason="test"),
        lambda session: service.cancel_payment(session, payment_id),
        lambda session: service.cancel_charge(session, charge_id),
        lambda session: service.open_invoice(
            session, patient_id=world.patient_id, charge_ids=[charge_id]
        ),
    ]
    for act in acts:
        with (
            pytest.raises((InvoiceUnknown, ChargeNotPending)),
            world.database.write(elsewhere) as session,
        ):
            act(session)

"""Charges of what was done or dispensed keep their money until that is reversed, with a reason."""

from __future__ import annotations

import pytest

from backend.billing import queries, service
from backend.billing.errors import ChargeExecuted
from backend.billing.rules import Channel, InvoiceState
from backend.billing.views import InvoiceView
from backend.contracts.clinical import OrderExecuted, OrderExecutionReversed
from backend.kernel import outbox
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id
from tests.factories.billing import MoneyWorld
from tests.factories.databases import SYSTEM


@pytest.fixture
def bill(world: MoneyWorld) -> InvoiceView:
    """A paid drug and a paid test."""
    invoice_id = world.bill("DRUG-1", "LAB-CBC")
    with world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=invoice_id, received_fen=5333)
    return invoice_of(world, invoice_id)


def invoice_of(world: MoneyWorld, invoice_id: Id) -> InvoiceView:
    with world.database.read(SYSTEM) as session:
        return queries.get_invoice(session, invoice_id)


def refund(world: MoneyWorld, bill: InvoiceView, *charges: Id) -> None:
    left = {line.charge_id: line.amount_fen - line.refunded_fen for line in bill.lines}
    with world.database.write(SYSTEM) as session:
        service.refund_charges(
            session,
            invoice_id=bill.id,
            parts={charge: left[charge] for charge in charges},
            reason="退",
            channel=Channel.COUNTER,
        )


def test_a_dispensed_drug_is_not_refunded_before_it_comes_back(
    world: MoneyWorld, bill: InvoiceView, dispatcher: Dispatcher
) -> None:
    drug, test = bill.lines
    facts = (world.hospital_id, drug.source_id, world.patient_id)
    with world.database.write(SYSTEM, housekeeping=True) as session:
        outbox.publish(session, OrderExecuted(*facts, "drug"))
    dispatcher.drain()
    assert [line.is_executed for line in invoice_of(world, bill.id).lines] == [True, False]
    for charges in ((drug.charge_id,), (test.charge_id, drug.charge_id)):
        with pytest.raises(ChargeExecuted):
            refund(world, bill, *charges)
    refund(world, bill, test.charge_id)
    assert invoice_of(world, bill.id).state is InvoiceState.PART_REFUNDED
    with world.database.write(SYSTEM, housekeeping=True) as session:
        outbox.publish(session, OrderExecutionReversed(*facts, "returned"))
    dispatcher.drain()
    refund(world, bill, drug.charge_id)
    assert invoice_of(world, bill.id).state is InvoiceState.REFUNDED


def test_reversing_needs_a_reason_and_is_done_once(world: MoneyWorld, bill: InvoiceView) -> None:
    source = bill.lines[0].source_id
    with world.database.write(SYSTEM) as session:
        assert service.mark_executed(session, source_kind="order", source_id=source) == 1
    with world.database.write(SYSTEM, housekeeping=True) as session:
        assert service.mark_executed(session, source_kind="order", source_id=source) == 0
    with pytest.raises(InvalidInput), world.database.write(SYSTEM) as session:
        service.reverse_charge(session, bill.lines[0].charge_id, reason=" ")
    with world.database.write(SYSTEM) as session:
        assert service.reverse_charge(session, bill.lines[0].charge_id, reason="退药") == 1
    with world.database.write(SYSTEM, housekeeping=True) as session:
        assert service.reverse_charge(session, bill.lines[0].charge_id, reason="退药") == 0

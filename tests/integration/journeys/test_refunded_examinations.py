"""The fee of an examination goes back, and its booked place with it: to whoever else wants it, in one act."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.errors import ChargeExecuted
from backend.billing.ports import TradeState, TradeStatus
from backend.billing.rules import RefundState, Tender
from backend.billing.verify import verify_ledger
from backend.billing.views import InvoiceView
from backend.clinical.queries import list_examination_orders
from backend.clinical.service import ORDER
from backend.contracts.scheduling import ExaminationCancelled
from backend.journeys import desk as front_desk
from backend.journeys import refunds, settlement
from backend.kernel.ids import Id
from backend.kernel.outbox import OutboxEvent
from backend.kernel.uow import Database
from backend.scheduling.models import Appointment, Slot
from backend.scheduling.queries import examinations as queries
from backend.scheduling.rules import AppointmentState, SlotState
from backend.scheduling.verify import verify_slots
from tests.factories.databases import SYSTEM
from tests.factories.imaging_desk import ImagingDesk, make_imaging_desk

FEE_FEN = 30000


@pytest.fixture
def desk(database: Database) -> ImagingDesk:
    return make_imaging_desk(database)


def booked_and_paid(desk: ImagingDesk, *codes: str) -> InvoiceView:
    desk.order(*codes)
    desk.answer()
    desk.book(desk.propose())
    return bill_of(desk, desk.bill())


def bill_of(desk: ImagingDesk, invoice_id: Id) -> InvoiceView:
    with desk.database.read(SYSTEM) as session:
        return bills.get_invoice(session, invoice_id)


def give_back(desk: ImagingDesk, bill: InvoiceView, *names: str, fen: int = FEE_FEN) -> set[str]:
    """Refund these lines; the examinations that lost their booking."""
    parts = {line.charge_id: fen for line in bill.lines if line.name in names}
    assert len(parts) == len(names)
    with desk.database.write(SYSTEM) as session:
        done = refunds.refund_lines(session, invoice_id=bill.id, parts=parts, reason="患者不做了")
    return set(done.unbooked)


def booked(desk: ImagingDesk) -> set[str]:
    with desk.database.read(SYSTEM) as session:
        found = queries.list_booked_examinations(
            session, patient_id=desk.patient_id, hospital_id=desk.hospital_id
        )
    return {view.name for view in found}


def assert_books_are_clean(desk: ImagingDesk) -> None:
    with desk.database.read(SYSTEM) as session:
        assert verify_slots(session).problems == []
        assert verify_ledger(session).problems == []


def test_a_refunded_examination_frees_its_place_and_the_others_stay(desk: ImagingDesk) -> None:
    bill = booked_and_paid(desk, "US-ABD", "CT-C")
    assert give_back(desk, bill, "腹部CT增强") == {"腹部CT增强"}
    assert booked(desk) == {"腹部超声"}
    with desk.database.read(SYSTEM) as session:
        places = session.execute(
            select(Appointment.state, Appointment.cancel_reason, Slot.state)
            .join(Slot, Slot.id == Appointment.slot_id)
            .where(Appointment.device_id.is_not(None), Appointment.ended_at.is_not(None))
        ).all()
        told = list(session.scalars(select(OutboxEvent.name)))
    # Both of its places, free for anybody.
    assert places == [(AppointmentState.CANCELLED, "检查已退费", SlotState.FREE)] * 2
    assert told.count(ExaminationCancelled.NAME) == 1
    assert [str(one.visit.name) for one in desk.propose().plan.placed] == []
    assert_books_are_clean(desk)


def test_a_part_of_the_fee_keeps_the_place_and_the_last_part_frees_it(desk: ImagingDesk) -> None:
    bill = booked_and_paid(desk, "US-ABD")
    assert give_back(desk, bill, "腹部超声", fen=FEE_FEN - 1) == set()
    assert booked(desk) == {"腹部超声"}
    assert give_back(desk, bill, "腹部超声", fen=1) == {"腹部超声"}
    assert booked(desk) == set()
    assert_books_are_clean(desk)


def test_what_was_carried_out_keeps_money_and_booking(desk: ImagingDesk) -> None:
    bill = booked_and_paid(desk, "US-ABD", "GASTRO")
    done = next(line for line in bill.lines if line.name == "腹部超声")
    with desk.database.write(SYSTEM) as session:
        billing.mark_executed(session, source_kind=ORDER, source_id=done.source_id)
    with pytest.raises(ChargeExecuted):
        give_back(desk, bill, "腹部超声", "电子胃镜检查")
    assert booked(desk) == {"腹部超声", "电子胃镜检查"}
    assert_books_are_clean(desk)


def test_who_stayed_away_has_the_money_back_and_nothing_is_freed(desk: ImagingDesk) -> None:
    bill = booked_and_paid(desk, "US-ABD")
    with desk.database.read(SYSTEM) as session:
        (view,) = front_desk.booked_by_order(
            session, desk.patient_id, hospital_id=desk.hospital_id
        ).values()
    desk.database.clock.set(view.starts_at)  # type: ignore[attr-defined]
    assert give_back(desk, bill, "腹部超声") == set()
    assert bill_of(desk, bill.id).lines[0].refunded_fen == FEE_FEN
    assert_books_are_clean(desk)


def test_an_order_whose_refund_is_on_its_way_is_not_planned_again(desk: ImagingDesk) -> None:
    """A platform may take days: until then its charge still says *paid*."""
    desk.order("US-ABD")
    desk.book(desk.propose())
    invoice_id = desk.bill(is_paid=False)
    with desk.database.write(SYSTEM) as session:
        payment = billing.start_qr_payment(
            session, invoice_id=invoice_id, amount_fen=FEE_FEN, tender=Tender.WECHAT_NATIVE
        )
        settlement.record_trade_status(
            session,
            TradeStatus(
                out_trade_no=payment.out_trade_no or "",
                state=TradeState.SUCCESS,
                amount_fen=FEE_FEN,
                transaction_id="4200000001",
                paid_at=desk.database.clock.now() - dt.timedelta(seconds=1),
            ),
        )
    assert give_back(desk, bill_of(desk, invoice_id), "腹部超声") == {"腹部超声"}
    with desk.database.read(SYSTEM) as session:
        (refund,) = bills.list_refunds(session, invoice_id)
        assert refund.state is RefundState.CREATED
        assert not list_examination_orders(
            session, patient_id=desk.patient_id, hospital_id=desk.hospital_id
        )
    assert_books_are_clean(desk)

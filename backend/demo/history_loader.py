"""Replays what the demo patients did in the last thirty days and booked for the coming ones, in the order of time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import event
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.ports import RefundState, RefundStatus, TradeState, TradeStatus
from backend.billing.rules import Channel
from backend.clinical import queries as records
from backend.clinical import service as clinical
from backend.demo.ahead import Ahead, WaitSpec
from backend.demo.history import VisitSpec
from backend.demo.loader import Loaded, Progress, travel
from backend.journeys import booking, refunds, settlement
from backend.kernel.ids import Id
from backend.kernel.uow import now, write_rest
from backend.scheduling import queries as appointments
from backend.scheduling import service as scheduling

CHUNK = 100
WHAT = "30 天就诊与预约 visits and bookings"
PAY_AFTER = dt.timedelta(minutes=6)
#: Where somebody who booked there also pays.
_CHANNELS = {
    "counter": Channel.COUNTER,
    "kiosk": Channel.KIOSK,
    "miniprogram": Channel.PHONE,
    "wechat": Channel.PHONE,
}


@dataclass(slots=True)
class _Visit:
    """One planned visit and what came into being for it."""

    spec: VisitSpec
    patient_id: Id
    practitioner_id: Id
    department_id: Id
    appointment_id: Id | None = None
    encounter_id: Id | None = None


Step = tuple[dt.datetime, int, Callable[[], None]]


@dataclass(slots=True)
class _Replay:
    session: Session
    loaded: Loaded
    sessions: dict[dt.date, dict[tuple[Id, str], Id]] = field(default_factory=dict)
    slots: dict[Id, dict[int, Id]] = field(default_factory=dict)
    transactions: int = 0

    def steps(self, visit: _Visit) -> list[Step]:
        """The visit's steps with their moments, in order."""
        spec = visit.spec
        found: list[tuple[dt.datetime, Callable[[], None]]] = [
            (spec.booked_at, lambda: self._book(visit))
        ]
        if spec.cancelled_at:
            found.append((spec.cancelled_at, lambda: self._cancel(visit)))
        if spec.arrived_at:
            found.append((spec.arrived_at, lambda: self._arrive(visit)))
        if spec.called_at and spec.finished_at:
            found.append((spec.called_at, lambda: self._begin(visit)))
            found.append((spec.finished_at, lambda: self._finish(visit)))
            if spec.orders_tender:
                found.append((spec.finished_at + PAY_AFTER, lambda: self._pay_orders(visit)))
        return [(moment, index, act) for index, (moment, act) in enumerate(found)]

    def stand_in_line(self, wait: WaitSpec) -> None:
        """Someone wants a place of a session that is full by now."""
        scheduling.join_line(
            self.session,
            patient_id=self.loaded.patients[wait.card_number],
            schedule_id=self._session_of(
                self.loaded.staff[wait.staff_code], wait.day, wait.half_day
            ),
            channel=wait.channel,
        )

    def _book(self, visit: _Visit) -> None:
        spec = visit.spec
        schedule_id = self._session_of(visit.practitioner_id, spec.day, spec.half_day)
        if schedule_id not in self.slots:
            found = appointments.list_slots(self.session, schedule_id)
            self.slots[schedule_id] = {slot.number: slot.slot_id for slot in found}
        visit_booked = booking.book_visit(
            self.session,
            patient_id=visit.patient_id,
            schedule_id=schedule_id,
            channel=spec.channel,
            slot_id=self.slots[schedule_id][spec.slot_number],
        )
        visit.appointment_id = visit_booked.appointment.id
        self._pay(visit_booked.invoice.id, spec.fee_tender, _CHANNELS[spec.channel])

    def _session_of(self, practitioner_id: Id, day: dt.date, half_day: str) -> Id:
        if day not in self.sessions:
            self.sessions[day] = {
                (view.practitioner_id, view.half_day.value): view.schedule_id
                for view in appointments.list_schedules(
                    self.session, hospital_id=self.loaded.hospital_id, first=day, last=day
                )
                if view.practitioner_id is not None
            }
        return self.sessions[day][practitioner_id, half_day]

    def _pay(self, invoice_id: Id, tender: str, channel: Channel) -> None:
        invoice = bills.get_invoice(self.session, invoice_id)
        if invoice.due_fen == 0:
            return
        if tender == "cash":
            settlement.pay_cash(
                self.session,
                invoice_id=invoice_id,
                received_fen=invoice.due_fen,
                channel=Channel.COUNTER,
            )
            return
        payment = billing.start_qr_payment(
            self.session, invoice_id=invoice_id, amount_fen=invoice.due_fen, channel=channel
        )
        self.session.flush()
        self.transactions += 1
        settlement.record_trade_status(
            self.session,
            TradeStatus(
                out_trade_no=payment.out_trade_no or "",
                state=TradeState.SUCCESS,
                amount_fen=payment.amount_fen,
                transaction_id=f"4200009{self.transactions:021d}",
                paid_at=now(self.session),
            ),
        )

    def _cancel(self, visit: _Visit) -> None:
        if visit.appointment_id is None:
            return
        done = refunds.refund_visit(
            self.session, appointment_id=visit.appointment_id, reason="患者取消"
        )
        if done.refund is not None and done.refund.succeeded_at is None:
            self.transactions += 1
            billing.apply_refund_status(
                self.session,
                RefundStatus(
                    out_refund_no=done.refund.out_refund_no,
                    out_trade_no=None,
                    state=RefundState.SUCCESS,
                    amount_fen=done.refund.amount_fen,
                    refund_id=f"5030009{self.transactions:021d}",
                    succeeded_at=now(self.session),
                ),
            )

    def _arrive(self, visit: _Visit) -> None:
        if visit.appointment_id is not None:
            scheduling.mark_checked_in(self.session, visit.appointment_id)

    def _begin(self, visit: _Visit) -> None:
        visit.encounter_id = clinical.start_encounter(
            self.session,
            hospital_id=self.loaded.hospital_id,
            patient_id=visit.patient_id,
            practitioner_id=visit.practitioner_id,
            department_id=visit.department_id,
            appointment_id=visit.appointment_id,
        ).id

    def _finish(self, visit: _Visit) -> None:
        spec, encounter_id = visit.spec, visit.encounter_id
        if encounter_id is None or visit.appointment_id is None:
            return
        clinical.record_note(
            self.session,
            encounter_id=encounter_id,
            version=1,
            complaint=spec.complaint,
            history=spec.history,
            examination=spec.examination,
        )
        for code in spec.diagnosis_codes:
            clinical.add_diagnosis(self.session, encounter_id=encounter_id, code=code)
        for code in spec.laboratory_codes:
            clinical.place_laboratory_order(self.session, encounter_id=encounter_id, code=code)
        for order in spec.drug_orders:
            clinical.place_drug_order(
                self.session,
                encounter_id=encounter_id,
                code=order.drug_code,
                quantity=order.quantity,
                dose=order.dose,
                route=order.route,
                frequency=order.frequency,
            )
        clinical.finish_encounter(self.session, encounter_id)
        scheduling.mark_fulfilled(self.session, visit.appointment_id)

    def _pay_orders(self, visit: _Visit) -> None:
        if visit.encounter_id is None:
            return
        invoice_id = records.get_encounter(self.session, visit.encounter_id).invoice_id
        if invoice_id is not None:
            self._pay(invoice_id, visit.spec.orders_tender, _CHANNELS[visit.spec.channel])


def _kept_alive(session: Session) -> list[object]:
    """Rows read or written from now on, until the list is cleared; else each is read again a moment later."""
    rows: list[object] = []

    def keep(_session: Session, row: object) -> None:
        rows.append(row)

    event.listen(session, "loaded_as_persistent", keep)
    event.listen(session, "pending_to_persistent", keep)
    return rows


def load_history(
    session: Session,
    loaded: Loaded,
    visits: Sequence[VisitSpec],
    ahead: Ahead,
    progress: Progress,
) -> None:
    """Write every visit that was, every booking of the coming days, and who waits for a place."""
    replay = _Replay(session, loaded)
    steps: list[tuple[dt.datetime, int, int, Callable[[], None]]] = []
    planned = (*visits, *ahead.bookings)
    for number, spec in enumerate(planned):
        visit = _Visit(
            spec=spec,
            patient_id=loaded.patients[spec.card_number],
            practitioner_id=loaded.staff[spec.staff_code],
            department_id=loaded.departments[spec.department_code],
        )
        steps += [(moment, number, index, act) for moment, index, act in replay.steps(visit)]
    for number, wait in enumerate(ahead.waits, start=len(planned)):
        steps.append((wait.joined_at, number, 0, partial(replay.stand_in_line, wait)))
    steps.sort(key=lambda step: step[:3])
    alive = _kept_alive(session)
    for count, (moment, _number, _index, act) in enumerate(steps, start=1):
        travel(session, moment.astimezone(dt.UTC))
        act()
        if count % CHUNK == 0:
            write_rest(session)
            session.expunge_all()
            alive.clear()
            progress(WHAT, count, len(steps))
    progress(WHAT, len(steps), len(steps))

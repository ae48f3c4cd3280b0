"""Booking, giving up, giving back and checking in for the patient in hand."""

from __future__ import annotations

import datetime as dt

from flask import Response, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from backend.billing.rules import Tender
from backend.journeys import booking, check_in, desk, refunds
from backend.journeys.backoffice import common
from backend.journeys.backoffice.common import blueprint
from backend.kernel import idempotency
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, parse_id
from backend.kernel.money import format_yuan
from backend.kernel.permissions import Permission, require
from backend.kernel.uow import now, today
from backend.kernel.web import (
    current_actor,
    idempotency_key,
    own_hospital_id,
    read_uow,
    render,
    requires,
    write_uow,
)
from backend.organization import queries as organization
from backend.patients import queries as patients
from backend.queueing import queries as queues
from backend.queueing import service as queueing
from backend.queueing.rules import TicketState
from backend.scheduling import queries as places
from backend.scheduling import rules as pool
from backend.scheduling import service as scheduling
from backend.scheduling.rules import AppointmentState, Channel


@blueprint.get("/patients/<uuid:patient_id>/bookable")
@requires(Permission.SCHEDULING_APPOINTMENT_WRITE)
def bookable(patient_id: Id) -> Response:
    """The sessions of a day one can book in; ``day``, ``department`` and ``who`` choose which."""
    wanted = request.args.get("day", "")
    with read_uow() as session:
        first, last = (
            today(session),
            pool.last_bookable_day(now(session), places.policies(session).furthest),
        )
        try:
            day = dt.date.fromisoformat(wanted) if wanted else first
            department_id = parse_id(request.args.get("department", ""))
        except ValueError as error:
            raise InvalidInput(_("日期写法有误"), code="filter_invalid") from error
        found = desk.find_bookable(
            session,
            hospital_id=own_hospital_id(),
            day=day,
            department_id=department_id,
            words=request.args.get("who", "")[:40],
        )
        departments = organization.list_departments(
            session, hospital_id=own_hospital_id(), kind=organization.DepartmentKind.CLINICAL
        )
        return render(
            "journeys/_bookable.html",
            patient_id=patient_id,
            day=day,
            today=first,
            days=[first + dt.timedelta(days=n) for n in range((last - first).days + 1)],
            departments=[(item.id, item.name) for item in departments],
            department_id=department_id,
            who=request.args.get("who", ""),
            sessions=found,
            new_key=common.new_key,
        )


@blueprint.get("/patients/<uuid:patient_id>/sessions/<uuid:schedule_id>/why")
@requires(Permission.SCHEDULING_APPOINTMENT_WRITE)
def why(patient_id: Id, schedule_id: Id) -> Response:
    """What each rule of booking says of this patient and this session, channel by channel."""
    with read_uow() as session:
        common.require_patient(session, patient_id)
        found = places.explain_booking(session, patient_id=patient_id, schedule_id=schedule_id)
        return render("journeys/_why.html", why=found, today=today(session))


@blueprint.get("/patients/<uuid:patient_id>/tickets")
@requires(Permission.QUEUEING_TICKET_READ)
def tickets(patient_id: Id) -> Response:
    """Today's tickets with how many are ahead."""
    with read_uow() as session:
        common.require_patient(session, patient_id)
        found = queues.list_tickets_of_patient(session, patient_id)
        return render("journeys/_tickets.html", patient_id=patient_id, tickets=found)


@blueprint.post("/patients/<uuid:patient_id>/appointments")
@requires(Permission.SCHEDULING_APPOINTMENT_WRITE)
def book(patient_id: Id) -> BaseResponse:
    """Hold the next place of a session and open its bill."""
    schedule_id = parse_id(request.form.get("schedule_id", ""))
    if schedule_id is None:
        raise InvalidInput(_("请选择一个班次"), code="schedule_missing")
    with write_uow() as session:
        patients.get_patient(session, patient_id, hospital_id=own_hospital_id())
        answer = idempotency.once(
            session,
            "front_desk.book",
            idempotency_key(),
            {"patient": patient_id, "schedule": schedule_id},
            lambda: _booked(
                booking.book_visit(
                    session,
                    patient_id=patient_id,
                    schedule_id=schedule_id,
                    channel=Channel.COUNTER,
                )
            ),
        )
    words = _("已留号，请收费") if answer["is_held"] else _("已挂号，不收费")
    return common.show_hand(patient_id, words)


@blueprint.post("/patients/<uuid:patient_id>/waiting")
@requires(Permission.SCHEDULING_APPOINTMENT_WRITE)
def wait(patient_id: Id) -> BaseResponse:
    """Put the patient at the end of a full session's waiting list."""
    schedule_id = parse_id(request.form.get("schedule_id", ""))
    if schedule_id is None:
        raise InvalidInput(_("请选择一个班次"), code="schedule_missing")
    with write_uow() as session:
        common.require_patient(session, patient_id)
        scheduling.join_line(
            session, patient_id=patient_id, schedule_id=schedule_id, channel=Channel.COUNTER
        )
    return common.show_hand(patient_id, _("已加入候补：有号时留到付款，过时给下一位"))


def _booked(visit: booking.BookedVisit) -> dict[str, object]:
    return {
        "id": str(visit.appointment.id),
        "is_held": visit.appointment.state is AppointmentState.HELD,
    }


@blueprint.post("/patients/<uuid:patient_id>/appointments/<uuid:appointment_id>/give-up")
@requires(Permission.SCHEDULING_APPOINTMENT_WRITE)
def give_up(patient_id: Id, appointment_id: Id) -> BaseResponse:
    """End an unpaid hold and its bill."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        desk.get_visit(session, appointment_id, patient_id=patient_id)
        booking.give_up_hold(session, appointment_id=appointment_id)
    return common.show_hand(patient_id, _("已放弃，号已放回号池"))


@blueprint.post("/patients/<uuid:patient_id>/appointments/<uuid:appointment_id>/refund")
@requires(Permission.BILLING_REFUND_REQUEST)
def refund(patient_id: Id, appointment_id: Id) -> BaseResponse:
    """Cancel a paid visit; the fee goes back to the tender it came from."""
    reason = request.form.get("reason", "").strip()[: pool.LONGEST_REASON]
    if not reason:
        raise InvalidInput(_("请选择退号原因"), code="reason_missing")
    with write_uow() as session:
        common.require_patient(session, patient_id)
        desk.get_visit(session, appointment_id, patient_id=patient_id)
        answer = idempotency.once(
            session,
            "front_desk.refund",
            idempotency_key(),
            {"appointment": appointment_id},
            lambda: _refunded(
                refunds.refund_visit(session, appointment_id=appointment_id, reason=reason)
            ),
        )
    cash, on_its_way = answer["cash_fen"], answer["other_fen"]
    if cash and on_its_way:
        words = _(
            "已退号，请退还现金 %(cash)s，另有 %(money)s 原路退回",
            cash=format_yuan(cash),
            money=format_yuan(on_its_way),
        )
    elif cash:
        words = _("已退号，请退还现金 %(money)s", money=format_yuan(cash))
    elif on_its_way:
        words = _("已退号，%(money)s 正在原路退回", money=format_yuan(on_its_way))
    else:
        words = _("已退号")
    return common.show_hand(patient_id, words)


def _refunded(cancelled: refunds.CancelledVisit) -> dict[str, object]:
    cash_fen = sum(one.amount_fen for one in cancelled.refunds if one.tender is Tender.CASH)
    return {
        "cash_fen": cash_fen,
        "other_fen": sum(one.amount_fen for one in cancelled.refunds) - cash_fen,
    }


@blueprint.post("/patients/<uuid:patient_id>/appointments/<uuid:appointment_id>/check-in")
@requires(Permission.QUEUEING_TICKET_MANAGE)
def check_in_patient(patient_id: Id, appointment_id: Id) -> BaseResponse:
    """Give the ticket of a paid visit of today; a missed patient waits again."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        visit = desk.get_visit(session, appointment_id, patient_id=patient_id)
        require(
            current_actor(),
            Permission.QUEUEING_TICKET_MANAGE,
            hospital_id=visit.hospital_id,
            department_id=visit.department_id,
        )
        ticket = check_in.check_in_patient(
            session, patient_id=patient_id, appointment_id=appointment_id
        )
        if ticket.state is TicketState.MISSED:
            queueing.return_ticket(session, ticket.id)
            words = _("%(number)s 已回到队列", number=ticket.number)
        else:
            words = _("已报到：%(number)s 号", number=ticket.number)
    return common.show_hand(patient_id, words)

"""Commands of the pool: hold, confirm, give back, expire, mark.

One mutex per place: whatever changes an appointment first takes the row lock of its slot, so that
claiming, paying, cancelling and expiring one place never interleave. Nothing waits for a second slot.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.contracts.scheduling import (
    AppointmentBooked,
)
from backend.kernel import outbox
from backend.kernel.ids import Id
from backend.kernel.locks import claim, own_row
from backend.kernel.permissions import ActorKind
from backend.kernel.uow import actor, now, today
from backend.scheduling import rules
from backend.scheduling.errors import (
    AlreadyBooked,
    DisruptionUnknown,
    NotToday,
    ScheduleStopped,
    SlotGone,
    WrongAppointmentState,
)
from backend.scheduling.models import IS_HELD, Appointment, Schedule, Slot, has_line
from backend.scheduling.queries import find_open_disruption, opening_of, policy_for
from backend.scheduling.rules import (
    ACTIVE,
    AppointmentState,
    ScheduleStatus,
    SlotEventKind,
    SlotState,
)
from backend.scheduling.services import pool, waiting
from backend.scheduling.services.added import add_number
from backend.scheduling.services.calendar import (
    import_notice,
    import_published_year,
    remove_calendar_day,
    set_calendar_day,
)
from backend.scheduling.services.devices import add_device
from backend.scheduling.services.disruptions import end_disruption, lock_disruption, offer_choice
from backend.scheduling.services.entries import add_entry, change_entry, end_entry
from backend.scheduling.services.holds import hold_any, hold_slot
from backend.scheduling.services.missed import mark_missed
from backend.scheduling.services.moves import move_appointment
from backend.scheduling.services.pool import expire_hold
from backend.scheduling.services.rush import (
    Arrival,
    join_rush,
    leave_rush,
    let_in,
    open_rush,
    use_turn,
)
from backend.scheduling.services.specials import add_special_session, substitute
from backend.scheduling.services.stops import find_forgotten, resume_sessions, stop_sessions
from backend.scheduling.services.templates import add_template_entry, generate_schedules
from backend.scheduling.services.waiting import close_line, join_line, leave_line, serve_line

__all__ = [
    "Arrival",
    "add_device",
    "add_entry",
    "add_number",
    "add_special_session",
    "add_template_entry",
    "attach_invoice",
    "cancel_appointment",
    "cancel_disrupted",
    "change_entry",
    "close_line",
    "confirm_appointment",
    "end_disruption",
    "end_entry",
    "expire_hold",
    "find_forgotten",
    "generate_schedules",
    "hold_any",
    "hold_slot",
    "import_notice",
    "import_published_year",
    "join_line",
    "join_rush",
    "leave_line",
    "leave_rush",
    "let_in",
    "lock_disruption",
    "mark_checked_in",
    "mark_fulfilled",
    "mark_missed",
    "move_appointment",
    "offer_choice",
    "open_rush",
    "opening_of",
    "release_hold",
    "remove_calendar_day",
    "resume_sessions",
    "serve_line",
    "set_calendar_day",
    "stop_sessions",
    "substitute",
    "sweep_expired_holds",
    "use_turn",
]

SWEEP_BATCH = 200


def confirm_appointment(session: Session, appointment_id: Id) -> Appointment:
    """Make a paid hold the patient's own; repeating it changes nothing.

    A payment that comes after the hold ended re-claims the same place if it is still free and its window
    has not passed; else SlotGone, with the session still good, so that the caller can refund.
    """
    appointment, slot = pool.locked(session, appointment_id)
    at = now(session)
    if appointment.state not in (AppointmentState.HELD, AppointmentState.EXPIRED):
        if appointment.state in rules.OCCUPYING - {AppointmentState.NO_SHOW}:
            return appointment
        raise SlotGone(appointment_id=str(appointment.id), state=appointment.state.value)
    if appointment.state is AppointmentState.EXPIRED or rules.is_lapsed(slot.hold_until, at):
        _reclaim(session, appointment, slot)
    slot.state, slot.hold_until = SlotState.BOOKED, None
    appointment.state, appointment.booked_at = AppointmentState.BOOKED, at
    pool.note(session, slot, SlotEventKind.BOOKED, appointment.id)
    outbox.publish(
        session,
        AppointmentBooked(
            appointment.hospital_id,
            appointment.id,
            appointment.patient_id,
            slot.id,
            appointment.practitioner_id,
            appointment.starts_at,
        ),
    )
    pool.record(session, "confirm_appointment", appointment)
    waiting.take_offer(session, appointment)
    return appointment


def release_hold(session: Session, appointment_id: Id) -> Appointment:
    """Give an unpaid place back; nothing changes when it has ended already.

    Raises WrongAppointmentState for a place that has been paid (cancel it instead).
    """
    appointment, slot = pool.locked(session, appointment_id)
    if appointment.state in (AppointmentState.CANCELLED, AppointmentState.EXPIRED):
        return appointment
    if appointment.state is not AppointmentState.HELD:
        raise WrongAppointmentState(state=appointment.state.value)
    pool.give_back(session, appointment, slot, reason=None)
    return appointment


def cancel_appointment(session: Session, appointment_id: Id, reason: str) -> Appointment:
    """Cancel a held, booked or checked-in place and free it; repeating it changes nothing.

    Patients and kiosks are bound by the cut-off (CancelTooLate); staff by the visit not being over
    (WrongAppointmentState). Money is the caller's business.
    """
    appointment, slot = pool.locked(session, appointment_id)
    if appointment.state is AppointmentState.CANCELLED:
        return appointment
    rules.check_cancellable(
        appointment.state,
        appointment.business_date,
        appointment.created_at,
        now(session),
        by_patient=actor(session).kind in (ActorKind.PATIENT, ActorKind.DEVICE),
        policy=policy_for(
            session,
            hospital_id=appointment.hospital_id,
            department_id=appointment.department_id,
            visit_type=appointment.visit_type,
        ),
    )
    pool.give_back(session, appointment, slot, reason=reason)
    return appointment


def cancel_disrupted(session: Session, appointment_id: Id, reason: str) -> Appointment:
    """Cancel a visit that the hospital could not keep: no cut-off binds anybody. Money is the caller's business.

    Raises DisruptionUnknown when nothing disrupted it, WrongAppointmentState when it is over.
    """
    if find_open_disruption(session, appointment_id) is None:
        raise DisruptionUnknown
    appointment, slot = pool.locked(session, appointment_id)
    if appointment.state not in ACTIVE:
        raise WrongAppointmentState(state=appointment.state.value)
    pool.give_back(session, appointment, slot, reason=reason)
    return appointment


def mark_checked_in(session: Session, appointment_id: Id) -> Appointment:
    """The patient has arrived for a paid place of today. Raises NotToday, ScheduleStopped, WrongAppointmentState."""
    appointment, _ = pool.locked(session, appointment_id)
    if appointment.state is AppointmentState.CHECKED_IN:
        return appointment
    if appointment.state is not AppointmentState.BOOKED:
        raise WrongAppointmentState(state=appointment.state.value)
    if appointment.business_date != today(session):
        raise NotToday(day=appointment.business_date.isoformat())
    if session.get_one(Schedule, appointment.schedule_id).status is not ScheduleStatus.OPEN:
        raise ScheduleStopped
    appointment.state, appointment.checked_in_at = AppointmentState.CHECKED_IN, now(session)
    pool.record(session, "check_in", appointment)
    return appointment


def mark_fulfilled(session: Session, appointment_id: Id) -> Appointment:
    """The visit has taken place. Raises WrongAppointmentState unless it was booked or checked in."""
    appointment, slot = pool.locked(session, appointment_id)
    if appointment.state is AppointmentState.FULFILLED:
        return appointment
    if appointment.state not in (AppointmentState.BOOKED, AppointmentState.CHECKED_IN):
        raise WrongAppointmentState(state=appointment.state.value)
    appointment.state, appointment.ended_at = AppointmentState.FULFILLED, now(session)
    pool.note(session, slot, SlotEventKind.FULFILLED, appointment.id)
    pool.record(session, "fulfil_appointment", appointment)
    return appointment


def attach_invoice(session: Session, appointment_id: Id, invoice_id: Id) -> None:
    """Remember which invoice pays for the appointment."""
    appointment = own_row(session, Appointment, appointment_id)
    if appointment is None:
        appointment, _ = pool.locked(session, appointment_id)
    appointment.invoice_id = invoice_id
    pool.record(session, "attach_invoice", appointment, invoice_id=str(invoice_id))


def sweep_expired_holds(session: Session, limit: int = SWEEP_BATCH) -> int:
    """End lapsed holds that nobody has claimed, oldest first; how many. Only tidies and tells."""
    lapsed = claim(
        session,
        select(Slot)
        .where(IS_HELD, Slot.hold_until <= now(session))
        .order_by(Slot.hold_until)
        .limit(limit),
    )
    # By session: each waiting list is entered in turn, and two who sweep must not wait for each other.
    for slot in sorted(lapsed, key=lambda one: one.schedule_id):
        pool.expire(session, slot)
    return len(lapsed)


def _active_visit(session: Session, patient_id: Id, schedule: Schedule) -> Appointment | None:
    if schedule.practitioner_id is None:
        return None
    return session.scalars(
        select(Appointment)
        .where(
            Appointment.patient_id == patient_id,
            Appointment.practitioner_id == schedule.practitioner_id,
            Appointment.business_date == schedule.business_date,
            Appointment.half_day == schedule.half_day,
            Appointment.state.in_(ACTIVE),
        )
        .execution_options(populate_existing=True)
    ).first()


def _reclaim(session: Session, appointment: Appointment, slot: Slot) -> None:
    """Hold the place again for a hold that has ended, or raise SlotGone."""
    at = now(session)
    gone = SlotGone(appointment_id=str(appointment.id), slot_id=str(slot.id))
    schedule = session.get_one(Schedule, appointment.schedule_id)
    if schedule.status is not ScheduleStatus.OPEN:
        raise gone
    if not rules.is_claimable(slot.state, slot.hold_until, slot.ends_at, at):
        raise gone
    if session.scalar(select(has_line(schedule.id))):
        raise gone  # others wait for it, and it is theirs since the hold ended
    if appointment.state is AppointmentState.HELD:
        return  # lapsed, but nobody came: the place is still in this patient's name
    if _active_visit(session, appointment.patient_id, schedule) is not None:
        raise gone
    if slot.state is SlotState.HELD:
        pool.expire(session, slot)
    try:
        appointment.ended_at = None
        pool.take(session, slot, appointment, AppointmentState.HELD)
    except AlreadyBooked as error:
        raise gone from error

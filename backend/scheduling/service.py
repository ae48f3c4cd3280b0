"""Commands of the pool: hold, confirm, give back, expire, mark.

One mutex per place: whatever changes an appointment first takes the row lock of its slot, so that
claiming, paying, cancelling and expiring one place never interleave. Nothing waits for a second slot.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.contracts.scheduling import (
    AppointmentBooked,
    AppointmentHeld,
)
from backend.kernel import outbox
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import claim, lock_name
from backend.kernel.permissions import ActorKind
from backend.kernel.uow import actor, now, today
from backend.scheduling import rules
from backend.scheduling.errors import (
    AlreadyBooked,
    NotToday,
    ScheduleNotFound,
    SlotGone,
    WrongAppointmentState,
)
from backend.scheduling.models import IS_HELD, Appointment, Schedule, Slot, claimable
from backend.scheduling.queries import is_foreign
from backend.scheduling.rules import (
    ACTIVE,
    AppointmentState,
    Channel,
    ScheduleStatus,
    SlotEventKind,
    SlotState,
)
from backend.scheduling.services import pool
from backend.scheduling.services.calendar import (
    import_notice,
    import_published_year,
    remove_calendar_day,
    set_calendar_day,
)
from backend.scheduling.services.devices import add_device
from backend.scheduling.services.rush import (
    Arrival,
    join_rush,
    leave_rush,
    let_in,
    open_rush,
    opening_of,
    use_turn,
)
from backend.scheduling.services.templates import add_template_entry, generate_schedules

__all__ = [
    "Arrival",
    "add_device",
    "add_template_entry",
    "attach_invoice",
    "cancel_appointment",
    "confirm_appointment",
    "expire_hold",
    "generate_schedules",
    "hold_slot",
    "import_notice",
    "import_published_year",
    "join_rush",
    "leave_rush",
    "let_in",
    "mark_checked_in",
    "mark_fulfilled",
    "open_rush",
    "opening_of",
    "release_hold",
    "remove_calendar_day",
    "set_calendar_day",
    "sweep_expired_holds",
    "use_turn",
]

SWEEP_BATCH = 200


def hold_slot(
    session: Session,
    *,
    patient_id: Id,
    schedule_id: Id,
    channel: Channel | str,
    slot_id: Id | None = None,
) -> Appointment:
    """Keep a place for a patient for 15 minutes: ``slot_id``, or the next free one by time.

    A hold that has lapsed is taken over at that instant. Publishes AppointmentHeld, and HoldDue for the
    moment the hold ends. Raises ScheduleNotFound, BookingClosed, ScheduleStopped, AlreadyBooked, SlotGone.
    """
    at = now(session)
    schedule = _schedule(session, schedule_id)
    rules.check_bookable(schedule.business_date, schedule.status, at)
    _clear_way(session, patient_id, schedule)
    statement = select(Slot).where(Slot.schedule_id == schedule.id, claimable(at))
    if slot_id is not None:
        statement = statement.where(Slot.id == slot_id)
    free = claim(session, statement.order_by(Slot.starts_at, Slot.number).limit(1))
    if not free:
        raise SlotGone(schedule_id=str(schedule.id))
    slot = free[0]
    if slot.state is SlotState.HELD:
        pool.expire(session, slot)
    appointment = _new_appointment(session, schedule, slot, patient_id, Channel(channel))
    pool.take(session, slot, appointment, AppointmentState.HELD)
    outbox.publish(
        session,
        AppointmentHeld(
            schedule.hospital_id, appointment.id, patient_id, slot.id, appointment.hold_until
        ),
    )
    pool.record(session, "hold_slot", appointment, channel=appointment.channel.value)
    return appointment


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
    )
    pool.give_back(session, appointment, slot, reason=reason)
    return appointment


def mark_checked_in(session: Session, appointment_id: Id) -> Appointment:
    """The patient has arrived for a paid place of today. Raises NotToday, WrongAppointmentState."""
    appointment, _ = pool.locked(session, appointment_id)
    if appointment.state is AppointmentState.CHECKED_IN:
        return appointment
    if appointment.state is not AppointmentState.BOOKED:
        raise WrongAppointmentState(state=appointment.state.value)
    if appointment.business_date != today(session):
        raise NotToday(day=appointment.business_date.isoformat())
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
    appointment, _ = pool.locked(session, appointment_id)
    appointment.invoice_id = invoice_id
    pool.record(session, "attach_invoice", appointment, invoice_id=str(invoice_id))


def expire_hold(session: Session, appointment_id: Id) -> bool:
    """End one hold if it has lapsed unpaid; True when it was ended now. Publishes HoldExpired."""
    appointment, slot = pool.locked(session, appointment_id)
    if appointment.state is not AppointmentState.HELD:
        return False
    if not rules.is_lapsed(slot.hold_until, now(session)):
        return False
    pool.expire(session, slot)
    return True


def sweep_expired_holds(session: Session, limit: int = SWEEP_BATCH) -> int:
    """End lapsed holds that nobody has claimed, oldest first; how many. Only tidies and tells."""
    lapsed = claim(
        session,
        select(Slot)
        .where(IS_HELD, Slot.hold_until <= now(session))
        .order_by(Slot.hold_until)
        .limit(limit),
    )
    for slot in lapsed:
        pool.expire(session, slot)
    return len(lapsed)


def _schedule(session: Session, schedule_id: Id) -> Schedule:
    schedule = session.get(Schedule, schedule_id)
    if schedule is None or is_foreign(session, schedule.hospital_id):
        raise ScheduleNotFound
    return schedule


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


def _clear_way(session: Session, patient_id: Id, schedule: Schedule) -> None:
    """Refuse a second active visit; one that is only a lapsed hold ends here instead.

    One patient's claims on one session queue here, before they touch a place: a button hit ten times
    must not lock ten places and make them look taken to everyone else.
    """
    if schedule.practitioner_id is None:
        return  # of examinations a patient may have several, and one may take several places
    visit = (patient_id, schedule.practitioner_id, schedule.business_date, schedule.half_day)
    lock_name(session, "scheduling-visit-" + "-".join(map(str, visit)))
    present = _active_visit(session, patient_id, schedule)
    if present is None:
        return
    if present.state is AppointmentState.HELD and expire_hold(session, present.id):
        return
    if present.state in ACTIVE:
        raise AlreadyBooked(appointment_id=str(present.id), state=present.state.value)


def _new_appointment(
    session: Session, schedule: Schedule, slot: Slot, patient_id: Id, channel: Channel
) -> Appointment:
    at = now(session)
    return Appointment(
        id=new_id(),
        hospital_id=schedule.hospital_id,
        patient_id=patient_id,
        slot_id=slot.id,
        schedule_id=schedule.id,
        practitioner_id=schedule.practitioner_id,
        device_id=schedule.device_id,
        department_id=schedule.department_id,
        location_id=schedule.location_id,
        business_date=schedule.business_date,
        half_day=schedule.half_day,
        visit_type=schedule.visit_type,
        price_item_code=schedule.price_item_code,
        fee_fen=schedule.fee_fen,
        number=slot.number,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        channel=channel,
        hold_until=rules.hold_until(at),
        created_at=at,
    )


def _reclaim(session: Session, appointment: Appointment, slot: Slot) -> None:
    """Hold the place again for a hold that has ended, or raise SlotGone."""
    at = now(session)
    gone = SlotGone(appointment_id=str(appointment.id), slot_id=str(slot.id))
    schedule = session.get_one(Schedule, appointment.schedule_id)
    if schedule.status is not ScheduleStatus.OPEN:
        raise gone
    if not rules.is_claimable(slot.state, slot.hold_until, slot.ends_at, at):
        raise gone
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

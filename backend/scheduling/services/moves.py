"""Moving a booked visit to another place: the same appointment, so that its bill and payment go on standing for it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.contracts.scheduling import AppointmentMoved
from backend.kernel import outbox
from backend.kernel.ids import Id
from backend.kernel.locks import claim
from backend.kernel.uow import now
from backend.scheduling.errors import (
    AlreadyBooked,
    NotEquivalent,
    ScheduleNotFound,
    ScheduleStopped,
    SlotGone,
    WrongAppointmentState,
)
from backend.scheduling.models import Appointment, Schedule, Slot, claimable
from backend.scheduling.queries import is_foreign
from backend.scheduling.rules import (
    AppointmentState,
    Channel,
    ScheduleStatus,
    SlotEventKind,
    SlotState,
)
from backend.scheduling.services import pool, waiting


def move_appointment(session: Session, appointment_id: Id, schedule_id: Id) -> Appointment:
    """Give a booked visit the next free place of another session that costs the same.

    A place that its channel could book: it overtakes no waiting list and takes nothing reserved for others.
    The new place is claimed without waiting while the old one is locked, so two moves never wait for each other.
    Raises ScheduleNotFound, ScheduleStopped, WrongAppointmentState, NotEquivalent, SlotGone, AlreadyBooked.
    Publishes AppointmentMoved.
    """
    appointment, old = pool.locked(session, appointment_id)
    if appointment.state is not AppointmentState.BOOKED:
        raise WrongAppointmentState(state=appointment.state.value)
    schedule = session.get(Schedule, schedule_id, populate_existing=True)
    if schedule is None or is_foreign(session, schedule.hospital_id):
        raise ScheduleNotFound
    if schedule.status is not ScheduleStatus.OPEN:
        raise ScheduleStopped
    if not _costs_the_same(appointment, schedule):
        raise NotEquivalent
    # Both may change hands below; the new place is then claimed without waiting for anybody who holds it.
    waiting.lock_lines(session, (old.schedule_id, schedule.id))
    new = _claim_place(session, schedule, appointment.channel)
    # First the visit sits in its new place: the old one may go to the next in line in the moment it is free.
    _sit(session, appointment, schedule, new)
    _leave(session, appointment, old)
    outbox.publish(
        session,
        AppointmentMoved(
            appointment.hospital_id,
            appointment.id,
            appointment.patient_id,
            old.id,
            new.id,
            new.starts_at,
        ),
    )
    pool.record(session, "move_appointment", appointment, from_slot_id=str(old.id))
    return appointment


def _costs_the_same(appointment: Appointment, schedule: Schedule) -> bool:
    return (appointment.price_item_code, appointment.fee_fen) == (
        schedule.price_item_code,
        schedule.fee_fen,
    )


def _claim_place(session: Session, schedule: Schedule, channel: Channel) -> Slot:
    at = now(session)
    free = claim(
        session,
        select(Slot)
        .where(Slot.schedule_id == schedule.id, claimable(at, channel))
        .order_by(Slot.starts_at, Slot.number)
        .limit(1),
    )
    if not free:
        raise SlotGone(schedule_id=str(schedule.id))
    if free[0].state is SlotState.HELD:
        pool.expire(session, free[0])
    if free[0].state is not SlotState.FREE:
        raise SlotGone(schedule_id=str(schedule.id))  # stopped between our look and the claim
    return free[0]


def _leave(session: Session, appointment: Appointment, slot: Slot) -> None:
    slot.state, slot.appointment_id = SlotState.FREE, None
    pool.note(session, slot, SlotEventKind.MOVED_OUT, appointment.id)
    pool.hand_on(session, slot)


def _sit(session: Session, appointment: Appointment, schedule: Schedule, slot: Slot) -> None:
    try:
        with session.begin_nested():
            appointment.slot_id, appointment.schedule_id = slot.id, schedule.id
            appointment.practitioner_id = schedule.practitioner_id
            appointment.device_id = schedule.device_id
            appointment.department_id = schedule.department_id
            appointment.location_id = schedule.location_id
            appointment.business_date = schedule.business_date
            appointment.half_day = schedule.half_day
            appointment.visit_type = schedule.visit_type
            appointment.number = slot.number
            appointment.starts_at, appointment.ends_at = slot.starts_at, slot.ends_at
            session.flush()
    except IntegrityError as error:
        if "patient_id" in str(error.orig):
            raise AlreadyBooked from error
        raise SlotGone(slot_id=str(slot.id)) from error
    slot.state, slot.appointment_id = SlotState.BOOKED, appointment.id
    pool.note(session, slot, SlotEventKind.MOVED_IN, appointment.id)

"""The mechanics of one place: lock it, take it, end its hold, give it back, write down its life.

Shared by the commands in `backend.scheduling.service`; every function here expects the slot's row lock
to be held by the caller, or takes it.
"""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.contracts.scheduling import AppointmentCancelled, HoldDue, HoldExpired
from backend.kernel import outbox
from backend.kernel.ids import Id
from backend.kernel.locks import lock_row
from backend.kernel.uow import now
from backend.scheduling import rules
from backend.scheduling.errors import AlreadyBooked, AppointmentNotFound, SlotGone
from backend.scheduling.models import Appointment, Schedule, Slot
from backend.scheduling.queries import is_foreign, policy_for
from backend.scheduling.rules import AppointmentState, ScheduleStatus, SlotEventKind, SlotState
from backend.scheduling.services import waiting
from backend.scheduling.services.life import note, record

__all__ = ["expire", "expire_hold", "give_back", "hand_on", "locked", "note", "record", "take"]


def locked(session: Session, appointment_id: Id) -> tuple[Appointment, Slot]:
    """The appointment, read again under the lock of its slot."""
    appointment = session.get(Appointment, appointment_id)
    if appointment is None or is_foreign(session, appointment.hospital_id):
        raise AppointmentNotFound
    slot = lock_row(session, Slot, appointment.slot_id)
    fresh = lock_row(session, Appointment, appointment_id)
    if slot is None or fresh is None:
        raise AppointmentNotFound
    return fresh, slot


def take(session: Session, slot: Slot, appointment: Appointment, state: AppointmentState) -> None:
    """Put ``appointment`` on a free, locked slot as a hold; constraint violations become refusals."""
    policy = policy_for(
        session,
        hospital_id=appointment.hospital_id,
        department_id=appointment.department_id,
        visit_type=appointment.visit_type,
    )
    until = rules.hold_until(now(session), policy)
    try:
        with session.begin_nested():
            appointment.state, appointment.hold_until = state, until
            session.add(appointment)
            session.flush()
    except IntegrityError as error:
        # Both databases name the columns of the violated index.
        if "patient_id" in str(error.orig):
            raise AlreadyBooked from error
        raise SlotGone(slot_id=str(slot.id)) from error
    slot.state, slot.hold_until, slot.appointment_id = SlotState.HELD, until, appointment.id
    note(session, slot, SlotEventKind.HELD, appointment.id, until)
    due = HoldDue(appointment.hospital_id, appointment.id)
    outbox.publish(session, due, not_before=until)


def give_back(
    session: Session, appointment: Appointment, slot: Slot, *, reason: str | None
) -> None:
    """Free the place of a held, booked or checked-in appointment, tell, and offer it to the first in line."""
    was_booked = appointment.state is not AppointmentState.HELD
    appointment.state, appointment.ended_at = AppointmentState.CANCELLED, now(session)
    appointment.cancel_reason = reason
    slot.state, slot.hold_until, slot.appointment_id = SlotState.FREE, None, None
    kind = SlotEventKind.CANCELLED if was_booked else SlotEventKind.RELEASED
    note(session, slot, kind, appointment.id)
    outbox.publish(
        session,
        AppointmentCancelled(
            appointment.hospital_id, appointment.id, appointment.patient_id, slot.id, was_booked
        ),
    )
    record(session, "cancel_appointment" if was_booked else "release_hold", appointment)
    if not was_booked:
        waiting.end_offer(session, appointment, is_silent=False)
    hand_on(session, slot)


def expire_hold(session: Session, appointment_id: Id) -> bool:
    """End one hold if it has lapsed unpaid; True when it was ended now. Publishes HoldExpired."""
    appointment, slot = locked(session, appointment_id)
    if appointment.state is not AppointmentState.HELD:
        return False
    if not rules.is_lapsed(slot.hold_until, now(session)):
        return False
    expire(session, slot)
    return True


def expire(session: Session, slot: Slot) -> None:
    """End the lapsed hold on a locked slot, tell, and offer the place to the first in line; else it is free."""
    appointment = session.get_one(Appointment, slot.appointment_id, populate_existing=True)
    appointment.state, appointment.ended_at = AppointmentState.EXPIRED, now(session)
    slot.state, slot.hold_until, slot.appointment_id = SlotState.FREE, None, None
    note(session, slot, SlotEventKind.EXPIRED, appointment.id)
    outbox.publish(
        session,
        HoldExpired(appointment.hospital_id, appointment.id, appointment.patient_id, slot.id),
    )
    record(session, "expire_hold", appointment)
    session.flush()
    waiting.end_offer(session, appointment, is_silent=True)
    hand_on(session, slot)


def hand_on(session: Session, slot: Slot) -> None:
    """A locked place has just become free: the first in line may have it, unless it is not for everybody.

    What was added for one patient, or belongs to a stopped session, is closed instead.
    """
    schedule = session.get_one(Schedule, slot.schedule_id, populate_existing=True)
    if schedule.status is ScheduleStatus.OPEN and not slot.is_added:
        waiting.pass_on(session, slot)
        return
    slot.state = SlotState.CLOSED
    note(session, slot, SlotEventKind.CLOSED, None)

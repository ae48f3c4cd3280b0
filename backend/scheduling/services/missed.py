"""Visits nobody came to: booked places of past days that were never checked in."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.contracts.scheduling import AppointmentMissed
from backend.kernel import outbox
from backend.kernel.locks import claim
from backend.kernel.uow import now, today
from backend.scheduling.models import IS_BOOKED, Appointment, Schedule, Slot
from backend.scheduling.rules import AppointmentState, ScheduleStatus, SlotEventKind
from backend.scheduling.services import pool

MISSED_BATCH = 200


def mark_missed(session: Session, limit: int = MISSED_BATCH) -> int:
    """Mark booked appointments of past days as missed, oldest first; how many. Publishes AppointmentMissed.

    Places on devices are left alone: nobody checks in for an examination here, and one may take several. A stopped
    session's are left to whoever stops it: nobody can miss a visit that did not take place.
    """
    past = (
        select(Appointment.id)
        .join(Schedule, Schedule.id == Appointment.schedule_id)
        .where(
            IS_BOOKED,
            Appointment.business_date < today(session),
            Appointment.device_id.is_(None),
            Schedule.status == ScheduleStatus.OPEN,
        )
        .order_by(Appointment.business_date)
        .limit(limit)
    )
    slots = claim(session, select(Slot).where(Slot.appointment_id.in_(past)).order_by(Slot.id))
    marked = 0
    for slot in slots:
        appointment = session.get_one(Appointment, slot.appointment_id, populate_existing=True)
        if appointment.state is not AppointmentState.BOOKED:
            continue
        appointment.state, appointment.ended_at = AppointmentState.NO_SHOW, now(session)
        pool.note(session, slot, SlotEventKind.NO_SHOW, appointment.id)
        outbox.publish(
            session,
            AppointmentMissed(appointment.hospital_id, appointment.id, appointment.patient_id),
        )
        pool.record(session, "mark_missed", appointment)
        marked += 1
    session.flush()
    return marked

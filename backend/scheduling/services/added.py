"""加号: a number beyond capacity, for one named patient, with a reason.

The place belongs to that patient alone: it is held until its window ends (not for a quarter of an hour), and when it is
given back it is closed, so that no queue of strangers can take what a practitioner gave to one person.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.contracts.scheduling import AppointmentHeld, HoldDue
from backend.kernel import outbox
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_rows
from backend.kernel.permissions import Permission, has, require
from backend.kernel.uow import actor, now, today
from backend.scheduling import rules
from backend.scheduling.errors import (
    AlreadyBooked,
    NotYourSession,
    ScheduleNotFound,
    ScheduleOver,
    ScheduleStopped,
)
from backend.scheduling.models import Appointment, Schedule, Slot
from backend.scheduling.queries import is_foreign
from backend.scheduling.rules import (
    Channel,
    ScheduleStatus,
    SlotEventKind,
    SlotState,
)
from backend.scheduling.services import life, pool


def add_number(
    session: Session, *, schedule_id: Id, patient_id: Id, reason: str, channel: Channel | str
) -> Appointment:
    """Hold a new place beyond capacity for this patient, to be paid until its window ends.

    A practitioner adds to their own sessions, a scheduler to any of their departments; nobody to a stopped or past
    session. Raises ScheduleNotFound, ScheduleStopped, ScheduleOver, NotYourSession, AddedReasonMissing, AddedFull,
    AlreadyBooked, InvalidInput for a device's, Forbidden. Publishes AppointmentHeld and HoldDue.
    """
    found = lock_rows(session, Schedule, [schedule_id], key_stays=True)
    if not found or is_foreign(session, found[0].hospital_id):
        raise ScheduleNotFound
    schedule = found[0]
    _may_add(session, schedule)
    if schedule.practitioner_id is None:
        raise InvalidInput(_("检查设备不能加号，请在检查安排里预约"), code="device_session")
    if schedule.status is not ScheduleStatus.OPEN:
        raise ScheduleStopped
    if schedule.business_date < today(session):
        raise ScheduleOver
    slot = _new_place(session, schedule, reason)
    appointment = life.appointment_in(
        schedule,
        slot,
        patient_id=patient_id,
        channel=Channel(channel),
        until=slot.ends_at,
        at=now(session),
    )
    slot.appointment_id = appointment.id
    try:
        with session.begin_nested():
            session.add(slot)
            session.flush()
            session.add(appointment)
            session.flush()
    except IntegrityError as error:
        raise AlreadyBooked from error  # the session is locked, so the number cannot be taken twice
    pool.note(session, slot, SlotEventKind.ADDED, None)
    pool.note(session, slot, SlotEventKind.HELD, appointment.id, slot.ends_at)
    who = (schedule.hospital_id, appointment.id)
    outbox.publish(session, AppointmentHeld(*who, patient_id, slot.id, slot.ends_at))
    outbox.publish(session, HoldDue(*who), not_before=slot.ends_at)
    pool.record(session, "add_number", appointment, reason=reason.strip())
    return appointment


def _may_add(session: Session, schedule: Schedule) -> None:
    where = {"hospital_id": schedule.hospital_id, "department_id": schedule.department_id}
    who = actor(session)
    require(who, Permission.SCHEDULING_SLOT_ADD, **where)
    if has(who, Permission.SCHEDULING_SCHEDULE_MANAGE, **where):
        return
    if who.practitioner_id is None or who.practitioner_id != schedule.practitioner_id:
        raise NotYourSession


def _new_place(session: Session, schedule: Schedule, reason: str) -> Slot:
    """The place after the last, held until its window ends."""
    places = select(Slot).where(Slot.schedule_id == schedule.id)
    last = session.scalars(places.order_by(Slot.ends_at.desc(), Slot.number.desc()).limit(1)).one()
    highest, added = session.execute(
        select(func.max(Slot.number), func.count(Slot.id).filter(Slot.is_added)).where(
            Slot.schedule_id == schedule.id
        )
    ).one()
    rules.check_added(added, reason)
    starts_at, ends_at = rules.added_window(
        last.starts_at, last.ends_at, schedule.business_date, schedule.half_day, now(session)
    )
    return Slot(
        id=new_id(),
        hospital_id=schedule.hospital_id,
        schedule_id=schedule.id,
        number=highest + 1,
        starts_at=starts_at,
        ends_at=ends_at,
        state=SlotState.HELD,
        hold_until=ends_at,
        life=0,
        is_added=True,
    )

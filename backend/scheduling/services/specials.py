"""Sessions that do not come from the template: special ones, and those another practitioner takes over (替诊)."""

from __future__ import annotations

import datetime as dt

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.clock import HalfDay
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name, lock_rows
from backend.kernel.permissions import Permission, require
from backend.kernel.uow import actor, now, today
from backend.scheduling import rules
from backend.scheduling.errors import (
    ScheduleNotFound,
    ScheduleOver,
    ScheduleStopped,
    SessionExists,
    SubstituteBusy,
    SubstituteTooLate,
    TemplateInvalid,
)
from backend.scheduling.models import Appointment, Schedule, Slot, Substitution, TemplateEntry
from backend.scheduling.queries import is_foreign, stops_in_force
from backend.scheduling.rules import (
    ACTIVE,
    AppointmentState,
    DisruptionKind,
    DisruptionState,
    ScheduleStatus,
    VisitType,
)
from backend.scheduling.services import disruptions, pool
from backend.scheduling.services.templates import write_sessions


def add_special_session(
    session: Session,
    *,
    hospital_id: Id,
    practitioner_id: Id,
    department_id: Id,
    location_id: Id,
    day: dt.date,
    half_day: HalfDay | str,
    visit_type: VisitType | str,
    price_item_code: str,
    fee_fen: int,
    capacity: int,
    slot_minutes: int,
    reason: str,
    starts_minute: int | None = None,
) -> Id:
    """Open one session on ``day`` (today or later, holidays too) that the template does not know; its id.

    Nobody is sent to work in their own leave: TemplateInvalid. Raises TemplateInvalid, ScheduleOver, SessionExists,
    Forbidden.
    """
    require(
        actor(session), Permission.SCHEDULING_SCHEDULE_MANAGE,
        hospital_id=hospital_id, department_id=department_id,
    )  # fmt: skip
    half_day = HalfDay(half_day)
    rules.check_template(half_day, capacity, slot_minutes, starts_minute)
    if day < today(session):
        raise ScheduleOver
    lock_name(session, f"scheduling-generate-{hospital_id}")
    if _sits(session, practitioner_id, day, half_day):
        raise SessionExists
    leaves = stops_in_force(session, hospital_id=hospital_id, first=day, last=day)
    if rules.is_away(leaves, practitioner_id, department_id, day, half_day):
        raise TemplateInvalid(fields={"day": _("这位医生这个半天停诊")})
    # Planned as an entry of the template would be, but never one: it is not added to the session.
    plan = TemplateEntry(
        hospital_id=hospital_id,
        practitioner_id=practitioner_id,
        department_id=department_id,
        location_id=location_id,
        half_day=half_day,
        visit_type=VisitType(visit_type),
        price_item_code=price_item_code,
        fee_fen=fee_fen,
        capacity=capacity,
        slot_minutes=slot_minutes,
        starts_minute=starts_minute,
    )
    (made,), _places = write_sessions(session, [(day, plan)])
    audit.record(
        session,
        "scheduling.add_special_session",
        entity="schedule",
        entity_id=made,
        practitioner_id=practitioner_id,
        day=day,
        reason=reason.strip()[: rules.LONGEST_REASON],
    )
    return made


def substitute(session: Session, *, schedule_id: Id, practitioner_id: Id, reason: str) -> Id:
    """Another practitioner takes the session over; who has booked is told and may cancel with a full refund.

    A patient who has booked the substitute in the same half-day already is given the money back unasked. Not once
    patients have checked in: their tickets name the first practitioner. The Substitution's id. Raises ScheduleNotFound,
    ScheduleStopped, ScheduleOver, SubstituteBusy, SubstituteTooLate, InvalidInput without a reason, Forbidden.
    """
    wanted = session.get(Schedule, schedule_id)
    if wanted is None or is_foreign(session, wanted.hospital_id):
        raise ScheduleNotFound
    # As generating and stopping: nobody gives the substitute a session, or leave, of this half-day meanwhile.
    lock_name(session, f"scheduling-generate-{wanted.hospital_id}")
    (schedule,) = lock_rows(session, Schedule, [schedule_id], key_stays=True)
    _check_substitute(session, schedule, practitioner_id, reason)
    disruptions.lock_told(session, [schedule_id])
    slots = session.scalars(select(Slot.id).where(Slot.schedule_id == schedule_id)).all()
    lock_rows(session, Slot, slots)
    visits = session.scalars(
        select(Appointment)
        .where(Appointment.schedule_id == schedule_id, Appointment.state.in_(ACTIVE))
        .order_by(Appointment.id)
        .execution_options(populate_existing=True)
    ).all()
    if any(visit.state is AppointmentState.CHECKED_IN for visit in visits):
        raise SubstituteTooLate
    row = Substitution(
        id=new_id(),
        hospital_id=schedule.hospital_id,
        schedule_id=schedule_id,
        from_practitioner_id=schedule.practitioner_id,
        to_practitioner_id=practitioner_id,
        reason=reason.strip(),
        at=now(session),
    )
    session.add(row)
    schedule.practitioner_id = practitioner_id
    session.flush()
    _hand_over(session, schedule, list(visits), practitioner_id, row.reason)
    audit.record(
        session,
        "scheduling.substitute",
        entity="schedule",
        entity_id=schedule_id,
        from_practitioner_id=row.from_practitioner_id,
        to_practitioner_id=practitioner_id,
        visits=len(visits),
    )
    return row.id


def _check_substitute(
    session: Session, schedule: Schedule, practitioner_id: Id, reason: str
) -> None:
    require(
        actor(session), Permission.SCHEDULING_SCHEDULE_MANAGE,
        hospital_id=schedule.hospital_id, department_id=schedule.department_id,
    )  # fmt: skip
    if not rules.is_reason(reason):
        raise InvalidInput(
            fields={"reason": _("请写明替诊原因（100 字以内）")}, code="reason_missing"
        )
    if schedule.status is not ScheduleStatus.OPEN:
        raise ScheduleStopped
    if schedule.business_date < today(session):
        raise ScheduleOver
    if schedule.practitioner_id is None or _sits(
        session, practitioner_id, schedule.business_date, schedule.half_day
    ):
        raise SubstituteBusy
    day = schedule.business_date
    leaves = stops_in_force(session, hospital_id=schedule.hospital_id, first=day, last=day)
    if rules.is_away(leaves, practitioner_id, schedule.department_id, day, schedule.half_day):
        raise SubstituteBusy(_("这位医生这个半天停诊，不能替诊"))


def _hand_over(
    session: Session,
    schedule: Schedule,
    visits: list[Appointment],
    practitioner_id: Id,
    reason: str,
) -> None:
    """Tell everybody; who has a visit with the substitute already cannot have two, and is found for a refund."""
    doubled = set(
        session.scalars(
            select(Appointment.patient_id).where(
                Appointment.practitioner_id == practitioner_id,
                Appointment.business_date == schedule.business_date,
                Appointment.half_day == schedule.half_day,
                Appointment.state.in_(ACTIVE),
            )
        )
    )
    both = [visit for visit in visits if visit.patient_id in doubled]
    rest = [visit for visit in visits if visit.patient_id not in doubled]
    disruptions.open_all(session, both, DisruptionKind.SUBSTITUTE, reason)
    disruptions.open_all(
        session, rest, DisruptionKind.SUBSTITUTE, reason, state=DisruptionState.TOLD
    )
    for visit in rest:
        visit.practitioner_id = practitioner_id
        pool.record(session, "substitute_practitioner", visit)
    session.flush()


def _sits(session: Session, practitioner_id: Id, day: dt.date, half_day: HalfDay) -> bool:
    statement = select(Schedule.id).where(
        Schedule.practitioner_id == practitioner_id,
        Schedule.business_date == day,
        Schedule.half_day == half_day,
    )
    return session.scalar(statement) is not None

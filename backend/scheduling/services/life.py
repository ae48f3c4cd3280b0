"""The written side of a place: who takes it, its steps of life, the audit rows of what was done to an appointment."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import now, write_at_end
from backend.scheduling.models import Appointment, Schedule, Slot, SlotEvent
from backend.scheduling.rules import AppointmentState, Channel, SlotEventKind

#: What an appointment copies from its session, as it was when the place was taken.
COPIED = (
    "hospital_id", "practitioner_id", "device_id", "department_id", "location_id", "business_date", "half_day",
    "visit_type", "price_item_code", "fee_fen",
)  # fmt: skip


def appointment_in(
    schedule: Schedule,
    slot: Slot,
    *,
    patient_id: Id,
    channel: Channel,
    until: dt.datetime,
    at: dt.datetime,
) -> Appointment:
    """The hold that puts a patient on a place ``until`` then; not added to the session yet."""
    return Appointment(
        **{name: getattr(schedule, name) for name in COPIED},
        id=new_id(),
        patient_id=patient_id,
        slot_id=slot.id,
        schedule_id=schedule.id,
        number=slot.number,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        channel=channel,
        state=AppointmentState.HELD,
        hold_until=until,
        created_at=at,
    )


def note(
    session: Session,
    slot: Slot,
    kind: SlotEventKind,
    appointment_id: Id | None,
    until: dt.datetime | None = None,
) -> None:
    """Add one step to the slot's life; the slot's lock makes the numbering gap-free."""
    slot.life += 1
    write_at_end(
        session,
        SlotEvent,
        hospital_id=slot.hospital_id,
        slot_id=slot.id,
        ordinal=slot.life,
        kind=kind,
        at=now(session),
        appointment_id=appointment_id,
        hold_until=until,
    )


def record(session: Session, act: str, appointment: Appointment, **detail: str) -> None:
    """Write the audit row of one act on an appointment."""
    audit.record(
        session,
        f"scheduling.{act}",
        entity="appointment",
        entity_id=appointment.id,
        patient_id=appointment.patient_id,
        slot_id=appointment.slot_id,
        **detail,
    )

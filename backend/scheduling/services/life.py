"""The written side of a place: its steps of life, and the audit rows of what was done to an appointment."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.ids import Id
from backend.kernel.uow import now, write_at_end
from backend.scheduling.models import Appointment, Slot, SlotEvent
from backend.scheduling.rules import SlotEventKind


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

"""Reads of appointments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.kernel.uow import actor, now
from backend.scheduling import rules
from backend.scheduling.errors import AppointmentNotFound
from backend.scheduling.models import Appointment
from backend.scheduling.queries.sessions import is_foreign, labels_of
from backend.scheduling.rules import (
    AppointmentState,
)
from backend.scheduling.views import (
    AppointmentView,
)


def get_appointment(session: Session, appointment_id: Id) -> AppointmentView:
    """One appointment with its names; two queries. Raises AppointmentNotFound."""
    row = session.get(Appointment, appointment_id)
    if row is None or is_foreign(session, row.hospital_id):
        raise AppointmentNotFound
    return appointment_views(session, [row])[0]


def list_appointments(
    session: Session,
    *,
    patient_id: Id,
    day: dt.date | None = None,
    first: dt.date | None = None,
    states: frozenset[AppointmentState] | None = None,
) -> list[AppointmentView]:
    """A patient's visits by time, of one business day (or from ``first`` on) and of some states; two queries.

    Places on devices are none of them: an examination may take several, see ``list_examinations``.
    """
    statement = select(Appointment).where(
        Appointment.patient_id == patient_id, Appointment.device_id.is_(None)
    )
    hospital_id = actor(session).hospital_id
    if hospital_id is not None:
        statement = statement.where(Appointment.hospital_id == hospital_id)
    if day is not None:
        statement = statement.where(Appointment.business_date == day)
    if first is not None:
        statement = statement.where(Appointment.business_date >= first)
    if states is not None:
        statement = statement.where(Appointment.state.in_(states))
    ordered = statement.order_by(Appointment.starts_at, Appointment.created_at)
    return appointment_views(session, session.scalars(ordered).all())


def appointment_views(session: Session, rows: Sequence[Appointment]) -> list[AppointmentView]:
    at = now(session)
    labels = labels_of(session, rows)
    return [
        AppointmentView(
            id=row.id,
            hospital_id=row.hospital_id,
            patient_id=row.patient_id,
            schedule_id=row.schedule_id,
            slot_id=row.slot_id,
            practitioner_id=row.practitioner_id,
            device_id=row.device_id,
            practitioner_name=labels[row.performer_id].name,
            title=labels[row.performer_id].title,
            department_id=row.department_id,
            department_name=labels[row.department_id].name,
            location_id=row.location_id,
            room_name=labels[row.location_id].name,
            business_date=row.business_date,
            half_day=row.half_day,
            visit_type=row.visit_type,
            price_item_code=row.price_item_code,
            fee_fen=row.fee_fen,
            number=row.number,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            channel=row.channel,
            state=row.state,
            hold_until=row.hold_until,
            created_at=row.created_at,
            invoice_id=row.invoice_id,
            can_check_in=rules.can_check_in(row.state, row.business_date, at),
            is_lapsed=row.state is AppointmentState.HELD and rules.is_lapsed(row.hold_until, at),
        )
        for row in rows
    ]

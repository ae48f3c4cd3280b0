"""Registrations by day, department and channel: what the share of self-service is made of."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.scheduling.models import Appointment
from backend.scheduling.rules import AppointmentState, Channel

_COUNTED = (
    AppointmentState.BOOKED,
    AppointmentState.CHECKED_IN,
    AppointmentState.FULFILLED,
    AppointmentState.NO_SHOW,
)


def count_registrations(
    session: Session, hospital_id: Id, first: dt.date, last: dt.date
) -> list[tuple[dt.date, Id, Channel, int]]:
    """Visits of these business dates that were booked and not cancelled: day, department, channel, number."""
    keys = (Appointment.business_date, Appointment.department_id, Appointment.channel)
    rows = session.execute(
        select(*keys, func.count())
        .where(
            Appointment.hospital_id == hospital_id,
            Appointment.business_date >= first,
            Appointment.business_date <= last,
            Appointment.state.in_(_COUNTED),
        )
        .group_by(*keys)
    )
    return [
        (day, department, Channel(channel), int(number))
        for day, department, channel, number in rows
    ]

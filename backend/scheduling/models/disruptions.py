"""Stop-clinic notices, the sessions they stopped, substitutes, and the visits that could not be kept as booked."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, Index, String, and_, exists, or_, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.clock import HalfDay
from backend.kernel.db import Base, HospitalOwned, enum_column, fk, id_pk
from backend.kernel.ids import Id
from backend.scheduling.models.places import Appointment
from backend.scheduling.rules import (
    OPEN_DISRUPTIONS,
    UNSETTLED,
    DisruptionKind,
    DisruptionState,
    StopScope,
    StopState,
)

_OPEN = text(f"state IN ({', '.join(repr(state.value) for state in sorted(OPEN_DISRUPTIONS))})")
_NOT_RESUMED = text("resumed_at IS NULL")


class StopNotice(HospitalOwned, Base):
    """Somebody does not sit, a device does not run or a department does not open, ``first`` to ``last`` (停诊)."""

    __tablename__ = "scheduling_stop_notice"
    __table_args__ = (
        CheckConstraint("first <= last", name="period"),
        CheckConstraint(
            "practitioner_id IS NOT NULL OR department_id IS NOT NULL OR device_id IS NOT NULL",
            name="whom",
        ),
        Index("ix_scheduling_stop_notice_period", "hospital_id", "last"),
    )

    id: Mapped[Id] = id_pk()
    practitioner_id: Mapped[Id | None] = fk("organization_practitioner.id")
    department_id: Mapped[Id | None] = fk("organization_department.id")
    device_id: Mapped[Id | None] = fk("scheduling_device.id")
    first: Mapped[dt.date]
    last: Mapped[dt.date]
    #: None = every half-day.
    half_day: Mapped[HalfDay | None] = enum_column(HalfDay)
    reason: Mapped[str] = mapped_column(String(100))
    state: Mapped[StopState] = enum_column(StopState, default=StopState.IN_FORCE)
    created_at: Mapped[dt.datetime]
    #: The staff code of who stopped.
    created_by: Mapped[str] = mapped_column(String(60))
    lifted_at: Mapped[dt.datetime | None]

    @property
    def scope(self) -> StopScope:
        """What it stops."""
        return StopScope(
            self.first,
            self.last,
            self.practitioner_id,
            self.department_id,
            self.half_day,
            self.device_id,
        )


class StoppedSession(HospitalOwned, Base):
    """A session that a notice stopped; stopped still, until ``resumed_at``."""

    __tablename__ = "scheduling_stopped_session"
    __table_args__ = (
        Index(
            "uq_scheduling_stopped_session_standing",
            "schedule_id",
            unique=True,
            sqlite_where=_NOT_RESUMED,
            postgresql_where=_NOT_RESUMED,
        ),
    )

    id: Mapped[Id] = id_pk()
    stop_id: Mapped[Id] = fk("scheduling_stop_notice.id", index=True)
    schedule_id: Mapped[Id] = fk("scheduling_schedule.id")
    resumed_at: Mapped[dt.datetime | None]


class Substitution(HospitalOwned, Base):
    """Another practitioner took a session over (替诊); the weekly template stays the first one's."""

    __tablename__ = "scheduling_substitution"

    id: Mapped[Id] = id_pk()
    schedule_id: Mapped[Id] = fk("scheduling_schedule.id", index=True)
    from_practitioner_id: Mapped[Id] = fk("organization_practitioner.id")
    to_practitioner_id: Mapped[Id] = fk("organization_practitioner.id")
    reason: Mapped[str] = mapped_column(String(100))
    at: Mapped[dt.datetime]


class Disruption(HospitalOwned, Base):
    """One patient's visit that could not be kept as booked: why, as it was, and what became of it."""

    __tablename__ = "scheduling_disruption"
    __table_args__ = (
        Index(
            "uq_scheduling_disruption_open",
            "appointment_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_scheduling_disruption_patient", "patient_id", "created_at"),
    )

    id: Mapped[Id] = id_pk()
    appointment_id: Mapped[Id] = fk("scheduling_appointment.id", index=True)
    patient_id: Mapped[Id] = fk("patients_patient.id")
    kind: Mapped[DisruptionKind] = enum_column(DisruptionKind)
    state: Mapped[DisruptionState] = enum_column(DisruptionState)
    stop_id: Mapped[Id | None] = fk("scheduling_stop_notice.id", index=True)
    reason: Mapped[str] = mapped_column(String(100))
    #: The session and time as they were booked.
    schedule_id: Mapped[Id] = fk("scheduling_schedule.id", index=True)
    practitioner_id: Mapped[Id | None] = fk("organization_practitioner.id")
    starts_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime]
    #: Until when the patient may choose an equivalent.
    decide_by: Mapped[dt.datetime | None]
    decided_at: Mapped[dt.datetime | None]
    #: Who decided: a staff code, ``phone``, or a program's name.
    decided_by: Mapped[str | None] = mapped_column(String(60))


def is_cared_for(appointment_id: Any) -> ColumnElement[bool]:
    """Somebody looks after a visit of a stopped session, or it was kept in spite of the stop.

    To have been told of a substitute, or content with one, is no answer to a stop that follows.
    """
    kept = and_(Disruption.state == DisruptionState.KEPT, Disruption.kind == DisruptionKind.STOP)
    return exists(Disruption.id).where(
        Disruption.appointment_id == appointment_id, or_(Disruption.state.in_(UNSETTLED), kept)
    )


def is_hit(at: Any) -> ColumnElement[bool]:
    """A stop at ``at`` hits the visit. A place on a device that was over by then has been used: nobody notes that."""
    return or_(Appointment.device_id.is_(None), Appointment.ends_at > at)

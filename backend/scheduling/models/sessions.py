"""Weekly templates, and the sessions made from them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.clock import HalfDay
from backend.kernel.db import Base, HospitalOwned, enum_column, fk, id_pk
from backend.kernel.ids import Id
from backend.scheduling.rules import (
    ScheduleStatus,
    VisitType,
)


class TemplateEntry(HospitalOwned, Base):
    """One weekly session of a practitioner; a change of habit ends the entry and begins a new one."""

    __tablename__ = "scheduling_template_entry"
    __table_args__ = (
        UniqueConstraint("practitioner_id", "weekday", "half_day", "effective_from"),
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint("capacity > 0 AND slot_minutes > 0", name="capacity"),
    )

    id: Mapped[Id] = id_pk()
    practitioner_id: Mapped[Id] = fk("organization_practitioner.id")
    department_id: Mapped[Id] = fk("organization_department.id")
    location_id: Mapped[Id] = fk("organization_location.id")
    weekday: Mapped[int] = mapped_column(SmallInteger)
    half_day: Mapped[HalfDay] = enum_column(HalfDay)
    visit_type: Mapped[VisitType] = enum_column(VisitType)
    price_item_code: Mapped[str] = mapped_column(String(40))
    fee_fen: Mapped[int] = mapped_column(BigInteger)
    #: Minutes from midnight; None = when the half-day usually begins.
    starts_minute: Mapped[int | None] = mapped_column(SmallInteger)
    capacity: Mapped[int] = mapped_column(SmallInteger)
    slot_minutes: Mapped[int] = mapped_column(SmallInteger)
    effective_from: Mapped[dt.date]
    effective_until: Mapped[dt.date | None]


class Schedule(HospitalOwned, Base):
    """One session: a practitioner, a room, a day and half-day, a visit type, a fee (FHIR Schedule)."""

    __tablename__ = "scheduling_schedule"
    __table_args__ = (
        # A practitioner sits in one place at a time; generating twice makes nothing twice.
        UniqueConstraint("practitioner_id", "business_date", "half_day"),
        Index(
            "ix_scheduling_schedule_hospital_day_department",
            "hospital_id",
            "business_date",
            "department_id",
        ),
        CheckConstraint("capacity > 0", name="capacity"),
        CheckConstraint("fee_fen >= 0", name="fee"),
    )

    id: Mapped[Id] = id_pk()
    practitioner_id: Mapped[Id] = fk("organization_practitioner.id")
    department_id: Mapped[Id] = fk("organization_department.id")
    location_id: Mapped[Id] = fk("organization_location.id")
    business_date: Mapped[dt.date]
    half_day: Mapped[HalfDay] = enum_column(HalfDay)
    visit_type: Mapped[VisitType] = enum_column(VisitType)
    price_item_code: Mapped[str] = mapped_column(String(40))
    fee_fen: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[ScheduleStatus] = enum_column(ScheduleStatus, default=ScheduleStatus.OPEN)
    capacity: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[dt.datetime]

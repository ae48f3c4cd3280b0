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

#: Practitioners and devices share one engine: a session is exactly one's.
ONE_PERFORMER = "(practitioner_id IS NULL) <> (device_id IS NULL)"


class TemplateEntry(HospitalOwned, Base):
    """One weekly session of a practitioner or device; a change of habit ends the entry and begins a new one."""

    __tablename__ = "scheduling_template_entry"
    __table_args__ = (
        UniqueConstraint("practitioner_id", "weekday", "half_day", "effective_from"),
        UniqueConstraint("device_id", "weekday", "half_day", "effective_from"),
        CheckConstraint(ONE_PERFORMER, name="performer"),
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint("capacity > 0 AND slot_minutes > 0", name="capacity"),
    )

    id: Mapped[Id] = id_pk()
    practitioner_id: Mapped[Id | None] = fk("organization_practitioner.id")
    device_id: Mapped[Id | None] = fk("scheduling_device.id")
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

    @property
    def performer_id(self) -> Id:
        """Whose session it is: a practitioner's or a device's."""
        return performer_of(self.practitioner_id, self.device_id)


class Schedule(HospitalOwned, Base):
    """One session: a practitioner or device, a room, a day and half-day, a visit type, a fee (FHIR Schedule)."""

    __tablename__ = "scheduling_schedule"
    __table_args__ = (
        # A practitioner sits in one place at a time; generating twice makes nothing twice.
        UniqueConstraint("practitioner_id", "business_date", "half_day"),
        UniqueConstraint("device_id", "business_date", "half_day"),
        CheckConstraint(ONE_PERFORMER, name="performer"),
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
    practitioner_id: Mapped[Id | None] = fk("organization_practitioner.id")
    device_id: Mapped[Id | None] = fk("scheduling_device.id")
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

    @property
    def performer_id(self) -> Id:
        """Whose session it is: a practitioner's or a device's."""
        return performer_of(self.practitioner_id, self.device_id)


def performer_of(practitioner_id: Id | None, device_id: Id | None) -> Id:
    """The one of the two that is there; the tables' CHECK keeps it exactly one."""
    found = practitioner_id or device_id
    if found is None:
        raise ValueError("a session without practitioner and device")
    return found

"""Examination equipment that patients are booked on; its calendar is the same engine as a practitioner's."""

from __future__ import annotations

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.db import Base, HospitalOwned, Versioned, enum_column, fk, id_pk
from backend.kernel.ids import Id
from backend.scheduling.rules import Modality


class Device(Base, Versioned, HospitalOwned):
    """One machine or desk (a CT, an ultrasound room, a blood-drawing desk) at a place (FHIR Device)."""

    __tablename__ = "scheduling_device"
    __table_args__ = (
        UniqueConstraint("hospital_id", "code"),
        Index("ix_scheduling_device_modality", "hospital_id", "modality"),
    )

    id: Mapped[Id] = id_pk()
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(60))
    modality: Mapped[Modality] = enum_column(Modality)
    department_id: Mapped[Id] = fk("organization_department.id")
    location_id: Mapped[Id] = fk("organization_location.id")
    is_active: Mapped[bool] = mapped_column(default=True)

"""Tables of the organization, named after FHIR Organization, Practitioner and Location."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.db import Base, HospitalOwned, Versioned, enum_column, fk, id_pk
from backend.kernel.ids import Id
from backend.organization.rules import LocationKind


class DepartmentKind(StrEnum):
    """What a department does for patients."""

    CLINICAL = "clinical"
    TECHNICAL = "technical"
    ADMINISTRATIVE = "administrative"


class Hospital(Base, Versioned):
    """One hospital of the group."""

    __tablename__ = "organization_hospital"

    id: Mapped[Id] = id_pk()
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(80))


class Location(Base, Versioned, HospitalOwned):
    """A place: campus, building, floor, waiting area, room or window."""

    __tablename__ = "organization_location"
    __table_args__ = (UniqueConstraint("hospital_id", "code"),)

    id: Mapped[Id] = id_pk()
    parent_id: Mapped[Id | None] = fk("organization_location.id", index=True)
    kind: Mapped[LocationKind] = enum_column(LocationKind)
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(80))
    is_active: Mapped[bool] = mapped_column(default=True)


class Department(Base, Versioned, HospitalOwned):
    """A department (科室). ``location_id`` is its waiting area or floor."""

    __tablename__ = "organization_department"
    __table_args__ = (UniqueConstraint("hospital_id", "code"),)

    id: Mapped[Id] = id_pk()
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[DepartmentKind] = enum_column(DepartmentKind)
    location_id: Mapped[Id | None] = fk("organization_location.id")


class Practitioner(Base, Versioned, HospitalOwned):
    """A person who works here. ``sex`` is a GB/T 2261.1 code; ``title`` the professional title in words."""

    __tablename__ = "organization_practitioner"
    __table_args__ = (
        UniqueConstraint("hospital_id", "code"),
        Index("ix_organization_practitioner_department_id_is_active", "department_id", "is_active"),
    )

    id: Mapped[Id] = id_pk()
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(60))
    pinyin: Mapped[str] = mapped_column(String(120))
    sex: Mapped[int]
    title: Mapped[str] = mapped_column(String(40))
    department_id: Mapped[Id] = fk("organization_department.id")
    specialty: Mapped[str] = mapped_column(String(200), default="")
    is_active: Mapped[bool] = mapped_column(default=True)

"""Tables of the master patient index. ID numbers, phones and addresses are sealed; names are plain."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.db import (
    Base,
    HospitalOwned,
    Versioned,
    enum_column,
    fk,
    id_pk,
    prefix_text,
    sealed_column,
)
from backend.kernel.ids import Id


class IdentifierSystem(StrEnum):
    """What kind of number it is (DOMAIN: identifiers a patient may carry)."""

    HOSPITAL_CARD = "hospital_card"
    HEALTH_CARD = "health_card"
    E_HEALTH_CARD = "e_health_card"
    INSURANCE_CODE = "insurance_code"
    SOCIAL_SECURITY_CARD = "social_security_card"
    INPATIENT_NUMBER = "inpatient_number"


class IdentifierStatus(StrEnum):
    """A lost card is invalidated, never deleted."""

    ACTIVE = "active"
    LOST = "lost"
    REPLACED = "replaced"


class Patient(Base, Versioned, HospitalOwned):
    """One person. ``sex`` GB/T 2261.1, ``ethnic_group`` GB/T 3304, ``id_kind`` CV02.01.101."""

    __tablename__ = "patients_patient"
    __table_args__ = (
        UniqueConstraint("hospital_id", "id_kind", "id_number_index"),
        Index("ix_patients_patient_hospital_id_name", "hospital_id", "name"),
        Index("ix_patients_patient_hospital_id_pinyin_initials", "hospital_id", "pinyin_initials"),
        Index("ix_patients_patient_hospital_id_pinyin", "hospital_id", "pinyin"),
        Index("ix_patients_patient_phone_index", "phone_index"),
    )

    id: Mapped[Id] = id_pk()
    name: Mapped[str] = mapped_column(prefix_text(60))
    pinyin: Mapped[str] = mapped_column(prefix_text(160))
    pinyin_initials: Mapped[str] = mapped_column(prefix_text(30))
    sex: Mapped[int]
    birth_date: Mapped[dt.date]
    ethnic_group: Mapped[str | None] = mapped_column(String(2))
    id_kind: Mapped[str] = mapped_column(String(2))
    id_number_sealed: Mapped[bytes] = sealed_column("patients_patient.id_number")
    id_number_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    id_number_masked: Mapped[str] = mapped_column(String(40))
    phone_sealed: Mapped[bytes | None] = sealed_column("patients_patient.phone")
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    phone_masked: Mapped[str | None] = mapped_column(String(20))
    address_sealed: Mapped[bytes | None] = sealed_column("patients_patient.address")
    allergies: Mapped[str] = mapped_column(String(400), default="")
    registered_at: Mapped[dt.datetime]


class PatientIdentifier(Base, Versioned, HospitalOwned):
    """One number a patient is known by."""

    __tablename__ = "patients_patient_identifier"
    __table_args__ = (
        Index(
            "ux_patients_patient_identifier_active",
            "hospital_id",
            "system",
            "value_index",
            unique=True,
            sqlite_where=text("status = 'active'"),
            postgresql_where=text("status = 'active'"),
        ),
    )

    id: Mapped[Id] = id_pk()
    patient_id: Mapped[Id] = fk("patients_patient.id", index=True)
    system: Mapped[IdentifierSystem] = enum_column(IdentifierSystem)
    value_sealed: Mapped[bytes] = sealed_column("patients_patient_identifier.value")
    value_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    value_masked: Mapped[str] = mapped_column(String(40))
    status: Mapped[IdentifierStatus] = enum_column(
        IdentifierStatus, default=IdentifierStatus.ACTIVE
    )
    issued_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]

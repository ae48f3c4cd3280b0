"""Tables of encounters, and of the catalogues (ICD-10, drugs, laboratory) they order from."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.clinical.rules import EncounterState, OrderKind, OrderState
from backend.kernel.db import Base, HospitalOwned, Versioned, enum_column, fk, id_pk, prefix_text
from backend.kernel.ids import Id


class Encounter(Base, Versioned, HospitalOwned):
    """One patient before one practitioner. ``version`` guards the note's form too."""

    __tablename__ = "clinical_encounter"
    __table_args__ = (
        Index(
            "ux_clinical_encounter_ticket_id",
            "ticket_id",
            unique=True,
            sqlite_where=text("ticket_id IS NOT NULL"),
            postgresql_where=text("ticket_id IS NOT NULL"),
        ),
        Index("ix_clinical_encounter_patient", "patient_id", "started_at"),
        Index("ix_clinical_encounter_practitioner", "practitioner_id", "started_at"),
    )

    id: Mapped[Id] = id_pk()
    patient_id: Mapped[Id] = fk("patients_patient.id")
    appointment_id: Mapped[Id | None] = mapped_column(index=True)
    ticket_id: Mapped[Id | None]
    practitioner_id: Mapped[Id] = fk("organization_practitioner.id")
    department_id: Mapped[Id] = fk("organization_department.id")
    state: Mapped[EncounterState] = enum_column(EncounterState)
    started_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    invoice_id: Mapped[Id | None]
    complaint: Mapped[str] = mapped_column(String(2000), default="")
    history: Mapped[str] = mapped_column(String(4000), default="")
    examination: Mapped[str] = mapped_column(String(4000), default="")


class Diagnosis(Base, HospitalOwned):
    """One coded diagnosis; the first is the primary one."""

    __tablename__ = "clinical_diagnosis"
    __table_args__ = (UniqueConstraint("encounter_id", "code"),)

    id: Mapped[Id] = id_pk()
    encounter_id: Mapped[Id] = fk("clinical_encounter.id")
    code: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(String(120))
    is_primary: Mapped[bool] = mapped_column(default=False)
    added_at: Mapped[dt.datetime]


class Order(Base, HospitalOwned):
    """One drug or laboratory order; its charge is raised with it."""

    __tablename__ = "clinical_order"

    id: Mapped[Id] = id_pk()
    encounter_id: Mapped[Id] = fk("clinical_encounter.id", index=True)
    patient_id: Mapped[Id] = fk("patients_patient.id", index=True)
    kind: Mapped[OrderKind] = enum_column(OrderKind)
    state: Mapped[OrderState] = enum_column(OrderState, default=OrderState.ACTIVE)
    item_code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(120))
    specification: Mapped[str] = mapped_column(String(120), default="")
    unit: Mapped[str] = mapped_column(String(16))
    quantity: Mapped[int]
    dose: Mapped[str] = mapped_column(String(60), default="")
    route: Mapped[str] = mapped_column(String(40), default="")
    frequency: Mapped[str] = mapped_column(String(60), default="")
    charge_id: Mapped[Id] = fk("billing_charge.id")
    ordered_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class IcdCode(Base):
    """One entry of ICD-10 in use."""

    __tablename__ = "clinical_icd_code"

    code: Mapped[str] = mapped_column(prefix_text(24), primary_key=True)
    name: Mapped[str] = mapped_column(prefix_text(120), index=True)
    initials: Mapped[str] = mapped_column(prefix_text(40), index=True)


class Drug(Base, HospitalOwned):
    """One drug of the formulary; its price stands in billing under ``code``."""

    __tablename__ = "clinical_drug"
    __table_args__ = (
        UniqueConstraint("hospital_id", "code"),
        Index("ix_clinical_drug_name", "hospital_id", "name"),
        Index("ix_clinical_drug_initials", "hospital_id", "initials"),
    )

    id: Mapped[Id] = id_pk()
    code: Mapped[str] = mapped_column(prefix_text(32))
    name: Mapped[str] = mapped_column(prefix_text(120))
    initials: Mapped[str] = mapped_column(prefix_text(40))
    form: Mapped[str] = mapped_column(String(40))
    strength: Mapped[str] = mapped_column(String(60))
    unit: Mapped[str] = mapped_column(String(16))
    route: Mapped[str] = mapped_column(String(40))
    dose: Mapped[str] = mapped_column(String(60))
    frequency: Mapped[str] = mapped_column(String(60))
    is_cytotoxic: Mapped[bool] = mapped_column(default=False)


class LaboratoryPanel(Base, HospitalOwned):
    """One orderable laboratory examination; its price stands in billing under ``price_item_code``."""

    __tablename__ = "clinical_laboratory_panel"
    __table_args__ = (
        UniqueConstraint("hospital_id", "code"),
        Index("ix_clinical_laboratory_panel_name", "hospital_id", "name"),
        Index("ix_clinical_laboratory_panel_initials", "hospital_id", "initials"),
    )

    id: Mapped[Id] = id_pk()
    code: Mapped[str] = mapped_column(prefix_text(32))
    name: Mapped[str] = mapped_column(prefix_text(120))
    initials: Mapped[str] = mapped_column(prefix_text(40))
    price_item_code: Mapped[str] = mapped_column(String(32))
    specimen: Mapped[str] = mapped_column(String(40))
    container: Mapped[str] = mapped_column(String(60))
    turnaround_minutes: Mapped[int]

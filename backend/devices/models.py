"""Tables of kiosks, patients' sessions at them, and print jobs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.devices.rules import PrintKind, PrintState
from backend.kernel.db import Base, BigKey, HospitalOwned, enum_column, fk, id_pk
from backend.kernel.ids import Id


class Kiosk(Base, HospitalOwned):
    """One kiosk. Codes and credentials are stored as hashes only."""

    __tablename__ = "devices_kiosk"
    __table_args__ = (UniqueConstraint("hospital_id", "code"),)

    id: Mapped[Id] = id_pk()
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(60))
    location_id: Mapped[Id] = fk("organization_location.id")
    enrolment_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    enrolment_ends_at: Mapped[dt.datetime | None]
    credential_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    enrolled_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    last_print_no: Mapped[int] = mapped_column(default=0)


class KioskPulse(Base):
    """A kiosk's last heartbeat; a row of its own, because it changes every few seconds."""

    __tablename__ = "devices_kiosk_pulse"

    kiosk_id: Mapped[Id] = fk("devices_kiosk.id", primary_key=True)
    at: Mapped[dt.datetime]
    version: Mapped[str] = mapped_column(String(40))
    clock_offset_ms: Mapped[int] = mapped_column(BigKey)
    devices: Mapped[dict[str, Any]]
    open_journal: Mapped[int]


class EnrolmentWindow(Base):
    """How many codes one address has tried in one quarter of an hour; the address is kept as a hash."""

    __tablename__ = "devices_enrolment_window"

    address_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    begins_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    tries: Mapped[int]


class PatientSession(Base, HospitalOwned):
    """One patient before one kiosk; slides three minutes with each act."""

    __tablename__ = "devices_patient_session"

    id: Mapped[Id] = id_pk()
    kiosk_id: Mapped[Id] = fk("devices_kiosk.id", index=True)
    patient_id: Mapped[Id] = fk("patients_patient.id")
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    began_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]


class PrintJob(Base, HospitalOwned):
    """One document on its way to paper: intent stored first, outcome reported after."""

    __tablename__ = "devices_print_job"
    __table_args__ = (
        UniqueConstraint("kiosk_id", "job_no"),
        Index("ix_devices_print_job_hospital_id_state", "hospital_id", "state"),
        Index("ix_devices_print_job_kiosk_id_requested_at", "kiosk_id", "requested_at"),
    )

    id: Mapped[Id] = id_pk()
    kiosk_id: Mapped[Id] = fk("devices_kiosk.id")
    job_no: Mapped[int]
    patient_id: Mapped[Id] = fk("patients_patient.id")
    kind: Mapped[PrintKind] = enum_column(PrintKind)
    ticket_id: Mapped[Id | None] = fk("queueing_ticket.id")
    invoice_id: Mapped[Id | None] = fk("billing_invoice.id")
    is_reprint: Mapped[bool] = mapped_column(default=False)
    state: Mapped[PrintState] = enum_column(PrintState, default=PrintState.REQUESTED)
    code: Mapped[str] = mapped_column(String(40), default="")
    requested_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]

"""The catalogue of examinations, what was asked of a patient before them, and the examinations that are booked."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.db import Base, HospitalOwned, Versioned, enum_column, fk, id_pk, prefix_text
from backend.kernel.ids import Id
from backend.scheduling.rules import Modality
from backend.scheduling.rules.examinations import Contrast, ExaminationState, Tracer


class ExaminationType(Base, Versioned, HospitalOwned):
    """One kind of examination; its price stands in billing under ``price_item_code``. Columns as in the rules."""

    __tablename__ = "scheduling_examination_type"
    __table_args__ = (
        UniqueConstraint("hospital_id", "code"),
        Index("ix_scheduling_examination_type_name", "hospital_id", "name"),
        Index("ix_scheduling_examination_type_initials", "hospital_id", "initials"),
        CheckConstraint("minutes > 0 AND fasting_hours >= 0", name="minutes"),
    )

    id: Mapped[Id] = id_pk()
    code: Mapped[str] = mapped_column(prefix_text(32))
    name: Mapped[str] = mapped_column(prefix_text(120))
    initials: Mapped[str] = mapped_column(prefix_text(40))
    modality: Mapped[Modality] = enum_column(Modality)
    price_item_code: Mapped[str] = mapped_column(String(40))
    minutes: Mapped[int] = mapped_column(SmallInteger)
    fasting_hours: Mapped[int] = mapped_column(SmallInteger, default=0)
    is_dry: Mapped[bool] = mapped_column(default=False)
    full_bladder: Mapped[bool] = mapped_column(default=False)
    contrast: Mapped[Contrast | None] = enum_column(Contrast, nullable=True)
    has_barium: Mapped[bool] = mapped_column(default=False)
    tracer: Mapped[Tracer | None] = enum_column(Tracer, nullable=True)
    has_sedation: Mapped[bool] = mapped_column(default=False)
    has_bowel_cleansing: Mapped[bool] = mapped_column(default=False)
    is_abdominal: Mapped[bool] = mapped_column(default=False)
    is_iodine_sensitive: Mapped[bool] = mapped_column(default=False)
    gives_renal_function: Mapped[bool] = mapped_column(default=False)
    joint_group: Mapped[str] = mapped_column(String(32), default="")
    joint_minutes: Mapped[int] = mapped_column(SmallInteger, default=0)
    instruction: Mapped[str] = mapped_column(String(200), default="")


class ExaminationScreening(Base, HospitalOwned):
    """What a patient answered to the questions of safety; rows are only added, the newest counts. None = not asked."""

    __tablename__ = "scheduling_examination_screening"
    __table_args__ = (
        Index("ix_scheduling_examination_screening_patient", "patient_id", "answered_at"),
    )

    id: Mapped[Id] = id_pk()
    patient_id: Mapped[Id] = fk("patients_patient.id")
    answered_at: Mapped[dt.datetime]
    has_pacemaker: Mapped[bool | None]
    has_metal: Mapped[bool | None]
    has_iodinated_allergy: Mapped[bool | None]
    has_gadolinium_allergy: Mapped[bool | None]
    has_kidney_risk: Mapped[bool | None]
    #: mL/min/1.73 m².
    egfr: Mapped[int | None] = mapped_column(SmallInteger)
    is_pregnant: Mapped[bool | None]
    has_obstruction: Mapped[bool | None]


class BookedExamination(Base, HospitalOwned):
    """One visit to a device, for one order or several together; its places are appointments."""

    __tablename__ = "scheduling_examination"
    __table_args__ = (Index("ix_scheduling_examination_patient", "patient_id", "starts_at"),)

    id: Mapped[Id] = id_pk()
    patient_id: Mapped[Id] = fk("patients_patient.id")
    device_id: Mapped[Id] = fk("scheduling_device.id")
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    state: Mapped[ExaminationState] = enum_column(ExaminationState)
    booked_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


_IS_ACTIVE = text("is_active")


class ExaminationItem(Base, HospitalOwned):
    """One order of a booked examination; an order is in one active booking at most."""

    __tablename__ = "scheduling_examination_item"
    __table_args__ = (
        Index(
            "uq_scheduling_examination_item_active_order",
            "order_id",
            unique=True,
            sqlite_where=_IS_ACTIVE,
            postgresql_where=_IS_ACTIVE,
        ),
    )

    id: Mapped[Id] = id_pk()
    examination_id: Mapped[Id] = fk("scheduling_examination.id", index=True)
    #: Whoever ordered it, in their own keeping.
    order_id: Mapped[Id]
    type_code: Mapped[str] = mapped_column(String(32))
    is_active: Mapped[bool] = mapped_column(default=True)


class ExaminationPlace(Base, HospitalOwned):
    """One of the consecutive places of a booked examination."""

    __tablename__ = "scheduling_examination_place"

    id: Mapped[Id] = id_pk()
    examination_id: Mapped[Id] = fk("scheduling_examination.id", index=True)
    appointment_id: Mapped[Id] = fk("scheduling_appointment.id", unique=True)

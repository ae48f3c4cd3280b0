"""Places, patients' claims on them, and the life of every place."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    and_,
    false,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.clock import HalfDay
from backend.kernel.db import Base, HospitalOwned, enum_column, fk, id_pk
from backend.kernel.ids import Id
from backend.scheduling.models.sessions import ONE_PERFORMER, performer_of
from backend.scheduling.models.waiting import has_line
from backend.scheduling.rules import (
    ACTIVE,
    OCCUPYING,
    AppointmentState,
    Channel,
    SlotEventKind,
    SlotState,
    VisitType,
)

#: Literals, because a partial index serves only queries that repeat its condition word for word.
IS_HELD = text("state = 'held'")
IS_FREE = text("state = 'free'")
IS_BOOKED = text("scheduling_appointment.state = 'booked'")


def _one_of(states: frozenset[AppointmentState]) -> str:
    return ", ".join(f"'{state.value}'" for state in sorted(states))


class Slot(HospitalOwned, Base):
    """One numbered place of a schedule with its arrival window (FHIR Slot)."""

    __tablename__ = "scheduling_slot"
    __table_args__ = (
        UniqueConstraint("schedule_id", "number"),
        CheckConstraint(
            "(state IN ('free', 'closed')) = (appointment_id IS NULL)"
            " AND (state = 'held') = (hold_until IS NOT NULL)",
            name="holder",
        ),
        CheckConstraint("starts_at < ends_at", name="window"),
        Index(
            "ix_scheduling_slot_lapsing",
            "hold_until",
            sqlite_where=IS_HELD,
            postgresql_where=IS_HELD,
        ),
        CheckConstraint("(reserved_for IS NULL) = (reserved_until IS NULL)", name="reserve"),
        # "The next free place" reads one end of this index, however many places are taken; "a place whose
        # hold has ended" reads one end of the other.
        Index(
            "ix_scheduling_slot_next_free",
            "schedule_id",
            "starts_at",
            "number",
            sqlite_where=IS_FREE,
            postgresql_where=IS_FREE,
        ),
        Index(
            "ix_scheduling_slot_next_lapsed",
            "schedule_id",
            "hold_until",
            sqlite_where=IS_HELD,
            postgresql_where=IS_HELD,
        ),
    )

    id: Mapped[Id] = id_pk()
    schedule_id: Mapped[Id] = fk("scheduling_schedule.id")
    number: Mapped[int] = mapped_column(SmallInteger)
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    state: Mapped[SlotState] = enum_column(SlotState, default=SlotState.FREE)
    hold_until: Mapped[dt.datetime | None]
    #: The holder. No foreign key: appointments already point here, and `slots verify` checks both.
    appointment_id: Mapped[Id | None]
    #: How many events this slot has lived through: the ordinal of its last SlotEvent.
    life: Mapped[int] = mapped_column(SmallInteger, default=1)
    #: Until ``reserved_until`` only this channel may claim the place; None = everybody at any time.
    reserved_for: Mapped[Channel | None] = enum_column(Channel)
    reserved_until: Mapped[dt.datetime | None]
    #: Added beyond capacity for one patient (加号); never free for anybody else.
    is_added: Mapped[bool] = mapped_column(default=False, server_default=false())


class Appointment(HospitalOwned, Base):
    """A patient's claim on a slot, from hold to visit (FHIR Appointment)."""

    __tablename__ = "scheduling_appointment"
    __table_args__ = (
        # The last defences, should every lock fail: one occupant per slot, and one active
        # appointment per patient, practitioner and half-day.
        Index(
            "uq_scheduling_appointment_occupied_slot",
            "slot_id",
            unique=True,
            sqlite_where=text(f"state IN ({_one_of(OCCUPYING)})"),
            postgresql_where=text(f"state IN ({_one_of(OCCUPYING)})"),
        ),
        Index(
            "uq_scheduling_appointment_active_visit",
            "patient_id",
            "practitioner_id",
            "business_date",
            "half_day",
            unique=True,
            sqlite_where=text(f"state IN ({_one_of(ACTIVE)})"),
            postgresql_where=text(f"state IN ({_one_of(ACTIVE)})"),
        ),
        CheckConstraint(ONE_PERFORMER, name="performer"),
        Index("ix_scheduling_appointment_patient_day", "patient_id", "business_date"),
        Index("ix_scheduling_appointment_day", "hospital_id", "business_date", "department_id"),
        Index(
            "ix_scheduling_appointment_booked_day",
            "business_date",
            sqlite_where=text("state = 'booked'"),
            postgresql_where=text("state = 'booked'"),
        ),
    )

    id: Mapped[Id] = id_pk()
    patient_id: Mapped[Id] = fk("patients_patient.id")
    slot_id: Mapped[Id] = fk("scheduling_slot.id", index=True)
    schedule_id: Mapped[Id] = fk("scheduling_schedule.id", index=True)
    practitioner_id: Mapped[Id | None] = fk("organization_practitioner.id")
    #: The device of an examination: of those a patient may have several on a half-day.
    device_id: Mapped[Id | None] = fk("scheduling_device.id")
    department_id: Mapped[Id] = fk("organization_department.id")
    location_id: Mapped[Id] = fk("organization_location.id")
    business_date: Mapped[dt.date]
    half_day: Mapped[HalfDay] = enum_column(HalfDay)
    visit_type: Mapped[VisitType] = enum_column(VisitType)
    price_item_code: Mapped[str] = mapped_column(String(40))
    fee_fen: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(SmallInteger)
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    channel: Mapped[Channel] = enum_column(Channel)
    state: Mapped[AppointmentState] = enum_column(AppointmentState)
    hold_until: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime]
    booked_at: Mapped[dt.datetime | None]
    checked_in_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    #: The invoice that pays for it, in billing's keeping.
    invoice_id: Mapped[Id | None]

    @property
    def performer_id(self) -> Id:
        """Whom or what the patient comes to: a practitioner or a device."""
        return performer_of(self.practitioner_id, self.device_id)


class SlotEvent(HospitalOwned, Base):
    """One step in a slot's life; rows are only ever added, numbered 1… per slot without holes."""

    __tablename__ = "scheduling_slot_event"
    __table_args__ = (UniqueConstraint("slot_id", "ordinal"),)

    id: Mapped[Id] = id_pk()
    slot_id: Mapped[Id] = fk("scheduling_slot.id")
    ordinal: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[SlotEventKind] = enum_column(SlotEventKind)
    at: Mapped[dt.datetime]
    appointment_id: Mapped[Id | None] = fk("scheduling_appointment.id", nullable=True, index=True)
    hold_until: Mapped[dt.datetime | None]


def claimable(at: dt.datetime, channel: Channel | None = None) -> ColumnElement[bool]:
    """``rules.is_claimable`` in SQL: expiry is a predicate of the claim, not a sweeper's work.

    With ``channel``, only what that channel may take: places reserved for others wait for their release, and those
    of a session with a waiting list are the line's.
    """
    lapsed = and_(Slot.state == SlotState.HELD, Slot.hold_until <= at)
    is_claimable = and_(or_(Slot.state == SlotState.FREE, lapsed), Slot.ends_at > at)
    if channel is None:
        return is_claimable
    return and_(is_claimable, open_to(channel, at), out_of_line(channel, at))


def open_to(channel: Any, at: Any, place: Any = Slot) -> ColumnElement[bool]:
    """``place`` is reserved for nobody, for ``channel``, or no longer; both may be bound parameters."""
    return or_(
        place.reserved_for.is_(None), place.reserved_for == channel, place.reserved_until <= at
    )


def out_of_line(channel: Any, at: Any) -> ColumnElement[bool]:
    """Nobody overtakes a waiting list: its session's places are the line's, but for those ``channel`` has to itself."""
    return or_(
        ~has_line(Slot.schedule_id),
        and_(Slot.reserved_for == channel, Slot.reserved_until > at),
    )

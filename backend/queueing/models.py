"""Tables of queueing."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.clock import HalfDay
from backend.kernel.db import Base, HospitalOwned, Versioned, enum_column, fk, id_pk
from backend.kernel.ids import Id
from backend.queueing.rules import CallKind, TicketClass, TicketState

HOLDS_APPOINTMENT = "appointment_id IS NOT NULL AND state <> 'left'"


class Queue(Base, Versioned, HospitalOwned):
    """One line of waiting people: a clinic, a window, a linac. ``prefix`` begins its ticket numbers."""

    __tablename__ = "queueing_queue"
    __table_args__ = (UniqueConstraint("hospital_id", "code"),)

    id: Mapped[Id] = id_pk()
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(60))
    prefix: Mapped[str] = mapped_column(String(4))
    department_id: Mapped[Id] = fk("organization_department.id", index=True)
    hall_location_id: Mapped[Id] = fk("organization_location.id", index=True)


class QueueRoom(Base, HospitalOwned):
    """A room that calls from a queue."""

    __tablename__ = "queueing_queue_room"
    __table_args__ = (UniqueConstraint("queue_id", "location_id"),)

    id: Mapped[Id] = id_pk()
    queue_id: Mapped[Id] = fk("queueing_queue.id")
    location_id: Mapped[Id] = fk("organization_location.id")


class TicketCounter(Base):
    """The last number given in one queue's half-day; changed only under the queue's lock."""

    __tablename__ = "queueing_ticket_counter"

    queue_id: Mapped[Id] = fk("queueing_queue.id", primary_key=True)
    business_date: Mapped[dt.date] = mapped_column(primary_key=True)
    half_day: Mapped[HalfDay] = enum_column(HalfDay, primary_key=True)
    last_number: Mapped[int] = mapped_column(default=0)


class Ticket(Base, Versioned, HospitalOwned):
    """One person's place in one queue.

    ``returned_at``: when a missed patient came back; three calls of the line go first. ``called_at``: the first
    call of the present turn. A ticket that has left no longer stands for its appointment.
    """

    __tablename__ = "queueing_ticket"
    __table_args__ = (
        UniqueConstraint("queue_id", "business_date", "half_day", "ordinal"),
        Index(
            "ux_queueing_ticket_appointment_id",
            "appointment_id",
            unique=True,
            sqlite_where=text(HOLDS_APPOINTMENT),
            postgresql_where=text(HOLDS_APPOINTMENT),
        ),
        # Reads ask for every ticket an appointment ever had, those that left included.
        Index("ix_queueing_ticket_appointment", "appointment_id"),
        Index("ix_queueing_ticket_day", "queue_id", "business_date", "state"),
        Index("ix_queueing_ticket_patient", "patient_id", "business_date"),
        Index("ix_queueing_ticket_practitioner", "practitioner_id", "business_date"),
        Index("ix_queueing_ticket_served_by", "served_by_id", "state"),
    )

    id: Mapped[Id] = id_pk()
    queue_id: Mapped[Id] = fk("queueing_queue.id")
    business_date: Mapped[dt.date]
    half_day: Mapped[HalfDay] = enum_column(HalfDay)
    ordinal: Mapped[int]
    number: Mapped[str] = mapped_column(String(12))
    patient_id: Mapped[Id] = fk("patients_patient.id")
    appointment_id: Mapped[Id | None]
    practitioner_id: Mapped[Id | None] = fk("organization_practitioner.id")
    ticket_class: Mapped[TicketClass] = enum_column(TicketClass)
    state: Mapped[TicketState] = enum_column(TicketState, default=TicketState.WAITING)
    arrived_at: Mapped[dt.datetime]
    window_starts_at: Mapped[dt.datetime | None]
    window_ends_at: Mapped[dt.datetime | None]
    room_id: Mapped[Id | None] = fk("organization_location.id")
    served_by_id: Mapped[Id | None] = fk("organization_practitioner.id")
    called_at: Mapped[dt.datetime | None]
    call_count: Mapped[int] = mapped_column(default=0)
    miss_count: Mapped[int] = mapped_column(default=0)
    returned_at: Mapped[dt.datetime | None]
    serving_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    printed_at: Mapped[dt.datetime | None]


class Call(Base, HospitalOwned):
    """One call as it was shown and spoken."""

    __tablename__ = "queueing_call"
    __table_args__ = (
        Index("ix_queueing_call_hall", "hall_location_id", "at"),
        Index("ix_queueing_call_queue", "queue_id", "at"),
    )

    id: Mapped[Id] = id_pk()
    ticket_id: Mapped[Id] = fk("queueing_ticket.id", index=True)
    queue_id: Mapped[Id] = fk("queueing_queue.id")
    hall_location_id: Mapped[Id] = fk("organization_location.id")
    room_id: Mapped[Id] = fk("organization_location.id")
    practitioner_id: Mapped[Id] = fk("organization_practitioner.id")
    kind: Mapped[CallKind] = enum_column(CallKind)
    at: Mapped[dt.datetime]

"""Closed shifts of cashiers, and closed days of hospitals: frozen sums over ledger entries.

There is no row for an open shift: it is whatever its cashier moved that no closed shift has.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.billing.models.columns import fen
from backend.billing.rules import Channel, MovementKind, Tender
from backend.kernel.db import Base, HospitalOwned, UtcDateTime, enum_column, fk, id_pk
from backend.kernel.ids import Id


class CashierShift(HospitalOwned, Base):
    """A shift that was closed (班结): never changed afterwards."""

    __tablename__ = "billing_cashier_shift"
    __table_args__ = (
        Index(None, "account_id", "closed_at"),
        Index(None, "hospital_id", "closed_at"),
        CheckConstraint("counted_fen = cash_fen + difference_fen", name="count_is_explained"),
        CheckConstraint("float_fen >= 0", name="float_not_negative"),
        CheckConstraint("difference_fen = 0 OR reason <> ''", name="difference_has_reason"),
    )

    id: Mapped[Id] = id_pk()
    #: The staff account; its label as it was then.
    account_id: Mapped[Id] = mapped_column(Uuid(as_uuid=True))
    label: Mapped[str] = mapped_column(String(80))
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    entries: Mapped[int] = mapped_column(Integer)
    #: What the drawer should hold more than at the beginning, and what was counted beside the float (备用金). Both
    #: are negative when more was given back than taken.
    cash_fen: Mapped[int] = fen()
    float_fen: Mapped[int] = fen(default=0)
    counted_fen: Mapped[int] = fen()
    difference_fen: Mapped[int] = fen()
    #: How many of each denomination, by its fen.
    pieces: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(String(200), default="")
    handed_to: Mapped[str] = mapped_column(String(40))


class ShiftLine(Base):
    """One tender and kind of a closed shift; money that went out is negative."""

    __tablename__ = "billing_shift_line"

    shift_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=True), ForeignKey("billing_cashier_shift.id"), primary_key=True
    )
    tender: Mapped[Tender] = enum_column(Tender, primary_key=True)
    kind: Mapped[MovementKind] = enum_column(MovementKind, primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    amount_fen: Mapped[int] = fen()


class ShiftEntry(Base):
    """Which shift a ledger entry was closed with: one at most, by its key."""

    __tablename__ = "billing_shift_entry"

    entry_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=True), ForeignKey("billing_journal_entry.id"), primary_key=True
    )
    shift_id: Mapped[Id] = fk("billing_cashier_shift.id", index=True)


class DayClose(HospitalOwned, Base):
    """A business date of a hospital that was closed (日结): never changed afterwards."""

    __tablename__ = "billing_day_close"
    __table_args__ = (UniqueConstraint("hospital_id", "business_date"),)

    id: Mapped[Id] = id_pk()
    business_date: Mapped[dt.date] = mapped_column(Date)
    closed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    closed_by: Mapped[str] = mapped_column(String(80))
    #: Cashiers whose money of that day was in no closed shift yet: label → fen.
    open_cashiers: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(String(200), default="")


class DayLine(Base):
    """One tender, kind and channel of a closed day; money that went out is negative."""

    __tablename__ = "billing_day_line"

    day_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=True), ForeignKey("billing_day_close.id"), primary_key=True
    )
    tender: Mapped[Tender] = enum_column(Tender, primary_key=True)
    kind: Mapped[MovementKind] = enum_column(MovementKind, primary_key=True)
    channel: Mapped[Channel] = enum_column(Channel, primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    amount_fen: Mapped[int] = fen()

"""Reconciliation: one run a channel and day, the bill's lines as they were fetched, and what differs."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    Boolean,
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
from backend.billing.ports import BillRowKind
from backend.billing.rules import BillChannel, DifferenceKind, RunState
from backend.kernel.db import Base, UtcDateTime, enum_column, fk, id_pk
from backend.kernel.ids import Id


class ReconciliationRun(Base):
    """The bill of one channel for one business date, held against our books.

    One merchant account serves the whole installation, so a run belongs to no hospital.
    """

    __tablename__ = "billing_reconciliation_run"
    __table_args__ = (
        UniqueConstraint("channel", "business_date"),
        Index(None, "state", "next_try_at"),
    )

    id: Mapped[Id] = id_pk()
    channel: Mapped[BillChannel] = enum_column(BillChannel)
    business_date: Mapped[dt.date] = mapped_column(Date)
    state: Mapped[RunState] = enum_column(RunState, default=RunState.DUE)
    next_try_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    failure: Mapped[str] = mapped_column(String(120), default="")
    fetching_since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    matched_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: The hash of the file whose lines are stored.
    bill_digest: Mapped[str] = mapped_column(String(64), default="")
    bill_payments: Mapped[int] = mapped_column(Integer, default=0)
    bill_payments_fen: Mapped[int] = fen(default=0)
    bill_refunds: Mapped[int] = mapped_column(Integer, default=0)
    bill_refunds_fen: Mapped[int] = fen(default=0)
    #: What our books date to that day.
    our_payments: Mapped[int] = mapped_column(Integer, default=0)
    our_payments_fen: Mapped[int] = fen(default=0)
    our_refunds: Mapped[int] = mapped_column(Integer, default=0)
    our_refunds_fen: Mapped[int] = fen(default=0)
    #: Lines of the bill that agree with our books, and those of them that we date to another day.
    matched: Mapped[int] = mapped_column(Integer, default=0)
    cross_day: Mapped[int] = mapped_column(Integer, default=0)
    #: Documents near midnight that the next day's bill may still list.
    carried: Mapped[int] = mapped_column(Integer, default=0)


class BillItem(Base):
    """One line of a fetched bill: evidence, replaced only when the channel publishes another file."""

    __tablename__ = "billing_bill_item"
    __table_args__ = (Index(None, "number"),)

    run_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=True), ForeignKey("billing_reconciliation_run.id"), primary_key=True
    )
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[BillRowKind] = enum_column(BillRowKind)
    number: Mapped[str] = mapped_column(String(64))
    out_trade_no: Mapped[str] = mapped_column(String(64))
    amount_fen: Mapped[int] = fen()
    channel_number: Mapped[str] = mapped_column(String(64))
    happened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    is_final: Mapped[bool] = mapped_column(Boolean)


class Difference(Base):
    """One number about which a bill and our books disagree; its money case is for a person."""

    __tablename__ = "billing_reconciliation_difference"
    __table_args__ = (
        UniqueConstraint(
            "run_id",
            "kind",
            "item_kind",
            "number",
            name="uq_billing_reconciliation_difference_finding",
        ),
    )

    id: Mapped[Id] = id_pk()
    run_id: Mapped[Id] = fk("billing_reconciliation_run.id")
    kind: Mapped[DifferenceKind] = enum_column(DifferenceKind)
    item_kind: Mapped[BillRowKind] = enum_column(BillRowKind)
    number: Mapped[str] = mapped_column(String(64), index=True)
    our_fen: Mapped[int | None] = fen()
    their_fen: Mapped[int | None] = fen()
    #: When it happened, as the side that knows it says.
    happened_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    case_id: Mapped[Id] = fk("billing_money_case.id", index=True)
    found_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    #: Later evidence made both sides agree.
    settled_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

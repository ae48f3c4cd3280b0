"""Billing's tables: price list, charges, invoices, payments, refunds, ledger and money cases.

All amounts are integer fen in BIGINT columns. CHECK and unique constraints are the last defence
behind the rules: no overpaid refund, no document number twice, no fact posted twice.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.billing.rules import (
    CaseKind,
    CaseState,
    ChargeState,
    EntryKind,
    InvoiceState,
    PaymentState,
    PriceCategory,
    RefundState,
    Tender,
)
from backend.kernel.db import Base, HospitalOwned, UtcDateTime, enum_column, fk, id_pk
from backend.kernel.ids import Id


def _fen(**options: Any) -> Mapped[int]:
    return mapped_column(BigInteger, **options)


class PriceItem(HospitalOwned, Base):
    """One line of the price list; what it costs is in its versions."""

    __tablename__ = "billing_price_item"
    __table_args__ = (
        UniqueConstraint("hospital_id", "code"),
        Index(None, "hospital_id", "category", "code"),
    )

    id: Mapped[Id] = id_pk()
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    pinyin_initials: Mapped[str] = mapped_column(String(120), default="")
    unit: Mapped[str] = mapped_column(String(20))
    category: Mapped[PriceCategory] = enum_column(PriceCategory)
    is_active: Mapped[bool] = mapped_column(default=True)


class PriceVersion(Base):
    """What an item costs from one day (included) until another (excluded, None = for good)."""

    __tablename__ = "billing_price_version"
    __table_args__ = (
        UniqueConstraint("item_id", "effective_from"),
        CheckConstraint("price_fen >= 0", name="price_not_negative"),
        CheckConstraint(
            "effective_until IS NULL OR effective_until > effective_from", name="lasts_a_day"
        ),
    )

    id: Mapped[Id] = id_pk()
    item_id: Mapped[Id] = fk("billing_price_item.id")
    price_fen: Mapped[int] = _fen()
    effective_from: Mapped[dt.date] = mapped_column(Date)
    effective_until: Mapped[dt.date | None] = mapped_column(Date)


class Charge(HospitalOwned, Base):
    """Something a patient owes, with the price of the day it was raised."""

    __tablename__ = "billing_charge"
    __table_args__ = (
        Index(
            "uq_billing_charge_live_source",
            "source_id",
            "price_item_code",
            "source_kind",
            unique=True,
            postgresql_where=text("state <> 'cancelled'"),
            sqlite_where=text("state <> 'cancelled'"),
        ),
        Index(
            "ix_billing_charge_pending",
            "patient_id",
            postgresql_where=text("state = 'pending'"),
            sqlite_where=text("state = 'pending'"),
        ),
        CheckConstraint("quantity >= 1", name="quantity_positive"),
        CheckConstraint("amount_fen = unit_price_fen * quantity", name="amount_is_product"),
        CheckConstraint("refunded_fen BETWEEN 0 AND amount_fen", name="refunded_within_amount"),
    )

    id: Mapped[Id] = id_pk()
    patient_id: Mapped[Id] = fk("patients_patient.id", index=True)
    source_kind: Mapped[str] = mapped_column(String(24))
    source_id: Mapped[Id] = mapped_column()
    price_item_code: Mapped[str] = mapped_column(String(40))
    category: Mapped[PriceCategory] = enum_column(PriceCategory)
    name: Mapped[str] = mapped_column(String(120))
    unit: Mapped[str] = mapped_column(String(20))
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price_fen: Mapped[int] = _fen()
    amount_fen: Mapped[int] = _fen()
    #: Reserved for refunds that were asked for, whether or not they have arrived.
    refunded_fen: Mapped[int] = _fen(default=0)
    state: Mapped[ChargeState] = enum_column(ChargeState, default=ChargeState.PENDING)
    invoice_id: Mapped[Id | None] = fk("billing_invoice.id", index=True)
    raised_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class InvoiceCounter(Base):
    """The last number given in one series of one hospital; its row is locked last."""

    __tablename__ = "billing_invoice_counter"
    is_kernel_row = True

    hospital_id: Mapped[Id] = mapped_column(
        ForeignKey("organization_hospital.id"), primary_key=True
    )
    series: Mapped[str] = mapped_column(String(12), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


class Invoice(HospitalOwned, Base):
    """A bill over charges of one patient; paid whole or not at all."""

    __tablename__ = "billing_invoice"
    __table_args__ = (
        UniqueConstraint("hospital_id", "series", "ordinal"),
        Index(
            "ix_billing_invoice_open",
            "patient_id",
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
        CheckConstraint("total_fen >= 0", name="total_not_negative"),
    )

    id: Mapped[Id] = id_pk()
    patient_id: Mapped[Id] = fk("patients_patient.id", index=True)
    series: Mapped[str] = mapped_column(String(12))
    ordinal: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str] = mapped_column(String(32), index=True)
    total_fen: Mapped[int] = _fen()
    state: Mapped[InvoiceState] = enum_column(InvoiceState, default=InvoiceState.OPEN)
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: Somebody asked to void it; it ends once no payment of it is in flight.
    void_requested_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    void_reason: Mapped[str] = mapped_column(String(40), default="")
    void_cancels_charges: Mapped[bool] = mapped_column(default=True)


class Payment(HospitalOwned, Base):
    """One try to pay one invoice: cash taken, or an order at a platform."""

    __tablename__ = "billing_payment"
    __table_args__ = (
        Index(
            "uq_billing_payment_settling",
            "invoice_id",
            unique=True,
            postgresql_where=text("state = 'succeeded' AND NOT is_suspended"),
            sqlite_where=text("state = 'succeeded' AND NOT is_suspended"),
        ),
        Index(
            "uq_billing_payment_in_flight",
            "invoice_id",
            unique=True,
            postgresql_where=text("state IN ('created','pending','unknown','closing')"),
            sqlite_where=text("state IN ('created','pending','unknown','closing')"),
        ),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("refunded_fen BETWEEN 0 AND received_fen", name="refunded_within_received"),
    )

    id: Mapped[Id] = id_pk()
    invoice_id: Mapped[Id] = fk("billing_invoice.id", index=True)
    patient_id: Mapped[Id] = fk("patients_patient.id", index=True)
    tender: Mapped[Tender] = enum_column(Tender)
    state: Mapped[PaymentState] = enum_column(PaymentState, default=PaymentState.CREATED)
    amount_fen: Mapped[int] = _fen()
    #: What really came in; differs from ``amount_fen`` only on a frozen payment.
    received_fen: Mapped[int] = _fen(default=0)
    #: Reserved for refunds that were asked for, whether or not they have arrived.
    refunded_fen: Mapped[int] = _fen(default=0)
    #: The money pays no invoice; it lies in suspense until it is given back.
    is_suspended: Mapped[bool] = mapped_column(default=False)
    #: Cash only: what was handed over and handed back.
    tendered_fen: Mapped[int | None] = mapped_column(BigInteger)
    change_fen: Mapped[int | None] = mapped_column(BigInteger)
    out_trade_no: Mapped[str | None] = mapped_column(String(32), unique=True)
    code_url: Mapped[str | None] = mapped_column(String(512))
    transaction_id: Mapped[str | None] = mapped_column(String(64), index=True)
    failure_code: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    paid_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Refund(HospitalOwned, Base):
    """Money on its way back to the tender it came from."""

    __tablename__ = "billing_refund"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount_positive"),)

    id: Mapped[Id] = id_pk()
    payment_id: Mapped[Id] = fk("billing_payment.id", index=True)
    invoice_id: Mapped[Id] = fk("billing_invoice.id", index=True)
    state: Mapped[RefundState] = enum_column(RefundState, default=RefundState.CREATED)
    amount_fen: Mapped[int] = _fen()
    out_refund_no: Mapped[str] = mapped_column(String(64), unique=True)
    refund_id: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(80))
    failure_code: Mapped[str] = mapped_column(String(64), default="")
    requested_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    succeeded_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class RefundLine(Base):
    """The part of a refund that undoes one charge; money given back from suspense has none."""

    __tablename__ = "billing_refund_line"
    __table_args__ = (
        UniqueConstraint("refund_id", "charge_id"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
    )

    id: Mapped[Id] = id_pk()
    refund_id: Mapped[Id] = fk("billing_refund.id")
    charge_id: Mapped[Id] = fk("billing_charge.id", index=True)
    amount_fen: Mapped[int] = _fen()


class JournalEntry(Base):
    """One business fact in the ledger; ``source_id`` is the document it comes from."""

    __tablename__ = "billing_journal_entry"
    __table_args__ = (UniqueConstraint("source_id", "kind"),)

    id: Mapped[Id] = id_pk()
    #: None: money of an order that nobody here asked for.
    hospital_id: Mapped[Id | None] = fk("organization_hospital.id", index=True)
    kind: Mapped[EntryKind] = enum_column(EntryKind)
    source_id: Mapped[Id] = mapped_column()
    posted_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    business_date: Mapped[dt.date] = mapped_column(Date, index=True)
    postings: Mapped[list[Posting]] = relationship(order_by="Posting.line", lazy="raise")


class Posting(Base):
    """One line of an entry: debit positive, credit negative; the lines of an entry sum to zero."""

    __tablename__ = "billing_posting"
    __table_args__ = (CheckConstraint("amount_fen <> 0", name="amount_not_zero"),)

    entry_id: Mapped[Id] = mapped_column(ForeignKey("billing_journal_entry.id"), primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    account: Mapped[str] = mapped_column(String(40))
    amount_fen: Mapped[int] = _fen()


class MoneyCase(Base):
    """Money that stands where it should not, until somebody closes the case with a reason."""

    __tablename__ = "billing_money_case"
    __table_args__ = (
        UniqueConstraint("kind", "reference"),
        Index("ix_billing_money_case_open", "state", "opened_at"),
    )

    id: Mapped[Id] = id_pk()
    #: None: money of an order that nobody here asked for.
    hospital_id: Mapped[Id | None] = fk("organization_hospital.id")
    kind: Mapped[CaseKind] = enum_column(CaseKind)
    state: Mapped[CaseState] = enum_column(CaseState, default=CaseState.OPEN)
    #: The payment's or refund's number at the platform: one case a kind and reference.
    reference: Mapped[str] = mapped_column(String(64))
    payment_id: Mapped[Id | None] = fk("billing_payment.id", index=True)
    refund_id: Mapped[Id | None] = fk("billing_refund.id", index=True)
    amount_fen: Mapped[int] = _fen()
    facts: Mapped[dict[str, Any]]
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(Text, default="")

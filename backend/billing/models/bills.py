"""Charges, and the bills that collect them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.billing.models.columns import fen
from backend.billing.rules import (
    ChargeState,
    InvoiceState,
    PriceCategory,
)
from backend.kernel.db import Base, HospitalOwned, UtcDateTime, enum_column, fk, id_pk
from backend.kernel.ids import Id


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
    unit_price_fen: Mapped[int] = fen()
    amount_fen: Mapped[int] = fen()
    #: Reserved for refunds that were asked for, whether or not they have arrived.
    refunded_fen: Mapped[int] = fen(default=0)
    state: Mapped[ChargeState] = enum_column(ChargeState, default=ChargeState.PENDING)
    invoice_id: Mapped[Id | None] = fk("billing_invoice.id", index=True)
    #: Only so that a bill is inserted before the charges that name it.
    _invoice: Mapped[Invoice | None] = relationship(lazy="raise")
    raised_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    #: Done or dispensed: its money stays until that is reversed.
    executed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: Of a top-up: the prepaid account it is for.
    account_id: Mapped[Id | None] = fk("billing_deposit_account.id", index=True)


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
    """A bill over charges of one patient: paid by one payment or by several parts, or given back whole."""

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
        CheckConstraint("paid_fen BETWEEN 0 AND total_fen", name="paid_within_total"),
    )

    id: Mapped[Id] = id_pk()
    patient_id: Mapped[Id] = fk("patients_patient.id", index=True)
    series: Mapped[str] = mapped_column(String(12))
    #: Given when the bill is paid, with its number; an unpaid bill has none.
    ordinal: Mapped[int | None] = mapped_column(BigInteger)
    number: Mapped[str] = mapped_column(String(32), index=True, default="")
    total_fen: Mapped[int] = fen()
    #: What its payments have brought; nothing once it has ended unpaid.
    paid_fen: Mapped[int] = fen(default=0)
    state: Mapped[InvoiceState] = enum_column(InvoiceState, default=InvoiceState.OPEN)
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: Somebody asked to void it; it ends once no payment of it is in flight.
    void_requested_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    void_reason: Mapped[str] = mapped_column(String(40), default="")
    void_cancels_charges: Mapped[bool] = mapped_column(default=True)

"""Payments of bills, and refunds of payments."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.billing.models.columns import Handled, fen
from backend.billing.rules import (
    PaymentState,
    RefundState,
    Tender,
)
from backend.kernel.db import Base, HospitalOwned, UtcDateTime, enum_column, fk, id_pk
from backend.kernel.ids import Id


class Payment(Handled, HospitalOwned, Base):
    """One try to pay one invoice or a part of it: cash taken, a balance used, or an order at a platform."""

    __tablename__ = "billing_payment"
    __table_args__ = (
        Index(
            "uq_billing_payment_in_flight",
            "invoice_id",
            unique=True,
            postgresql_where=text("state IN ('created','pending','unknown','closing')"),
            sqlite_where=text("state IN ('created','pending','unknown','closing')"),
        ),
        # What a day or a shift took, and what a channel's bill of a day has to list.
        Index(None, "paid_at"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("refunded_fen BETWEEN 0 AND received_fen", name="refunded_within_received"),
    )

    id: Mapped[Id] = id_pk()
    invoice_id: Mapped[Id] = fk("billing_invoice.id", index=True)
    patient_id: Mapped[Id] = fk("patients_patient.id", index=True)
    tender: Mapped[Tender] = enum_column(Tender)
    state: Mapped[PaymentState] = enum_column(PaymentState, default=PaymentState.CREATED)
    amount_fen: Mapped[int] = fen()
    #: What really came in; differs from ``amount_fen`` only on a frozen payment.
    received_fen: Mapped[int] = fen(default=0)
    #: Reserved for refunds that were asked for, whether or not they have arrived.
    refunded_fen: Mapped[int] = fen(default=0)
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
    #: A part of a bill that ended unpaid: since then it lies in suspense and goes back.
    released_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: Paid from this prepaid account.
    account_id: Mapped[Id | None] = fk("billing_deposit_account.id", index=True)


class Refund(Handled, HospitalOwned, Base):
    """Money on its way back to the tender it came from."""

    __tablename__ = "billing_refund"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index(None, "requested_at"),
        Index(None, "succeeded_at"),
    )

    id: Mapped[Id] = id_pk()
    payment_id: Mapped[Id] = fk("billing_payment.id", index=True)
    invoice_id: Mapped[Id] = fk("billing_invoice.id", index=True)
    state: Mapped[RefundState] = enum_column(RefundState, default=RefundState.CREATED)
    amount_fen: Mapped[int] = fen()
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
    amount_fen: Mapped[int] = fen()

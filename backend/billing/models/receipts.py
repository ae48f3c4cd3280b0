"""Receipts: the numbered papers of payments and refunds."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.db import Base, HospitalOwned, UtcDateTime, fk, id_pk
from backend.kernel.ids import Id


class Receipt(HospitalOwned, Base):
    """One payment or refund that happened, under the next number of its series."""

    __tablename__ = "billing_receipt"
    __table_args__ = (
        UniqueConstraint("hospital_id", "series", "ordinal"),
        CheckConstraint("(payment_id IS NULL) <> (refund_id IS NULL)", name="of_one_thing"),
    )

    id: Mapped[Id] = id_pk()
    series: Mapped[str] = mapped_column(String(12))
    ordinal: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str] = mapped_column(String(32), index=True)
    payment_id: Mapped[Id | None] = fk("billing_payment.id", unique=True)
    refund_id: Mapped[Id | None] = fk("billing_refund.id", unique=True)
    issued_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

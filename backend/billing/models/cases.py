"""Money that stands where it should not."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.billing.models.columns import fen
from backend.billing.rules import (
    CaseKind,
    CaseState,
    Tender,
)
from backend.kernel.db import Base, UtcDateTime, enum_column, fk, id_pk
from backend.kernel.ids import Id


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
    #: Of money whose order is not ours: where it lies.
    tender: Mapped[Tender | None] = enum_column(Tender)
    #: The payment's or refund's number at the platform: one case a kind and reference.
    reference: Mapped[str] = mapped_column(String(64))
    payment_id: Mapped[Id | None] = fk("billing_payment.id", index=True)
    refund_id: Mapped[Id | None] = fk("billing_refund.id", index=True)
    amount_fen: Mapped[int] = fen()
    facts: Mapped[dict[str, Any]]
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(Text, default="")

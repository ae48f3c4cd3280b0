"""Electronic bills: one for a paid bill, and after each refund a new one over what is left."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.billing.models.columns import fen
from backend.billing.rules.einvoice import EInvoiceState
from backend.kernel.db import Base, HospitalOwned, enum_column, fk, id_pk
from backend.kernel.ids import Id


class ElectronicInvoice(HospitalOwned, Base):
    """One bill at the platform; ``number`` there is the platform's, our own key is the row's id."""

    __tablename__ = "billing_electronic_invoice"
    __table_args__ = (
        UniqueConstraint("invoice_id", "sequence"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
    )

    id: Mapped[Id] = id_pk()
    invoice_id: Mapped[Id] = fk("billing_invoice.id", index=True)
    sequence: Mapped[int]
    state: Mapped[EInvoiceState] = enum_column(EInvoiceState, default=EInvoiceState.CREATED)
    amount_fen: Mapped[int] = fen()
    batch_code: Mapped[str] = mapped_column(String(30), default="")
    number: Mapped[str] = mapped_column(String(30), default="")
    check_code: Mapped[str] = mapped_column(String(30), default="")
    url: Mapped[str] = mapped_column(String(300), default="")
    red_number: Mapped[str] = mapped_column(String(30), default="")
    #: The platform's words when it refuses.
    words: Mapped[str] = mapped_column(String(200), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime]
    issued_at: Mapped[dt.datetime | None]
    red_at: Mapped[dt.datetime | None]

"""The double-entry ledger; rows are only ever added."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.billing.models.columns import fen
from backend.billing.rules import (
    EntryKind,
)
from backend.kernel.db import Base, UtcDateTime, enum_column, fk, id_pk
from backend.kernel.ids import Id


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
    #: Of money paid ahead: whose account.
    holder_id: Mapped[Id | None] = fk("billing_deposit_account.id", index=True)
    amount_fen: Mapped[int] = fen()

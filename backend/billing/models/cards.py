"""Bank cards: the terminals, and each act at one. A card's number is sealed, and only until its act has ended."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.billing.models.columns import fen
from backend.billing.rules.cards import CardActKind, CardActState
from backend.kernel.db import Base, HospitalOwned, enum_column, fk, id_pk, sealed_column
from backend.kernel.ids import Id

#: What the two sealed columns are sealed for.
NUMBER_CONTEXT = "billing_card_act.card_number"
KEY_CONTEXT = "billing_card_terminal.mac_key"


class CardTerminal(Base):
    """A terminal of the bank's: its key and batch, its last trace number, and who speaks on it now."""

    __tablename__ = "billing_card_terminal"

    id: Mapped[Id] = id_pk()
    terminal_id: Mapped[str] = mapped_column(String(8), unique=True)
    batch: Mapped[int] = mapped_column(default=0)
    mac_key_sealed: Mapped[bytes | None] = sealed_column(KEY_CONTEXT)
    #: The day of the key; a terminal signs on each day.
    signed_on: Mapped[dt.date | None]
    last_trace: Mapped[int] = mapped_column(default=0)
    #: The terminal's dialogue is serial: until then nobody else may begin one.
    held_until: Mapped[dt.datetime | None]


class CardAct(HospitalOwned, Base):
    """A sale or a refund at a terminal; the row is the intent, and with its trace number the reversal's."""

    __tablename__ = "billing_card_act"
    __table_args__ = (
        # By these the bank knows a message: a second one would be refused, or reverse the first.
        UniqueConstraint("terminal_id", "batch", "stan"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint(
            "card_number_sealed IS NULL OR state IN ('created','sending','reversing')",
            name="number_wiped_at_the_end",
        ),
    )

    id: Mapped[Id] = id_pk()
    payment_id: Mapped[Id] = fk("billing_payment.id", index=True)
    refund_id: Mapped[Id | None] = mapped_column(unique=True)
    kind: Mapped[CardActKind] = enum_column(CardActKind)
    state: Mapped[CardActState] = enum_column(CardActState, default=CardActState.CREATED)
    amount_fen: Mapped[int] = fen()
    card_number_sealed: Mapped[bytes | None] = sealed_column(NUMBER_CONTEXT)
    card_number_masked: Mapped[str] = mapped_column(String(19))
    terminal_id: Mapped[str | None] = mapped_column(String(8))
    batch: Mapped[int | None]
    stan: Mapped[str | None] = mapped_column(String(6))
    trace_date: Mapped[dt.date | None]
    attempts: Mapped[int] = mapped_column(default=0)
    rrn: Mapped[str] = mapped_column(String(12), default="")
    auth_code: Mapped[str] = mapped_column(String(6), default="")
    response_code: Mapped[str] = mapped_column(String(2), default="")
    created_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]


class CardSettlement(Base):
    """A batch that was closed: our totals, and whether the bank's are the same."""

    __tablename__ = "billing_card_settlement"
    __table_args__ = (UniqueConstraint("terminal_id", "batch"),)

    id: Mapped[Id] = id_pk()
    terminal_id: Mapped[str] = mapped_column(String(8))
    batch: Mapped[int]
    sales_fen: Mapped[int] = fen()
    sales: Mapped[int]
    refunds_fen: Mapped[int] = fen()
    refunds: Mapped[int]
    is_balanced: Mapped[bool]
    settled_at: Mapped[dt.datetime]

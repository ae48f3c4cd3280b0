"""Claims: the insurance's part of a bill, step by step. The person's numbers are sealed."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.billing.models.columns import Handled, fen
from backend.billing.rules.insurance import ClaimState
from backend.kernel.db import Base, HospitalOwned, enum_column, fk, id_pk, sealed_column
from backend.kernel.ids import Id

CREDENTIAL_CONTEXT = "billing_insurance_claim.credential"
PERSON_CONTEXT = "billing_insurance_claim.person"
_LIVE = "state IN ('created','estimated','settling','reversing')"


class InsuranceClaim(Handled, HospitalOwned, Base):
    """One try to let the insurance pay its part of one bill; who asked for it has its payment, too."""

    __tablename__ = "billing_insurance_claim"
    __table_args__ = (
        Index(
            "uq_billing_insurance_claim_live",
            "invoice_id",
            unique=True,
            postgresql_where=text(_LIVE),
            sqlite_where=text(_LIVE),
        ),
        # A reversal names its message: a second one of that name would be undone with it.
        *(
            Index(
                f"uq_billing_insurance_claim_{name}",
                name,
                unique=True,
                postgresql_where=text(f"{name} <> ''"),
                sqlite_where=text(f"{name} <> ''"),
            )
            for name in ("message_id", "cancel_message_id")
        ),
        CheckConstraint(
            "credential_sealed IS NULL OR state = 'created'", name="credential_wiped_after_use"
        ),
        CheckConstraint("fund_fen + account_fen + self_fen = total_fen", name="split_adds_up"),
    )

    id: Mapped[Id] = id_pk()
    invoice_id: Mapped[Id] = fk("billing_invoice.id", index=True)
    payment_id: Mapped[Id | None] = mapped_column(unique=True)
    state: Mapped[ClaimState] = enum_column(ClaimState, default=ClaimState.CREATED)
    credential_sealed: Mapped[bytes | None] = sealed_column(CREDENTIAL_CONTEXT)
    #: To tell another person's from the same one scanned again.
    credential_masked: Mapped[str] = mapped_column(String(64))
    #: The insurance's number of the person, needed as long as the settlement may be taken back.
    person_sealed: Mapped[bytes | None] = sealed_column(PERSON_CONTEXT)
    insutype: Mapped[str] = mapped_column(String(6), default="")
    visit_id: Mapped[str] = mapped_column(String(30), default="")
    settlement_id: Mapped[str] = mapped_column(String(30), default="")
    message_id: Mapped[str] = mapped_column(String(30), default="")
    cancel_message_id: Mapped[str] = mapped_column(String(30), default="")
    total_fen: Mapped[int] = fen(default=0)
    fund_fen: Mapped[int] = fen(default=0)
    account_fen: Mapped[int] = fen(default=0)
    self_fen: Mapped[int] = fen(default=0)
    #: The insurance's own words when it refuses.
    words: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]

"""Accounts of money that patients paid ahead: outpatient prepaid accounts, inpatient deposits (预交金)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.billing.models.columns import fen
from backend.billing.rules import AccountKind, AccountState
from backend.kernel.db import Base, HospitalOwned, UtcDateTime, enum_column, fk, id_pk
from backend.kernel.ids import Id


class DepositAccount(HospitalOwned, Base):
    """What one patient has with us: one account a patient and kind, or one an encounter.

    ``balance_fen`` is the sum of the account's postings; the row is locked for every change of it.
    """

    __tablename__ = "billing_deposit_account"
    __table_args__ = (
        Index(
            "uq_billing_deposit_account_patient",
            "hospital_id",
            "patient_id",
            "kind",
            unique=True,
            postgresql_where=text("encounter_id IS NULL"),
            sqlite_where=text("encounter_id IS NULL"),
        ),
        Index(
            "uq_billing_deposit_account_encounter",
            "encounter_id",
            "kind",
            unique=True,
            postgresql_where=text("encounter_id IS NOT NULL"),
            sqlite_where=text("encounter_id IS NOT NULL"),
        ),
        CheckConstraint("balance_fen >= 0", name="balance_not_negative"),
    )

    id: Mapped[Id] = id_pk()
    patient_id: Mapped[Id] = fk("patients_patient.id", index=True)
    #: Of a stay: the account ends with its settlement.
    encounter_id: Mapped[Id | None] = fk("clinical_encounter.id")
    kind: Mapped[AccountKind] = enum_column(AccountKind)
    state: Mapped[AccountState] = enum_column(AccountState)
    balance_fen: Mapped[int] = fen()
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

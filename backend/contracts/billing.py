"""Events billing publishes, and the requests it sends itself to act outside a transaction.

Ids, amounts in fen and codes only: never a name, a number of a person or a text somebody typed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ChargeRaised:
    """Something is owed: ``source_kind``/``source_id`` say for what."""

    NAME: ClassVar[str] = "billing.charge_raised"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    patient_id: UUID
    charge_id: UUID
    source_kind: str
    source_id: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True)
class InvoiceOpened:
    """Charges were put on a bill that waits to be paid."""

    NAME: ClassVar[str] = "billing.invoice_opened"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    patient_id: UUID
    invoice_id: UUID
    total_fen: int


@dataclass(frozen=True, slots=True)
class InvoicePaid:
    """A bill was paid in full, by cash or through a platform."""

    NAME: ClassVar[str] = "billing.invoice_paid"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    patient_id: UUID
    invoice_id: UUID
    #: None for a bill of nothing.
    payment_id: UUID | None
    total_fen: int


@dataclass(frozen=True, slots=True)
class InvoiceVoided:
    """A bill ended unpaid; its charges were cancelled or wait for another bill."""

    NAME: ClassVar[str] = "billing.invoice_voided"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    patient_id: UUID
    invoice_id: UUID


@dataclass(frozen=True, slots=True)
class PaymentRequested:
    """Open the order at the platform (T1 stored the intent)."""

    NAME: ClassVar[str] = "billing.payment_requested"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    payment_id: UUID


@dataclass(frozen=True, slots=True)
class PaymentCheckDue:
    """Time to ask the platform how an order stands; repeats until the order has ended."""

    NAME: ClassVar[str] = "billing.payment_check_due"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    payment_id: UUID


@dataclass(frozen=True, slots=True)
class PaymentCloseRequested:
    """Close the order at the platform, so that nobody can pay it any more."""

    NAME: ClassVar[str] = "billing.payment_close_requested"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    payment_id: UUID


@dataclass(frozen=True, slots=True)
class ElectronicInvoiceDue:
    """Bring an electronic bill to where it should be at its platform; repeats until it is there."""

    NAME: ClassVar[str] = "billing.electronic_invoice_due"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    einvoice_id: UUID


@dataclass(frozen=True, slots=True)
class InsuranceClaimRequested:
    """Ask the national insurance what it pays of a bill (T1 stored the intent)."""

    NAME: ClassVar[str] = "billing.insurance_claim_requested"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    claim_id: UUID


@dataclass(frozen=True, slots=True)
class PaymentSucceeded:
    """Money arrived for an invoice and was accepted for it."""

    NAME: ClassVar[str] = "billing.payment_succeeded"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    patient_id: UUID
    invoice_id: UUID
    payment_id: UUID
    tender: str
    amount_fen: int
    paid_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PaymentEnded:
    """An order ended without paying its invoice: ``state`` is closed, failed or frozen."""

    NAME: ClassVar[str] = "billing.payment_ended"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    invoice_id: UUID
    payment_id: UUID
    state: str


@dataclass(frozen=True, slots=True)
class RefundRequested:
    """Give money back through the platform it came from (T1 stored the intent)."""

    NAME: ClassVar[str] = "billing.refund_requested"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    refund_id: UUID


@dataclass(frozen=True, slots=True)
class RefundCheckDue:
    """Time to ask the platform how a refund stands; repeats until it has ended."""

    NAME: ClassVar[str] = "billing.refund_check_due"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    refund_id: UUID


@dataclass(frozen=True, slots=True)
class RefundSucceeded:
    """Money went back to the payer."""

    NAME: ClassVar[str] = "billing.refund_succeeded"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    invoice_id: UUID
    payment_id: UUID
    refund_id: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True)
class MoneyCaseOpened:
    """Money stands where it should not, and a person has to look."""

    NAME: ClassVar[str] = "billing.money_case_opened"
    VERSION: ClassVar[int] = 1
    hospital_id: UUID
    case_id: UUID
    kind: str

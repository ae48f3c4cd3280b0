"""The values billing's reads answer with: frozen, free of the database, safe to hand to a template."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import lazy_gettext as _

from backend.billing.rules import (
    ChargeState,
    InvoiceState,
    PaymentState,
    PriceCategory,
    RefundState,
    Tender,
)
from backend.kernel.ids import Id


@dataclass(frozen=True, slots=True)
class PriceView:
    """An item and what it costs on the day that was asked about."""

    item_id: Id
    code: str
    name: str
    unit: str
    category: PriceCategory
    price_fen: int
    effective_from: dt.date


@dataclass(frozen=True, slots=True)
class LineView:
    """One charge on a bill, or one that waits for a bill."""

    charge_id: Id
    name: str
    unit: str
    quantity: int
    unit_price_fen: int
    amount_fen: int
    refunded_fen: int
    state: ChargeState
    source_kind: str
    source_id: Id
    invoice_id: Id | None


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """A bill; ``due_fen`` is what is still to pay: all or nothing."""

    id: Id
    hospital_id: Id
    patient_id: Id
    number: str
    state: InvoiceState
    total_fen: int
    due_fen: int
    opened_at: dt.datetime
    expires_at: dt.datetime | None
    is_ending: bool
    lines: tuple[LineView, ...]


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment as programs and people see it."""

    id: Id
    invoice_id: Id
    patient_id: Id
    tender: Tender
    state: PaymentState
    amount_fen: int
    received_fen: int
    refundable_fen: int
    tendered_fen: int | None
    change_fen: int | None
    out_trade_no: str | None
    code_url: str | None
    created_at: dt.datetime
    expires_at: dt.datetime | None
    paid_at: dt.datetime | None
    is_in_flight: bool
    #: The money came for a bill that had ended: it goes back by itself.
    is_given_back: bool
    outcome_words: str


@dataclass(frozen=True, slots=True)
class RefundView:
    """One refund."""

    id: Id
    payment_id: Id
    invoice_id: Id
    state: RefundState
    amount_fen: int
    out_refund_no: str
    reason: str
    requested_at: dt.datetime
    succeeded_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class DueView:
    """Everything a patient has to pay: open bills, and charges on no bill yet."""

    invoices: tuple[InvoiceView, ...]
    charges: tuple[LineView, ...]

    @property
    def total_fen(self) -> int:
        """The sum of both."""
        bills = sum(invoice.due_fen for invoice in self.invoices)
        return bills + sum(line.amount_fen for line in self.charges)


#: What staff call each price category.
CATEGORY_WORDS = {
    PriceCategory.REGISTRATION: _("挂号诊查"),
    PriceCategory.CONSULTATION: _("会诊"),
    PriceCategory.LABORATORY: _("检验"),
    PriceCategory.IMAGING: _("放射影像"),
    PriceCategory.ULTRASOUND: _("超声"),
    PriceCategory.ENDOSCOPY: _("内镜"),
    PriceCategory.NUCLEAR: _("核医学"),
    PriceCategory.PATHOLOGY: _("病理"),
    PriceCategory.DRUG: _("药品"),
    PriceCategory.PROCEDURE: _("操作"),
    PriceCategory.TREATMENT: _("治疗"),
    PriceCategory.RADIOTHERAPY: _("放射治疗"),
    PriceCategory.SURGERY: _("手术"),
    PriceCategory.ANAESTHESIA: _("麻醉"),
    PriceCategory.NURSING: _("护理"),
    PriceCategory.BED: _("床位"),
    PriceCategory.MATERIAL: _("材料"),
    PriceCategory.BLOOD: _("血液"),
    PriceCategory.OTHER: _("其他"),
}

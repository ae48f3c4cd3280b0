"""A bill on the phone, with the code that pays it once payment has begun."""

from __future__ import annotations

from dataclasses import dataclass

import segno

from backend.billing.views import InvoiceView, PaymentView


@dataclass(frozen=True, slots=True)
class Due:
    """One bill and, where payment has begun, its code as an image."""

    invoice: InvoiceView
    payment: PaymentView | None
    qr: str


def due_of(invoice: InvoiceView, payment: PaymentView | None) -> Due:
    """The bill as the phone shows it."""
    code = payment.code_url if payment is not None else None
    image = segno.make_qr(code, error="m").png_data_uri(scale=6, border=2) if code else ""
    return Due(invoice, payment, image)

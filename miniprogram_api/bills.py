"""A bill on the phone, with the code that pays it once payment has begun."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from flask import request
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.views import InvoiceView, PaymentView
from backend.kernel.errors import InvalidInput, NotFound
from backend.kernel.ids import Id, parse_id

#: Digits of an amount in fen; nobody's bill has more.
LONGEST_AMOUNT = 12


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


def begin_payment(session: Session, patient_id: Id) -> None:
    """Begin to pay the bill the form names by QR code. InvalidInput; NotFound for another patient's bill."""
    invoice_id = parse_id(request.form.get("invoice_id", ""))
    amount = request.form.get("amount_fen", "")
    if invoice_id is None or not amount.isdecimal() or len(amount) > LONGEST_AMOUNT:
        raise InvalidInput
    if bills.get_invoice(session, invoice_id).patient_id != patient_id:
        raise NotFound
    billing.start_qr_payment(session, invoice_id=invoice_id, amount_fen=int(amount))

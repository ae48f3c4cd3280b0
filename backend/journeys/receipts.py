"""The receipt of a paid bill with everything its paper says, for kiosks and the counter alike."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.views import InvoiceView, PaymentView
from backend.journeys import documents
from backend.journeys.documents import Element


def receipt_of(
    session: Session,
    invoice: InvoiceView,
    payments: Sequence[PaymentView],
    *,
    hospital_name: str,
    name_masked: str,
    reprint: bool,
) -> list[Element]:
    """The document. Payments whose receipt has no number yet get it now: paper goes out at once, the worker may not."""
    numbers = {}
    for payment in payments:
        receipt = billing.issue_payment_receipt(session, payment.id)
        if receipt is not None:
            numbers[payment.id] = receipt.number
    return documents.receipt_document(
        invoice,
        payments,
        hospital_name=hospital_name,
        name_masked=name_masked,
        reprint=reprint,
        receipt_numbers=numbers,
        einvoice=bills.find_einvoices(session, [invoice.id]).get(invoice.id),
    )

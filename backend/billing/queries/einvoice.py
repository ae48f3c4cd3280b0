"""Reads of electronic bills."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing.models import ElectronicInvoice
from backend.billing.rules.einvoice import EInvoiceState
from backend.billing.views import EInvoiceView
from backend.kernel.ids import Id


def find_einvoices(session: Session, invoice_ids: Iterable[Id]) -> dict[Id, EInvoiceView]:
    """The latest electronic bill of each of these bills, if any, in one query."""
    rows = session.scalars(
        select(ElectronicInvoice)
        .where(ElectronicInvoice.invoice_id.in_(set(invoice_ids)))
        .order_by(ElectronicInvoice.invoice_id, ElectronicInvoice.sequence)
    )
    return {row.invoice_id: _view(row) for row in rows}


def _view(row: ElectronicInvoice) -> EInvoiceView:
    return EInvoiceView(
        id=row.id,
        invoice_id=row.invoice_id,
        state=row.state,
        is_issued=row.state is EInvoiceState.ISSUED,
        is_coming=row.state in (EInvoiceState.CREATED, EInvoiceState.UNKNOWN),
        amount_fen=row.amount_fen,
        batch_code=row.batch_code,
        number=row.number,
        check_code=row.check_code,
        url=row.url,
        words=row.words,
    )

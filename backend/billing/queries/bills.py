"""Reads of charges and bills with their lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Select, literal, select
from sqlalchemy.orm import Session

from backend.billing.errors import (
    InvoiceUnknown,
)
from backend.billing.models import (
    Charge,
    Invoice,
)
from backend.billing.rules import (
    ChargeState,
    InvoiceState,
)
from backend.billing.views import (
    DueView,
    InvoiceView,
    LineView,
)
from backend.kernel.ids import Id
from backend.kernel.uow import actor

#: Written into the statement, not bound: SQLite uses a partial index only for a literal.
IS_LIVE = Charge.state != literal(ChargeState.CANCELLED, Charge.state.type, literal_execute=True)


IS_PENDING = Charge.state == literal(ChargeState.PENDING, Charge.state.type, literal_execute=True)


IS_OPEN = Invoice.state == literal(InvoiceState.OPEN, Invoice.state.type, literal_execute=True)


def is_foreign(session: Session, hospital_id: Id) -> bool:
    """True when the actor belongs to another hospital: to them the document does not exist."""
    return actor(session).hospital_id not in (None, hospital_id)


def lines_by_id(session: Session, charge_ids: Iterable[Id]) -> dict[Id, LineView]:
    """The charges with these ids, in one query."""
    rows = session.scalars(select(Charge).where(Charge.id.in_(set(charge_ids))))
    return {row.id: _line_view(row) for row in rows}


def _line_view(charge: Charge) -> LineView:
    return LineView(
        charge_id=charge.id,
        name=charge.name,
        unit=charge.unit,
        quantity=charge.quantity,
        unit_price_fen=charge.unit_price_fen,
        amount_fen=charge.amount_fen,
        refunded_fen=charge.refunded_fen,
        state=charge.state,
        source_kind=charge.source_kind,
        source_id=charge.source_id,
        invoice_id=charge.invoice_id,
        is_executed=charge.executed_at is not None,
    )


def _invoice_views(session: Session, invoices: Select[Invoice]) -> list[InvoiceView]:
    """The bills that ``invoices`` selects, in its order, each with its lines; one query."""
    with_lines = invoices.add_columns(Charge).outerjoin(Charge, Charge.invoice_id == Invoice.id)
    found: dict[Invoice, list[LineView]] = {}
    for invoice, charge in session.execute(with_lines.order_by(Charge.id)):
        lines = found.setdefault(invoice, [])
        if charge is not None:
            lines.append(_line_view(charge))
    return [_invoice_view(invoice, lines) for invoice, lines in found.items()]


def _invoice_view(invoice: Invoice, lines: Sequence[LineView]) -> InvoiceView:
    return InvoiceView(
        id=invoice.id,
        hospital_id=invoice.hospital_id,
        patient_id=invoice.patient_id,
        number=invoice.number,
        state=invoice.state,
        total_fen=invoice.total_fen,
        paid_fen=invoice.paid_fen,
        due_fen=invoice.total_fen - invoice.paid_fen if invoice.state is InvoiceState.OPEN else 0,
        opened_at=invoice.opened_at,
        expires_at=invoice.expires_at,
        is_ending=invoice.state is InvoiceState.OPEN and invoice.void_requested_at is not None,
        lines=tuple(lines),
    )


def get_invoice(session: Session, invoice_id: Id) -> InvoiceView:
    """One bill with its lines; InvoiceUnknown (404)."""
    views = _invoice_views(session, select(Invoice).where(Invoice.id == invoice_id))
    if not views or is_foreign(session, views[0].hospital_id):
        raise InvoiceUnknown
    return views[0]


def invoice_in_hand(invoice: Invoice, charges: Iterable[Charge]) -> InvoiceView:
    """A bill whose row and charges this unit of work has just written, without asking for them again."""
    lines = [_line_view(charge) for charge in sorted(charges, key=lambda charge: charge.id)]
    return _invoice_view(invoice, lines)


def invoice_numbers(session: Session, ids: Iterable[Id]) -> dict[Id, str]:
    """The printed numbers of these bills, in one query."""
    rows = session.execute(select(Invoice.id, Invoice.number).where(Invoice.id.in_(set(ids))))
    return {row.id: row.number for row in rows}


def charge_codes(session: Session, invoice_id: Id) -> dict[Id, tuple[str, str]]:
    """Price item and category of each charge of a bill, in one query."""
    rows = session.execute(
        select(Charge.id, Charge.price_item_code, Charge.category).where(
            Charge.invoice_id == invoice_id
        )
    )
    return {row.id: (row.price_item_code, row.category.value) for row in rows}


def list_open_invoices(session: Session, patient_id: Id) -> list[InvoiceView]:
    """The bills a patient can pay now, oldest first."""
    open_ones = (
        select(Invoice)
        .where(
            Invoice.patient_id == patient_id,
            IS_OPEN,
            Invoice.void_requested_at.is_(None),
        )
        .order_by(Invoice.id)
    )
    return _invoice_views(session, open_ones)


def list_invoices(session: Session, patient_id: Id, *, limit: int = 20) -> list[InvoiceView]:
    """A patient's bills, newest first."""
    newest = (
        select(Invoice.id)
        .where(Invoice.patient_id == patient_id)
        .order_by(Invoice.id.desc())
        .limit(limit)
    )
    bills = select(Invoice).where(Invoice.id.in_(newest.scalar_subquery()))
    return _invoice_views(session, bills.order_by(Invoice.id.desc()))


def list_due(session: Session, patient_id: Id) -> DueView:
    """All a patient has to pay (2 statements)."""
    pending = select(Charge).where(Charge.patient_id == patient_id, IS_PENDING).order_by(Charge.id)
    return DueView(
        invoices=tuple(list_open_invoices(session, patient_id)),
        charges=tuple(_line_view(charge) for charge in session.scalars(pending)),
    )


def list_charges_of(session: Session, source_kind: str, source_id: Id) -> list[LineView]:
    """The charges of one appointment, order or other source that were not cancelled."""
    charges = (
        select(Charge)
        .where(
            Charge.source_id == source_id,
            Charge.source_kind == source_kind,
            IS_LIVE,
        )
        .order_by(Charge.id)
    )
    return [_line_view(charge) for charge in session.scalars(charges)]

"""Opens bills over charges, voids them, and marks them paid. A bill is paid whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.billing import queries, rules
from backend.billing.errors import ChargeNotPending, InvoiceNotOpen, InvoiceUnknown
from backend.billing.models import Charge, Invoice, InvoiceCounter, Payment
from backend.billing.rules import ChargeState, InvoiceState
from backend.billing.services import charges as charge_service
from backend.billing.services.in_flight import in_flight_payment, request_close
from backend.contracts.billing import InvoiceOpened, InvoicePaid, InvoiceVoided
from backend.kernel import audit, outbox
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row, lock_rows
from backend.kernel.uow import now, today


def open_invoice(
    session: Session,
    *,
    patient_id: Id,
    charge_ids: Iterable[Id],
    expires_at: dt.datetime | None = None,
) -> Invoice:
    """Put pending charges of one patient in one hospital on a new bill.

    ChargeNotPending (409) when one is on another bill, paid, cancelled or not this patient's. A
    bill of nothing is paid at once. Its number is the next of its hospital and year, without gaps.
    """
    wanted = set(charge_ids)
    if not wanted:
        raise InvalidInput(_("请至少选择一项费用"), code="no_charges")
    charges = lock_rows(session, Charge, wanted)
    strange = len(charges) != len(wanted) or any(
        charge.patient_id != patient_id
        or charge.hospital_id != charges[0].hospital_id
        or queries.is_foreign(session, charge.hospital_id)
        for charge in charges
    )
    if strange or any(charge.state is not ChargeState.PENDING for charge in charges):
        raise ChargeNotPending
    total_fen = sum(charge.amount_fen for charge in charges)
    series = f"{today(session):%Y}"
    ordinal = _next_ordinal(session, charges[0].hospital_id, series)
    invoice = Invoice(
        id=new_id(),
        hospital_id=charges[0].hospital_id,
        patient_id=patient_id,
        series=series,
        ordinal=ordinal,
        number=f"{series}{ordinal:08d}",
        total_fen=total_fen,
        state=InvoiceState.OPEN,
        opened_at=now(session),
        expires_at=expires_at,
    )
    session.add(invoice)
    session.flush()
    for charge in charges:
        charge.state = rules.move(rules.CHARGE_MOVES, charge.state, ChargeState.INVOICED)
        charge.invoice_id = invoice.id
    _audit(session, "billing.open_invoice", invoice)
    outbox.publish(session, InvoiceOpened(invoice.hospital_id, patient_id, invoice.id, total_fen))
    if total_fen == 0:
        mark_paid(session, invoice, None)
    return invoice


def void_invoice(
    session: Session, invoice_id: Id, *, reason: str, cancel_charges: bool = True
) -> Invoice:
    """End an unpaid bill; its charges are cancelled, or wait for another bill.

    ``reason`` is a short code (``hold_expired``, ``cancelled``). While a QR payment of it is in
    flight the bill stays open but takes no new payment; the payment is asked to close, and the bill
    ends with it, unless the payer was quicker: then it is paid. Ending it again changes nothing;
    a paid bill is InvoiceNotOpen (409).
    """
    invoice = lock_invoice(session, invoice_id)
    if invoice.state is InvoiceState.VOID:
        return invoice
    if invoice.state is not InvoiceState.OPEN:
        raise InvoiceNotOpen(state=invoice.state.value)
    if invoice.void_requested_at is None:
        invoice.void_requested_at = now(session)
        invoice.void_reason = reason
        invoice.void_cancels_charges = cancel_charges
        _audit(session, "billing.void_invoice", invoice, reason=reason)
    payment = in_flight_payment(session, invoice.id)
    if payment is not None:
        request_close(session, payment)
    end_if_voided(session, invoice)
    return invoice


def end_if_voided(session: Session, invoice: Invoice) -> None:
    """Carry out a wish to void a locked bill once no payment of it is in flight."""
    if invoice.state is not InvoiceState.OPEN or invoice.void_requested_at is None:
        return
    if in_flight_payment(session, invoice.id) is not None:
        return
    invoice.state = rules.move(rules.INVOICE_MOVES, invoice.state, InvoiceState.VOID)
    invoice.ended_at = now(session)
    for charge in _charges_of(session, invoice):
        if invoice.void_cancels_charges:
            charge_service.write_off(session, charge)
        else:
            charge.state = rules.move(rules.CHARGE_MOVES, charge.state, ChargeState.PENDING)
            charge.invoice_id = None
    outbox.publish(session, InvoiceVoided(invoice.hospital_id, invoice.patient_id, invoice.id))
    _audit(session, "billing.end_invoice", invoice, reason=invoice.void_reason)


def mark_paid(session: Session, invoice: Invoice, payment: Payment | None) -> None:
    """A locked, open bill is paid: by ``payment``, or by nothing when it asks for nothing."""
    invoice.state = rules.move(rules.INVOICE_MOVES, invoice.state, InvoiceState.PAID)
    invoice.ended_at = now(session)
    invoice.void_requested_at = None
    for charge in _charges_of(session, invoice):
        charge.state = rules.move(rules.CHARGE_MOVES, charge.state, ChargeState.PAID)
    _audit(session, "billing.pay_invoice", invoice)
    outbox.publish(
        session,
        InvoicePaid(
            invoice.hospital_id,
            invoice.patient_id,
            invoice.id,
            payment.id if payment is not None else None,
            invoice.total_fen,
        ),
    )


def lock_invoice(session: Session, invoice_id: Id) -> Invoice:
    """The bill, locked: the one gate for everything that concerns its money. InvoiceUnknown (404)."""
    invoice = lock_row(session, Invoice, invoice_id)
    if invoice is None or queries.is_foreign(session, invoice.hospital_id):
        raise InvoiceUnknown
    return invoice


def _charges_of(session: Session, invoice: Invoice) -> Sequence[Charge]:
    """The charges of a locked bill, read afresh: on a bill they change only under its lock."""
    return session.scalars(
        select(Charge)
        .where(Charge.invoice_id == invoice.id)
        .order_by(Charge.id)
        .execution_options(populate_existing=True)
    ).all()


def _next_ordinal(session: Session, hospital_id: Id, series: str) -> int:
    """The next number; the counter's row stays locked until the end, so none is ever lost."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(InvoiceCounter)
        .values(hospital_id=hospital_id, series=series, last=1)
        .on_conflict_do_update(
            index_elements=[InvoiceCounter.hospital_id, InvoiceCounter.series],
            set_={"last": InvoiceCounter.last + 1},
        )
        .returning(InvoiceCounter.last)
    )
    return session.execute(statement).scalar_one()


def _audit(session: Session, action: str, invoice: Invoice, **detail: str) -> None:
    audit.record(
        session,
        action,
        entity="invoice",
        entity_id=invoice.id,
        patient_id=invoice.patient_id,
        number=invoice.number,
        total_fen=invoice.total_fen,
        **detail,
    )

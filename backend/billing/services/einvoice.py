"""Electronic bills: what should stand at the platform for a bill, and what came of asking. Talks to no platform."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import queries, rules
from backend.billing.models import Charge, ElectronicInvoice
from backend.billing.ports.einvoice import EInvoiceLine, EInvoiceOrder, IssuedEInvoice
from backend.billing.rules import InvoiceState
from backend.billing.rules.einvoice import EINVOICE_MOVES, GONE, EInvoiceState
from backend.billing.services.invoices import lock_invoice
from backend.contracts.billing import ElectronicInvoiceDue
from backend.kernel import audit, outbox
from backend.kernel.errors import Conflict
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row, lock_rows
from backend.kernel.uow import now
from backend.patients import queries as patients

_PAID = (InvoiceState.PAID, InvoiceState.PART_REFUNDED, InvoiceState.REFUNDED)


def bring_up_to_date(session: Session, invoice_id: Id) -> None:
    """Let the platform's bill say what the patient has really paid: issue, or write off and issue anew.

    Idempotent: whoever comes second finds nothing to do. A bill paid for nothing has none.
    """
    invoice = lock_invoice(session, invoice_id)
    is_top_up = session.scalar(
        select(Charge.id)
        .where(Charge.invoice_id == invoice_id, Charge.account_id.is_not(None))
        .limit(1)
    )
    if invoice.state not in _PAID or is_top_up is not None:
        return  # nothing was paid for it, or only put on account
    lines = _lines(session, invoice_id)
    wanted = sum(line.amount_fen for line in lines)
    ids = select(ElectronicInvoice.id).where(ElectronicInvoice.invoice_id == invoice_id)
    rows = lock_rows(session, ElectronicInvoice, session.scalars(ids))
    rows.sort(key=lambda row: row.sequence)
    standing = [row for row in rows if row.state not in (*GONE, EInvoiceState.RED_PENDING)]
    is_right = bool(standing) and standing[-1].amount_fen == wanted
    for row in standing[:-1] if is_right else standing:
        _begin_red(session, row)
    if wanted and not is_right:
        row = ElectronicInvoice(
            id=new_id(),
            hospital_id=invoice.hospital_id,
            invoice_id=invoice_id,
            sequence=len(rows) + 1,
            state=EInvoiceState.CREATED,
            amount_fen=wanted,
            attempts=0,
            created_at=now(session),
        )
        session.add(row)
        session.flush()
        _audit(session, row, "created")
        outbox.publish(session, ElectronicInvoiceDue(row.hospital_id, row.id))


def retry_einvoice(session: Session, row_id: Id) -> None:
    """A person asks once more for a bill the platform refused; Conflict (409) for any other."""
    row = _lock(session, row_id)
    if row.state is not EInvoiceState.FAILED or queries.is_foreign(session, row.hospital_id):
        raise Conflict(code="einvoice_not_failed", state=row.state.value)
    row.words = ""
    _set(session, row, EInvoiceState.UNKNOWN)
    outbox.publish(session, ElectronicInvoiceDue(row.hospital_id, row.id))


def get_order(session: Session, row: ElectronicInvoice) -> EInvoiceOrder:
    """What the platform is asked to bill, under our number; the payer's name masked."""
    invoice = queries.get_invoice(session, row.invoice_id)
    person = patients.get_patient(session, invoice.patient_id, hospital_id=row.hospital_id)
    return EInvoiceOrder(
        row.id.hex, person.name_masked, row.created_at, _lines(session, row.invoice_id)
    )


def issued_of(row: ElectronicInvoice) -> IssuedEInvoice:
    """The bill as the platform knows it."""
    return IssuedEInvoice(
        row.batch_code, row.number, row.check_code, row.url, row.amount_fen, row.red_number
    )


def begin_issue(session: Session, row_id: Id) -> EInvoiceState:
    """The last word before sending: from here on silence is *unknown*. The state it was in before."""
    row = _lock(session, row_id)
    before = row.state
    row.attempts += 1
    if before is EInvoiceState.CREATED:
        _set(session, row, EInvoiceState.UNKNOWN)
    else:
        _audit(session, row, "asked")
    return before


def begin_write_off(session: Session, row_id: Id) -> None:
    """One more try to write it off; how many there were says how long to wait for the next."""
    row = _lock(session, row_id)
    row.attempts += 1
    _audit(session, row, "asked")


def store_issued(session: Session, row_id: Id, bill: IssuedEInvoice) -> None:
    """The platform has issued it. When it should be gone meanwhile, it is written off next, for one over the rest."""
    row = _lock_with_bill(session, row_id)
    was_dropped = row.state in GONE and not row.number
    if row.state is not EInvoiceState.UNKNOWN and not was_dropped:
        return
    row.batch_code, row.number = bill.batch_code, bill.number
    row.check_code, row.url = bill.check_code, bill.url
    row.issued_at = now(session)
    _set(session, row, EInvoiceState.ISSUED)
    bring_up_to_date(session, row.invoice_id)


def store_failed(session: Session, row_id: Id, words: str) -> None:
    """The platform refuses it."""
    row = _lock(session, row_id)
    if row.state is EInvoiceState.UNKNOWN:
        row.words = words[:200]
        _set(session, row, EInvoiceState.FAILED)


def drop(session: Session, row_id: Id) -> None:
    """It never was, and it should not be any more: one over the rest takes its place."""
    row = _lock_with_bill(session, row_id)
    if row.state is EInvoiceState.UNKNOWN:
        _set(session, row, EInvoiceState.RED_LETTERED)
        bring_up_to_date(session, row.invoice_id)


def store_red(session: Session, row_id: Id, bill: IssuedEInvoice) -> None:
    """The platform has written it off."""
    row = _lock(session, row_id)
    if row.state is EInvoiceState.RED_PENDING:
        row.red_number, row.red_at = bill.red_number, now(session)
        _set(session, row, EInvoiceState.RED_LETTERED)


def _begin_red(session: Session, row: ElectronicInvoice) -> None:
    """Issued: to be written off. Never issued: gone at once. On its way: written off when it has arrived."""
    if row.state is EInvoiceState.ISSUED:
        row.attempts = 0
        _set(session, row, EInvoiceState.RED_PENDING)
        outbox.publish(session, ElectronicInvoiceDue(row.hospital_id, row.id))
    elif row.state in (EInvoiceState.CREATED, EInvoiceState.FAILED):
        _set(session, row, EInvoiceState.RED_LETTERED)


def _lines(session: Session, invoice_id: Id) -> tuple[EInvoiceLine, ...]:
    """What is left of each line after refunds."""
    codes = queries.charge_codes(session, invoice_id)
    return tuple(
        EInvoiceLine(
            codes[line.charge_id][0],
            line.name,
            line.quantity,
            line.amount_fen - line.refunded_fen,
        )
        for line in queries.get_invoice(session, invoice_id).lines
        if line.amount_fen > line.refunded_fen
    )


def _lock_with_bill(session: Session, row_id: Id) -> ElectronicInvoice:
    """The row, to bring its bill up to date by: the bill is locked first, as there."""
    lock_invoice(session, session.get_one(ElectronicInvoice, row_id).invoice_id)
    return _lock(session, row_id)


def _lock(session: Session, row_id: Id) -> ElectronicInvoice:
    row = lock_row(session, ElectronicInvoice, row_id)
    if row is None:
        raise LookupError(f"electronic invoice {row_id}")
    return row


def _set(session: Session, row: ElectronicInvoice, state: EInvoiceState) -> None:
    row.state = rules.move(EINVOICE_MOVES, row.state, state)
    _audit(session, row, state.value)


def _audit(session: Session, row: ElectronicInvoice, what: str) -> None:
    audit.record(
        session,
        f"billing.einvoice_{what}",
        entity="electronic_invoice",
        entity_id=row.id,
        invoice_id=row.invoice_id,
        amount_fen=row.amount_fen,
        number=row.number,
    )

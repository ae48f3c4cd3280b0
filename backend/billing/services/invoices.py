"""Opens bills over charges, locks them, and marks them paid once their parts reach the total."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, cast

from flask_babel import lazy_gettext as _
from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from backend.billing import queries, rules
from backend.billing.errors import ChargeNotPending, InvoiceUnknown
from backend.billing.models import Charge, Invoice, InvoiceCounter, Payment
from backend.billing.rules import ChargeState, InvoiceState
from backend.billing.services import accounts
from backend.contracts.billing import InvoiceOpened, InvoicePaid
from backend.kernel import audit, outbox
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row, lock_rows
from backend.kernel.uow import now, today

_COUNTERS = cast(Table, InvoiceCounter.__table__)


def _next(upsert: postgresql.Insert | sqlite.Insert) -> ReturningInsert[Any]:
    """The first number of a series, or the one after its last."""
    return (
        upsert.values(last=1)
        .on_conflict_do_update(
            index_elements=[_COUNTERS.c.hospital_id, _COUNTERS.c.series],
            set_={"last": _COUNTERS.c.last + 1},
        )
        .returning(_COUNTERS.c.last)
    )


#: Made once, so that SQLAlchemy need not look at them anew each time.
_NEXT = {
    "postgresql": _next(postgresql.insert(_COUNTERS)),
    "sqlite": _next(sqlite.insert(_COUNTERS)),
}


def open_invoice(
    session: Session,
    *,
    patient_id: Id,
    charge_ids: Iterable[Id],
    expires_at: dt.datetime | None = None,
    series_kind: str = "",
    invoice_id: Id | None = None,
) -> Invoice:
    """Put pending charges of one patient in one hospital on a new bill.

    ChargeNotPending (409) when one is on another bill, paid, cancelled or not this patient's. A
    bill of nothing is paid at once. ``series_kind`` begins the number it gets when it is paid.
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
    invoice = Invoice(
        id=invoice_id or new_id(),
        hospital_id=charges[0].hospital_id,
        patient_id=patient_id,
        series=f"{series_kind}{today(session):%Y}",
        total_fen=total_fen,
        paid_fen=0,
        state=InvoiceState.OPEN,
        opened_at=now(session),
        expires_at=expires_at,
    )
    session.add(invoice)
    for charge in charges:
        charge.state = rules.move(rules.CHARGE_MOVES, charge.state, ChargeState.INVOICED)
        charge.invoice_id = invoice.id
    audit_invoice(session, "billing.open_invoice", invoice)
    outbox.publish(session, InvoiceOpened(invoice.hospital_id, patient_id, invoice.id, total_fen))
    if total_fen == 0:
        mark_paid(session, invoice, None)
    return invoice


def mark_paid(session: Session, invoice: Invoice, payment: Payment | None) -> None:
    """A locked, open bill is paid, at last by ``payment``, or by nothing when it asks for nothing.

    Its number is the next of its hospital, kind and year, without gaps. Top-ups on it are from now on the account's.
    """
    invoice.state = rules.move(rules.INVOICE_MOVES, invoice.state, InvoiceState.PAID)
    invoice.ended_at = now(session)
    invoice.void_requested_at = None
    for charge in charges_of(session, invoice):
        charge.state = rules.move(rules.CHARGE_MOVES, charge.state, ChargeState.PAID)
        if charge.account_id is not None:
            accounts.credit_top_up(session, charge, charge.account_id)
    if invoice.ordinal is None:  # one opened before bills were numbered at payment keeps its number
        invoice.series = f"{invoice.series[:-4]}{today(session):%Y}"
        invoice.ordinal = next_ordinal(session, invoice.hospital_id, invoice.series)
        invoice.number = f"{invoice.series}{invoice.ordinal:08d}"
    audit_invoice(session, "billing.pay_invoice", invoice)
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


def charges_of(session: Session, invoice: Invoice) -> Sequence[Charge]:
    """The charges of a locked bill, read afresh: on a bill they change only under its lock."""
    return session.scalars(
        select(Charge)
        .where(Charge.invoice_id == invoice.id)
        .order_by(Charge.id)
        .execution_options(populate_existing=True)
    ).all()


def next_ordinal(session: Session, hospital_id: Id, series: str) -> int:
    """The next number of a series; the counter's row stays locked until the end, so none is ever lost."""
    session.flush()  # what we wrote may wait for others' locks: not while we hold this one
    connection = session.connection()
    statement = _NEXT[connection.dialect.name]
    values = {"hospital_id": hospital_id, "series": series}
    ordinal: int = connection.execute(statement, values).scalar_one()
    return ordinal


def audit_invoice(session: Session, action: str, invoice: Invoice, **detail: str) -> None:
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

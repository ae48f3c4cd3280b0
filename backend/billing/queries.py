"""Reads of billing: prices in force, bills with their lines, payments and refunds. Never writes.

Each function's answer is a frozen value; the number of statements is said where it is not one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from backend.billing.errors import (
    CaseUnknown,
    InvoiceUnknown,
    PaymentUnknown,
    PriceUnknown,
    RefundUnknown,
)
from backend.billing.models import (
    Charge,
    Invoice,
    MoneyCase,
    Payment,
    PriceItem,
    PriceVersion,
    Refund,
)
from backend.billing.rules import (
    CaseState,
    ChargeState,
    InvoiceState,
    PaymentState,
    PriceCategory,
    is_in_flight,
)
from backend.billing.views import (
    CaseView,
    DueView,
    InvoiceView,
    LineView,
    PaymentView,
    PriceView,
    RefundView,
    case_view,
)
from backend.kernel.ids import Id
from backend.kernel.uow import actor, now

__all__ = ["Charge"]

#: What a payer is told about each state of a payment.
PAYMENT_WORDS = {
    PaymentState.CREATED: _("正在生成付款码"),
    PaymentState.PENDING: _("请用微信扫码支付"),
    PaymentState.UNKNOWN: _("支付结果正在确认，请稍候，不要重复支付"),
    PaymentState.CLOSING: _("正在取消支付，请稍候"),
    PaymentState.SUCCEEDED: _("支付成功"),
    PaymentState.FAILED: _("没有生成付款码，没有扣款。请重试或到人工窗口"),
    PaymentState.CLOSED: _("支付已取消，没有扣款"),
    PaymentState.FROZEN: _("收到的金额与应付金额不符，请到人工窗口处理"),
}
#: Written into the statement, not bound: SQLite uses a partial index only for a literal.
IS_LIVE = Charge.state != literal(ChargeState.CANCELLED, Charge.state.type, literal_execute=True)
IS_PENDING = Charge.state == literal(ChargeState.PENDING, Charge.state.type, literal_execute=True)
IS_OPEN = Invoice.state == literal(InvoiceState.OPEN, Invoice.state.type, literal_execute=True)
GIVEN_BACK_WORDS = _("款项到账时账单已失效，正在原路退回")


def is_foreign(session: Session, hospital_id: Id) -> bool:
    """True when the actor belongs to another hospital: to them the document does not exist."""
    return actor(session).hospital_id not in (None, hospital_id)


# --- prices ----------------------------------------------------------------------------------


def _prices(hospital_id: Id, day: dt.date) -> Select[PriceItem, PriceVersion]:
    in_force = and_(
        PriceVersion.item_id == PriceItem.id,
        PriceVersion.effective_from <= day,
        or_(PriceVersion.effective_until.is_(None), PriceVersion.effective_until > day),
    )
    return (
        select(PriceItem, PriceVersion)
        .join(PriceVersion, in_force)
        .where(PriceItem.hospital_id == hospital_id, PriceItem.is_active)
        .order_by(PriceItem.code)
    )


def _price_view(item: PriceItem, version: PriceVersion) -> PriceView:
    return PriceView(
        item_id=item.id,
        code=item.code,
        name=item.name,
        unit=item.unit,
        category=item.category,
        price_fen=version.price_fen,
        effective_from=version.effective_from,
    )


def get_price(session: Session, hospital_id: Id, code: str, on: dt.date) -> PriceView:
    """What ``code`` costs on that business date; PriceUnknown (404) when it has no price then."""
    row = session.execute(_prices(hospital_id, on).where(PriceItem.code == code)).first()
    if row is None:
        raise PriceUnknown(item=code)
    return _price_view(*row)


def get_prices(
    session: Session, hospital_id: Id, codes: Iterable[str], on: dt.date
) -> dict[str, PriceView]:
    """What each of ``codes`` costs on that business date, by code, in one query; unknown ones are left out."""
    rows = session.execute(_prices(hospital_id, on).where(PriceItem.code.in_(set(codes)))).all()
    return {item.code: _price_view(item, version) for item, version in rows}


def lines_by_id(session: Session, charge_ids: Iterable[Id]) -> dict[Id, LineView]:
    """The charges with these ids, in one query."""
    rows = session.scalars(select(Charge).where(Charge.id.in_(set(charge_ids))))
    return {row.id: _line_view(row) for row in rows}


def search_prices(
    session: Session,
    hospital_id: Id,
    *,
    on: dt.date,
    text: str = "",
    category: PriceCategory | None = None,
    after_code: str = "",
    limit: int = 50,
) -> list[PriceView]:
    """Items by code, ``limit`` at a time after ``after_code``.

    ``text`` finds a code or pinyin initials by how they begin, and a name by any part of it.
    """
    statement = _prices(hospital_id, on).limit(limit)
    if after_code:
        statement = statement.where(PriceItem.code > after_code)
    if category is not None:
        statement = statement.where(PriceItem.category == category)
    if wanted := text.strip():
        statement = statement.where(
            or_(
                PriceItem.code.istartswith(wanted, autoescape=True),
                PriceItem.pinyin_initials.startswith(wanted.lower(), autoescape=True),
                PriceItem.name.contains(wanted, autoescape=True),
            )
        )
    return [_price_view(*row) for row in session.execute(statement)]


def count_prices_by_category(session: Session, hospital_id: Id) -> dict[PriceCategory, int]:
    """How many active items each category has."""
    rows = session.execute(
        select(PriceItem.category, func.count())
        .where(PriceItem.hospital_id == hospital_id, PriceItem.is_active)
        .group_by(PriceItem.category)
    )
    return {category: int(number) for category, number in rows}


# --- bills -----------------------------------------------------------------------------------


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
        due_fen=invoice.total_fen if invoice.state is InvoiceState.OPEN else 0,
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


def invoice_numbers(session: Session, ids: Iterable[Id]) -> dict[Id, str]:
    """The printed numbers of these bills, in one query."""
    rows = session.execute(select(Invoice.id, Invoice.number).where(Invoice.id.in_(set(ids))))
    return {row.id: row.number for row in rows}


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


# --- payments and refunds --------------------------------------------------------------------


def payment_view(payment: Payment) -> PaymentView:
    """The view of a payment that is at hand."""
    words = GIVEN_BACK_WORDS if payment.is_suspended and payment.received_fen else None
    if payment.state is PaymentState.FROZEN or words is None:
        words = PAYMENT_WORDS[payment.state]
    return PaymentView(
        id=payment.id,
        invoice_id=payment.invoice_id,
        patient_id=payment.patient_id,
        tender=payment.tender,
        state=payment.state,
        amount_fen=payment.amount_fen,
        received_fen=payment.received_fen,
        refundable_fen=payment.received_fen - payment.refunded_fen,
        tendered_fen=payment.tendered_fen,
        change_fen=payment.change_fen,
        out_trade_no=payment.out_trade_no,
        code_url=payment.code_url if payment.state is PaymentState.PENDING else None,
        created_at=payment.created_at,
        expires_at=payment.expires_at,
        paid_at=payment.paid_at,
        is_in_flight=is_in_flight(payment.state),
        is_given_back=payment.is_suspended and payment.state is PaymentState.SUCCEEDED,
        outcome_words=str(words),
    )


def get_payment(session: Session, payment_id: Id) -> PaymentView:
    """One payment; PaymentUnknown (404)."""
    payment = session.get(Payment, payment_id)
    if payment is None or is_foreign(session, payment.hospital_id):
        raise PaymentUnknown
    return payment_view(payment)


def list_payments(session: Session, invoice_id: Id) -> list[PaymentView]:
    """All tries to pay a bill, oldest first."""
    rows = select(Payment).where(Payment.invoice_id == invoice_id).order_by(Payment.id)
    return [payment_view(payment) for payment in session.scalars(rows)]


def find_open_payments(session: Session, invoice_ids: Iterable[Id]) -> dict[Id, PaymentView]:
    """The payment each of these bills waits for, if any, in one query."""
    in_flight = [state for state in PaymentState if is_in_flight(state)]
    rows = session.scalars(
        select(Payment).where(
            Payment.invoice_id.in_(set(invoice_ids)), Payment.state.in_(in_flight)
        )
    )
    return {row.invoice_id: payment_view(row) for row in rows}


def find_settling_payment(session: Session, invoice_id: Id) -> PaymentView | None:
    """The payment that paid a bill; None while it is unpaid."""
    payment = session.scalar(
        select(Payment).where(
            Payment.invoice_id == invoice_id,
            Payment.state == PaymentState.SUCCEEDED,
            ~Payment.is_suspended,
        )
    )
    return payment_view(payment) if payment is not None else None


def _refund_view(refund: Refund) -> RefundView:
    return RefundView(
        id=refund.id,
        payment_id=refund.payment_id,
        invoice_id=refund.invoice_id,
        state=refund.state,
        amount_fen=refund.amount_fen,
        out_refund_no=refund.out_refund_no,
        reason=refund.reason,
        requested_at=refund.requested_at,
        succeeded_at=refund.succeeded_at,
    )


def get_refund(session: Session, refund_id: Id) -> RefundView:
    """One refund; RefundUnknown (404)."""
    refund = session.get(Refund, refund_id)
    if refund is None or is_foreign(session, refund.hospital_id):
        raise RefundUnknown
    return _refund_view(refund)


def list_refunds(session: Session, invoice_id: Id) -> list[RefundView]:
    """All refunds of a bill, oldest first."""
    rows = select(Refund).where(Refund.invoice_id == invoice_id).order_by(Refund.id)
    return [_refund_view(refund) for refund in session.scalars(rows)]


def list_open_cases(session: Session, *, limit: int = 100) -> list[MoneyCase]:
    """Money cases that wait for somebody, oldest first."""
    rows = select(MoneyCase).where(MoneyCase.state == CaseState.OPEN)
    return list(session.scalars(rows.order_by(MoneyCase.opened_at).limit(limit)))


def list_case_views(session: Session, hospital_id: Id, *, limit: int = 100) -> list[CaseView]:
    """The open money cases of a hospital, and those of nobody's orders, oldest first."""
    rows = session.execute(
        select(MoneyCase, Payment, Refund, Invoice.number)
        .outerjoin(Refund, Refund.id == MoneyCase.refund_id)
        .outerjoin(Payment, Payment.id == MoneyCase.payment_id)
        .outerjoin(Invoice, Invoice.id == Payment.invoice_id)
        .where(
            MoneyCase.state == CaseState.OPEN,
            or_(MoneyCase.hospital_id == hospital_id, MoneyCase.hospital_id.is_(None)),
        )
        .order_by(MoneyCase.opened_at)
        .limit(limit)
    )
    return [case_view(*row, at=now(session)) for row in rows]


def get_case(session: Session, case_id: Id) -> MoneyCase:
    """One money case; CaseUnknown (404)."""
    case = session.get(MoneyCase, case_id)
    if case is None or (case.hospital_id and is_foreign(session, case.hospital_id)):
        raise CaseUnknown
    return case

"""Reads of payments and refunds."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing.errors import (
    PaymentUnknown,
    RefundUnknown,
)
from backend.billing.models import (
    Payment,
    Refund,
)
from backend.billing.queries.bills import is_foreign
from backend.billing.rules import (
    PaymentState,
    RefundState,
    Tender,
    is_in_flight,
)
from backend.billing.rules.cards import card_refusal_words
from backend.billing.views import (
    PaymentView,
    RefundView,
)
from backend.kernel.ids import Id

#: What a payer is told about each state of a payment.
PAYMENT_WORDS = {
    PaymentState.CREATED: _("正在生成付款码"),
    PaymentState.PENDING: _("请扫码支付"),
    PaymentState.UNKNOWN: _("支付结果正在确认，请稍候，不要重复支付"),
    PaymentState.CLOSING: _("正在取消支付，请稍候"),
    PaymentState.SUCCEEDED: _("支付成功"),
    PaymentState.FAILED: _("没有生成付款码，没有扣款。请重试或到人工窗口"),
    PaymentState.CLOSED: _("支付已取消，没有扣款"),
    PaymentState.FROZEN: _("收到的金额与应付金额不符，请到人工窗口处理"),
}


GIVEN_BACK_WORDS = _("款项到账时账单已失效，正在原路退回")


#: Where a card is paid with, the bank is asked and nobody scans anything.
CARD_WORDS = {
    PaymentState.CREATED: _("正在与银行联机，请稍候"),
    PaymentState.UNKNOWN: _("银行没有应答，正在冲正。请稍候，不要重复刷卡"),
    PaymentState.CLOSED: _("交易没有完成，已取消或冲正，没有扣款。可以重新刷卡"),
}


INSURANCE_WORDS = {
    PaymentState.CREATED: _("正在医保结算，请稍候"),
    PaymentState.UNKNOWN: _("医保中心没有应答，正在冲正，请稍候"),
    PaymentState.SUCCEEDED: _("医保结算完成"),
    PaymentState.CLOSED: _("医保结算没有完成，已冲正，没有扣款。可以重新结算或自费支付"),
    PaymentState.FAILED: _("医保中心拒绝结算，请看原因，或自费支付"),
}


def _state_words(payment: Payment) -> object:
    if payment.tender is Tender.INSURANCE:
        return INSURANCE_WORDS.get(payment.state, PAYMENT_WORDS[payment.state])
    if payment.tender is not Tender.BANK_CARD:
        return PAYMENT_WORDS[payment.state]
    if payment.state is PaymentState.FAILED:
        return card_refusal_words(payment.failure_code)
    return CARD_WORDS.get(payment.state, PAYMENT_WORDS[payment.state])


def payment_view(payment: Payment) -> PaymentView:
    """The view of a payment that is at hand."""
    words = GIVEN_BACK_WORDS if payment.is_suspended and payment.received_fen else None
    if payment.state is PaymentState.FROZEN or words is None:
        words = _state_words(payment)
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
        account_id=payment.account_id,
        channel=payment.channel,
        actor_label=payment.actor_label,
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


def list_settling_payments(session: Session, invoice_id: Id) -> list[PaymentView]:
    """The payments that paid a bill, or have paid parts of it so far, oldest first."""
    rows = session.scalars(
        select(Payment)
        .where(
            Payment.invoice_id == invoice_id,
            Payment.state == PaymentState.SUCCEEDED,
            ~Payment.is_suspended,
        )
        .order_by(Payment.paid_at, Payment.id)
    )
    return [payment_view(payment) for payment in rows]


def _refund_view(refund: Refund, tender: Tender) -> RefundView:
    return RefundView(
        id=refund.id,
        payment_id=refund.payment_id,
        invoice_id=refund.invoice_id,
        tender=tender,
        state=refund.state,
        amount_fen=refund.amount_fen,
        out_refund_no=refund.out_refund_no,
        reason=refund.reason,
        requested_at=refund.requested_at,
        succeeded_at=refund.succeeded_at,
        channel=refund.channel,
        actor_label=refund.actor_label,
    )


_REFUNDS = select(Refund, Payment.tender).join(Payment, Payment.id == Refund.payment_id)


def get_refund(session: Session, refund_id: Id) -> RefundView:
    """One refund; RefundUnknown (404)."""
    row = session.execute(_REFUNDS.where(Refund.id == refund_id)).first()
    if row is None or is_foreign(session, row[0].hospital_id):
        raise RefundUnknown
    return _refund_view(*row)


def list_refunds(session: Session, invoice_id: Id) -> list[RefundView]:
    """All refunds of a bill, oldest first."""
    rows = session.execute(_REFUNDS.where(Refund.invoice_id == invoice_id).order_by(Refund.id))
    return [_refund_view(*row) for row in rows]


def list_cash_to_hand_over(session: Session, patient_id: Id) -> list[RefundView]:
    """Cash that is owed to a patient and waits at the counter, oldest first."""
    rows = session.execute(
        _REFUNDS.where(
            Payment.patient_id == patient_id,
            Payment.tender == Tender.CASH,
            Refund.state == RefundState.CREATED,
        ).order_by(Refund.id)
    )
    return [_refund_view(*row) for row in rows]

"""What the insurance settled and took back on a day, as the statement with the centre needs it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from backend.billing.models import InsuranceClaim, Payment, Refund
from backend.billing.ports.insurance import InsuredDocument
from backend.billing.rules import RefundState, Tender
from backend.billing.rules.insurance import ClaimState
from backend.billing.services.insurance import open_person
from backend.kernel.clock import day_bounds

#: Around the day: the centre's midnight is not ours, and what it alone lists may be a neighbour's.
MARGIN = dt.timedelta(days=1)


def list_insured(session: Session, day: dt.date) -> list[InsuredDocument]:
    """Settlements and cancellings of the day and its neighbours, and whatever is in doubt.

    Opens the persons' numbers, which the centre's statement asks for.
    """
    first, after = day_bounds(day)
    first, after = first - MARGIN, after + MARGIN
    paid = _claims().where(
        Payment.tender == Tender.INSURANCE, Payment.paid_at >= first, Payment.paid_at < after
    )
    doubtful = _claims().where(
        InsuranceClaim.state.in_((ClaimState.SETTLING, ClaimState.REVERSING))
    )
    found = [
        _document(session, claim, payment, None)
        for statement in (paid, doubtful)
        for claim, payment in session.execute(statement.order_by(InsuranceClaim.id))
    ]
    backs = (
        select(InsuranceClaim, Payment, Refund)
        .join(Payment, Payment.id == InsuranceClaim.payment_id)
        .join(Refund, Refund.payment_id == Payment.id)
        .where(
            Payment.tender == Tender.INSURANCE,
            Refund.requested_at >= first,
            Refund.requested_at < after,
            Refund.state != RefundState.ABNORMAL,
        )
        .order_by(Refund.id)
    )
    found += [_document(session, *row) for row in session.execute(backs)]
    return found


def _claims() -> Select[InsuranceClaim, Payment]:
    return select(InsuranceClaim, Payment).join(Payment, Payment.id == InsuranceClaim.payment_id)


def _document(
    session: Session, claim: InsuranceClaim, payment: Payment, refund: Refund | None
) -> InsuredDocument:
    order = payment.out_trade_no or ""
    if refund is None:
        is_settled, at = payment.received_fen > 0, payment.paid_at or payment.created_at
    else:
        is_settled = refund.state is RefundState.SUCCEEDED
        at = refund.succeeded_at or refund.requested_at
    return InsuredDocument(
        number=order if refund is None else refund.out_refund_no,
        out_trade_no=order,
        is_refund=refund is not None,
        is_settled=is_settled,
        person=open_person(session, claim),
        visit_id=claim.visit_id,
        settlement_id=claim.settlement_id,
        message_id=claim.message_id if refund is None else claim.cancel_message_id,
        total_fen=claim.total_fen,
        fund_fen=claim.fund_fen,
        account_fen=claim.account_fen,
        happened_at=at,
    )

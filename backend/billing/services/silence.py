"""Unknown outcomes that stay unknown: the far end is asked on with growing pauses, and a person is told.

Nothing is ever tried again blindly. The case closes by itself as soon as the outcome is known.
"""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.models import MoneyCase, Payment, Refund
from backend.billing.rules import CaseKind, CaseState, RefundState, Tender
from backend.billing.services import cases
from backend.billing.services.in_flight import IN_FLIGHT
from backend.kernel.uow import now

_UNHEARD = [RefundState.CREATED, RefundState.UNKNOWN]


def report_silence(session: Session, *, silence: dt.timedelta, limit: int = 200) -> int:
    """Open a case for payments in flight and refunds unanswered for longer than ``silence``; how many were opened.

    A refund that the far end says it works on gets ``rules.REFUND_LONGEST``. Those with an open case, and cash
    that waits to be handed over (it has a case of its own), are left out.
    """
    moment = now(session)
    has_case = select(MoneyCase.id).where(
        MoneyCase.kind == CaseKind.OUTCOME_UNKNOWN, MoneyCase.state == CaseState.OPEN
    )
    payments = session.scalars(
        select(Payment)
        .where(
            Payment.state.in_(IN_FLIGHT),
            Payment.created_at <= moment - silence,
            ~has_case.where(
                MoneyCase.payment_id == Payment.id, MoneyCase.refund_id.is_(None)
            ).exists(),
        )
        .order_by(Payment.created_at)
        .limit(limit)
    ).all()
    for payment in payments:
        cases.open_case(
            session,
            CaseKind.OUTCOME_UNKNOWN,
            reference=payment.id.hex,
            hospital_id=payment.hospital_id,
            amount_fen=payment.amount_fen,
            payment_id=payment.id,
            payment_state=payment.state.value,
            tender=payment.tender,
        )
    refunds = session.execute(
        select(Refund, Payment.tender)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(
            Payment.tender != Tender.CASH,
            or_(
                Refund.state.in_(_UNHEARD) & (Refund.requested_at <= moment - silence),
                (Refund.state == RefundState.PROCESSING)
                & (Refund.requested_at <= moment - max(silence, rules.REFUND_LONGEST)),
            ),
            ~has_case.where(MoneyCase.refund_id == Refund.id).exists(),
        )
        .order_by(Refund.requested_at)
        .limit(limit)
    ).all()
    for refund, tender in refunds:
        cases.open_case(
            session,
            CaseKind.OUTCOME_UNKNOWN,
            reference=refund.out_refund_no,
            hospital_id=refund.hospital_id,
            amount_fen=refund.amount_fen,
            payment_id=refund.payment_id,
            refund_id=refund.id,
            refund_state=refund.state.value,
            tender=tender,
        )
    return len(payments) + len(refunds)


def outcome_is_known(session: Session, payment: Payment) -> None:
    """A payment has ended: the case about its silence, if there was one, is closed."""
    if now(session) - payment.created_at >= rules.SHORTEST_SILENCE:
        cases.close_settled_cases(
            session, CaseKind.OUTCOME_UNKNOWN, payment.id.hex, _("结果已经明确")
        )

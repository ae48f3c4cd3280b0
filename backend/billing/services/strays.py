"""Money a channel's bill knows and we do not: kept in the books, so that clearing equals the channel's word.

A payment of an order that is not ours lies in suspense; a refund that nobody here asked for left suspense.
Each has a case; who closes it says where the money belongs.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.models import MoneyCase, Payment, Refund
from backend.billing.ports import BillRowKind, TradeState, TradeStatus
from backend.billing.rules import BillChannel, CaseKind, EntryKind
from backend.billing.services import cases, ledger
from backend.billing.services.bill_matching import Finding


def keep_stray(session: Session, channel: BillChannel, finding: Finding) -> MoneyCase | None:
    """Post a line whose number is none of ours and open its case; None when the number is ours. Idempotent."""
    tender = rules.STRAY_TENDERS[channel]
    if finding.item_kind is BillRowKind.PAYMENT:
        known = select(Payment.id).where(Payment.out_trade_no == finding.number)
        if session.scalar(known) is not None:
            return None
        status = TradeStatus(
            finding.number,
            TradeState.SUCCESS,
            finding.their_fen,
            finding.channel_number,
            finding.happened_at,
        )
        return cases.record_stray_trade(session, status, tender=tender)
    if session.scalar(select(Refund.id).where(Refund.out_refund_no == finding.number)) is not None:
        return None
    seen = session.scalar(
        select(MoneyCase).where(
            MoneyCase.kind == CaseKind.UNKNOWN_REFUND, MoneyCase.reference == finding.number
        )
    )
    if seen is not None:
        return seen
    amount_fen = finding.their_fen or 0
    case = cases.open_case(
        session,
        CaseKind.UNKNOWN_REFUND,
        reference=finding.number,
        hospital_id=None,
        amount_fen=amount_fen,
        tender=tender,
        out_trade_no=finding.out_trade_no,
        channel_number=finding.channel_number,
    )
    ledger.post(
        session,
        EntryKind.STRAY_REFUNDED,
        source_id=case.id,
        hospital_id=None,
        lines=rules.stray_refunded(tender, amount_fen),
    )
    return case

"""What our books say a channel has taken and given back, for whoever must tell the channel's side."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing.models import Payment, Refund
from backend.billing.rules import CHANNEL_TENDERS, BillChannel, RefundState
from backend.kernel.ids import Id


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A refund that has gone through, as its channel must know it."""

    number: str
    channel_number: str
    amount_fen: int
    asked_at: dt.datetime
    happened_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ChannelTrade:
    """A payment that brought money, as its channel must know it."""

    number: str
    channel_number: str
    amount_fen: int
    happened_at: dt.datetime
    refunds: tuple[GivenBack, ...]


def list_channel_trades(session: Session, channel: BillChannel) -> list[ChannelTrade]:
    """Everything our books say a channel has taken and given back, oldest first (2 statements)."""
    ours = (Payment.tender.in_(CHANNEL_TENDERS[channel]), Payment.received_fen > 0)
    refunds: dict[Id, list[GivenBack]] = {}
    done = (
        select(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(*ours, Refund.state == RefundState.SUCCEEDED)
    )
    for refund in session.scalars(done.order_by(Refund.id)):
        at = refund.succeeded_at or refund.requested_at
        number = refund.out_refund_no
        refunds.setdefault(refund.payment_id, []).append(
            GivenBack(
                number, refund.refund_id or number, refund.amount_fen, refund.requested_at, at
            )
        )
    return [
        ChannelTrade(
            payment.out_trade_no,
            payment.transaction_id or payment.out_trade_no,
            payment.received_fen,
            payment.paid_at,
            tuple(refunds.get(payment.id, ())),
        )
        for payment in session.scalars(select(Payment).where(*ours).order_by(Payment.id))
        if payment.out_trade_no is not None and payment.paid_at is not None
    ]

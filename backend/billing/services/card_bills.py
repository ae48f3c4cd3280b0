"""A bank's bill in our numbers: its lines are named by terminal, batch and trace number, our documents are not.

Both sides know a message by these three, even when its answer was lost: the card act has them before it is sent.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, Select, cast, func, select, update
from sqlalchemy.orm import Session

from backend.billing.models import BillItem, CardAct, Payment, Refund
from backend.billing.ports import BillRowKind
from backend.billing.rules.cards import CardActKind
from backend.kernel.ids import Id


def put_our_numbers(session: Session, run_id: Id) -> None:
    """Rename the lines of a stored bill whose message is ours; a stranger's keeps the bank's name for it."""
    order = _of_act(Payment.out_trade_no, CardActKind.SALE)
    _rename(session, run_id, BillRowKind.PAYMENT, order, order)
    refund = _of_act(Refund.out_refund_no, CardActKind.REFUND).join(
        Refund, Refund.id == CardAct.refund_id
    )
    order = _of_act(Payment.out_trade_no, CardActKind.REFUND)
    _rename(session, run_id, BillRowKind.REFUND, refund, order)


def _of_act(number: Any, kind: CardActKind) -> Select[Any]:
    """A number of ours, by the act whose message the line is about (its unique index finds it)."""
    return (
        select(number)
        .select_from(CardAct)
        .join(Payment, Payment.id == CardAct.payment_id)
        .where(
            CardAct.kind == kind,
            CardAct.terminal_id == func.substr(BillItem.number, 1, 8),
            CardAct.batch == cast(func.substr(BillItem.number, 9, 6), Integer),
            CardAct.stan == func.substr(BillItem.number, 15, 6),
        )
        .correlate(BillItem)
    )


def _rename(
    session: Session, run_id: Id, kind: BillRowKind, number: Select[Any], order: Select[Any]
) -> None:
    session.execute(
        update(BillItem)
        .where(BillItem.run_id == run_id, BillItem.kind == kind)
        .values(
            number=func.coalesce(number.scalar_subquery(), BillItem.number),
            out_trade_no=func.coalesce(order.scalar_subquery(), BillItem.out_trade_no),
        )
        .execution_options(synchronize_session=False)
    )

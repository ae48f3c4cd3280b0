"""Talks to the payment platforms, outside transactions: T1 stored the intent, here is the act, T2.

Any worker may take any step at any time: the next one is chosen from what is stored (``rules.next_step``)
and every answer goes through ``record_trade_status`` or ``apply_refund_status``, which are idempotent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from backend.billing import queries, rules, service
from backend.billing.ports import (
    GatewayRefused,
    GatewayUnknown,
    PaymentGateway,
    RefundState,
    TradeState,
)
from backend.billing.rules import Step, Tender
from backend.billing.views import PaymentView, RefundView
from backend.contracts.billing import (
    PaymentCheckDue,
    PaymentCloseRequested,
    PaymentRequested,
    PaymentSucceeded,
    RefundCheckDue,
    RefundRequested,
    RefundSucceeded,
)
from backend.contracts.clinical import OrderExecuted, OrderExecutionReversed
from backend.kernel.ids import Id
from backend.kernel.outbox import RetryLater, Subscriptions
from backend.kernel.permissions import system_actor
from backend.kernel.uow import Database, now

log = structlog.get_logger(__name__)


#: Which platform each tender has. Tenders without one are left to subscribers of their own.
Gateways = Mapping[Tender, PaymentGateway]

#: The source of charges for drugs and tests.
ORDER = "order"

ACTOR = system_actor("billing")
#: What the payer reads in the wallet; fixed, because a repeated request must be the same request.
DESCRIPTION = "门诊费用"
#: Refusals of an order that say it is there already: ask how it stands.
_ORDER_EXISTS = frozenset({"ORDERPAID", "ORDER_CLOSED", "ORDERCLOSED", "OUT_TRADE_NO_USED"})


def subscribe(
    subscriptions: Subscriptions,
    gateways: Gateways,
    record_trade_status: service.RecordTradeStatus = service.apply_trade_status,
) -> None:
    """Let billing act at the platforms. ``record_trade_status`` is the journeys' settlement."""
    cashier = PlatformCashier(gateways, record_trade_status)
    subscriptions.on(PaymentRequested, "platform_order", cashier.open_order, external=True)
    subscriptions.on(PaymentCheckDue, "platform_check", cashier.check_order, external=True)
    subscriptions.on(PaymentCloseRequested, "platform_close", cashier.close_order, external=True)
    subscriptions.on(RefundRequested, "platform_refund", cashier.send_refund, external=True)
    subscriptions.on(RefundCheckDue, "platform_refund_check", cashier.check_refund, external=True)
    subscriptions.on(PaymentSucceeded, "receipt", issue_payment_receipt)
    subscriptions.on(RefundSucceeded, "receipt", issue_refund_receipt)
    subscriptions.on(OrderExecuted, "protect_charges", protect_charges)
    subscriptions.on(OrderExecutionReversed, "free_charges", free_charges)


def issue_payment_receipt(session: Session, event: PaymentSucceeded) -> None:
    """Money came: it gets its number."""
    service.issue_payment_receipt(session, event.payment_id)


def issue_refund_receipt(session: Session, event: RefundSucceeded) -> None:
    """Money went back: it gets its number."""
    service.issue_refund_receipt(session, event.refund_id)


def protect_charges(session: Session, event: OrderExecuted) -> None:
    """What was done or dispensed keeps its money."""
    service.mark_executed(session, source_kind=ORDER, source_id=event.order_id)


def free_charges(session: Session, event: OrderExecutionReversed) -> None:
    """What was undone or came back may be refunded."""
    service.reverse_execution(
        session, source_kind=ORDER, source_id=event.order_id, reason=event.reason_code
    )


@dataclass(frozen=True, slots=True)
class PlatformCashier:
    """The subscribers that carry out billing's requests, each payment's at its tender's platform."""

    gateways: Gateways
    record: service.RecordTradeStatus

    # --- payments ------------------------------------------------------------------------

    def open_order(self, database: Database, event: PaymentRequested) -> None:
        """Open the order and keep its code; a lost answer leaves it *unknown* for the checks."""
        payment, _now, step = self._look(database, event.payment_id)
        if step is Step.CREATE:
            self._create(database, payment)

    def check_order(self, database: Database, event: PaymentCheckDue) -> None:
        """Take the next step, and come back until the order has ended."""
        payment, _now, step = self._look(database, event.payment_id)
        if step is Step.NOTHING:
            return
        if step is Step.CREATE:
            self._create(database, payment)
        elif step is Step.CLOSE:
            self._close(database, payment)
        elif step is Step.ASK_AND_CREATE:
            self._ask_and_create(database, payment)
        else:
            self._ask(database, payment)
        payment, moment, step = self._look(database, event.payment_id)
        if step is Step.NOTHING:
            return
        wait = rules.next_check_seconds((moment - payment.created_at).total_seconds())
        if payment.expires_at is not None and payment.expires_at > moment:
            wait = min(wait, max(1, int((payment.expires_at - moment).total_seconds())))
        raise RetryLater(wait)

    def close_order(self, database: Database, event: PaymentCloseRequested) -> None:
        """Close the order, and come back until the platform has said how it ended."""
        payment, _now, step = self._look(database, event.payment_id)
        if step is Step.NOTHING:
            return
        self._close(database, payment)
        payment, moment, step = self._look(database, event.payment_id)
        if step is not Step.NOTHING:
            age = (moment - payment.created_at).total_seconds()
            raise RetryLater(rules.next_close_seconds(age))

    def _create(self, database: Database, payment: PaymentView) -> None:
        number, expires_at = _order(payment)
        try:
            code_url = self.gateways[payment.tender].create_native(
                out_trade_no=number,
                amount_fen=payment.amount_fen,
                description=DESCRIPTION,
                expires_at=expires_at,
            )
        except GatewayUnknown as error:
            log.warning("platform_order_unknown", payment=str(payment.id), why=str(error))
            with database.write(ACTOR) as session:
                service.mark_unknown(session, payment.id)
            return
        except GatewayRefused as refusal:
            log.warning("platform_order_refused", payment=str(payment.id), code=refusal.code)
            if refusal.code in _ORDER_EXISTS:
                self._ask(database, payment)
                return
            with database.write(ACTOR) as session:
                service.mark_refused(session, payment.id, refusal.code)
            return
        with database.write(ACTOR) as session:
            is_wanted = service.store_code(session, payment.id, code_url)
        if not is_wanted:
            # Cancelled or paid while we asked: nobody shows this code, so nobody may pay it.
            self._close(database, payment)

    def _ask(
        self, database: Database, payment: PaymentView, *, believe_absence: bool = False
    ) -> TradeState | None:
        """Ask how the order stands and record it; None when no answer came.

        Alipay knows no order whose code nobody has scanned, yet the code can be paid until it is
        cancelled: absence proves something only after a close that was answered.
        """
        number, _expires_at = _order(payment)
        try:
            status = self.gateways[payment.tender].query(number)
        except (GatewayUnknown, GatewayRefused) as error:
            log.warning("platform_query_failed", payment=str(payment.id), why=str(error))
            return None
        if status.state is TradeState.NOT_FOUND and not believe_absence:
            return status.state
        with database.write(ACTOR) as session:
            self.record(session, status)
        return status.state

    def _ask_and_create(self, database: Database, payment: PaymentView) -> None:
        """The create's answer was lost. Only when the order is absent or open, ask for its code."""
        state = self._ask(database, payment)
        if state in (TradeState.NOT_FOUND, TradeState.NOT_PAID):
            self._create(database, payment)

    def _close(self, database: Database, payment: PaymentView) -> None:
        """Close, then ask: what counts is how the platform says the order ended."""
        number, _expires_at = _order(payment)
        with database.write(ACTOR) as session:
            service.expire_payment(session, payment.id)
        is_sure = True
        try:
            self.gateways[payment.tender].close(number)
        except GatewayUnknown as error:
            is_sure = False
            log.warning("platform_close_unknown", payment=str(payment.id), why=str(error))
        except GatewayRefused as refusal:
            log.info("platform_close_refused", payment=str(payment.id), code=refusal.code)
        self._ask(database, payment, believe_absence=is_sure)

    def _look(self, database: Database, payment_id: Id) -> tuple[PaymentView, dt.datetime, Step]:
        """The payment, the present, and what to do next; nothing where its tender has no platform."""
        with database.read(ACTOR) as session:
            payment = queries.get_payment(session, payment_id)
            moment = now(session)
        if payment.expires_at is None or payment.tender not in self.gateways:
            return payment, moment, Step.NOTHING
        step = rules.next_step(
            payment.state,
            has_code=payment.code_url is not None,
            expires_at=payment.expires_at,
            now=moment,
        )
        return payment, moment, step

    # --- refunds -------------------------------------------------------------------------

    def send_refund(self, database: Database, event: RefundRequested) -> None:
        """Ask the platform to give money back; the same number is never paid out twice."""
        refund, payment, _now = _look_at_refund(database, event.refund_id)
        if payment.tender not in self.gateways or refund.state is rules.RefundState.UNKNOWN:
            return  # the checks resolve it, by asking
        if not refund.has_ended:
            self._refund(database, refund, payment)

    def check_refund(self, database: Database, event: RefundCheckDue) -> None:
        """Ask how a refund stands, and come back until it has ended."""
        refund, payment, _now = _look_at_refund(database, event.refund_id)
        if payment.tender not in self.gateways or refund.has_ended:
            return
        try:
            status = self.gateways[payment.tender].query_refund(
                refund.out_refund_no, _order(payment)[0]
            )
        except (GatewayUnknown, GatewayRefused) as error:
            log.warning("platform_refund_query_failed", refund=str(refund.id), why=str(error))
        else:
            if status.state is RefundState.NOT_FOUND:
                self._refund(database, refund, payment)
            else:
                with database.write(ACTOR) as session:
                    service.apply_refund_status(session, status)
        refund, _payment, moment = _look_at_refund(database, event.refund_id)
        if not refund.has_ended:
            age = (moment - refund.requested_at).total_seconds()
            raise RetryLater(rules.next_refund_check_seconds(age))

    def _refund(self, database: Database, refund: RefundView, payment: PaymentView) -> None:
        number, _expires_at = _order(payment)
        try:
            status = self.gateways[payment.tender].refund(
                out_refund_no=refund.out_refund_no,
                out_trade_no=number,
                amount_fen=refund.amount_fen,
                total_fen=payment.received_fen,
                reason=DESCRIPTION,
            )
        except GatewayUnknown as error:
            log.warning("platform_refund_unknown", refund=str(refund.id), why=str(error))
            with database.write(ACTOR) as session:
                service.mark_refund_unknown(session, refund.id)
            return
        except GatewayRefused as refusal:
            log.warning("platform_refund_refused", refund=str(refund.id), code=refusal.code)
            with database.write(ACTOR) as session:
                service.mark_refund_abnormal(session, refund.id, refusal.code)
            return
        with database.write(ACTOR) as session:
            service.apply_refund_status(session, status)


def _look_at_refund(
    database: Database, refund_id: Id
) -> tuple[RefundView, PaymentView, dt.datetime]:
    with database.read(ACTOR) as session:
        refund = queries.get_refund(session, refund_id)
        return refund, queries.get_payment(session, refund.payment_id), now(session)


def _order(payment: PaymentView) -> tuple[str, dt.datetime]:
    """The payment's number and end at the platform; only platform payments come this way."""
    if payment.out_trade_no is None or payment.expires_at is None:
        raise ValueError(f"payment {payment.id} has no order")
    return payment.out_trade_no, payment.expires_at

"""Bank cards: takes a terminal, speaks to the bank, stores what it said; unanswered sales are reversed.

Any worker may take any step at any time: the next one is chosen from the stored act. A sale is sent at
most once. Once it is *sending*, silence (ours or the bank's) leads to a reversal, repeated until the
bank confirms; a refund is repeated under its own trace number instead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from backend.billing import queries, rules, service
from backend.billing.handlers.platforms import ACTOR
from backend.billing.ports import (
    CardAnswer,
    CardGateway,
    GatewayError,
    GatewayRefused,
    GatewayUnknown,
    Line,
    RefundState,
    RefundStatus,
    SignOnNeeded,
    TradeState,
    TradeStatus,
)
from backend.billing.rules import PaymentState, Tender
from backend.billing.rules.cards import (
    HOLD_SECONDS,
    NEVER_ARRIVED,
    REVERSE_AGAIN_SECONDS,
    TRY_AGAIN_SECONDS,
    CardActState,
)
from backend.billing.services import card_terminals, cards
from backend.billing.views import PaymentView
from backend.contracts.billing import (
    PaymentCheckDue,
    PaymentCloseRequested,
    PaymentRequested,
    RefundCheckDue,
    RefundRequested,
)
from backend.kernel.ids import Id
from backend.kernel.outbox import RetryLater, Subscriptions
from backend.kernel.uow import Database, now

log = structlog.get_logger(__name__)


def subscribe_cards(
    subscriptions: Subscriptions,
    bank: CardGateway,
    record_trade_status: service.RecordTradeStatus = service.apply_trade_status,
) -> None:
    """Let billing take cards at ``bank``. ``record_trade_status`` is the journeys' settlement."""
    cashier = CardCashier(bank, record_trade_status)
    subscriptions.on(PaymentRequested, "card_sale", cashier.sell, external=True)
    subscriptions.on(PaymentCheckDue, "card_check", cashier.check, external=True)
    subscriptions.on(PaymentCloseRequested, "card_close", cashier.close, external=True)
    subscriptions.on(RefundRequested, "card_refund", cashier.give_back, external=True)
    subscriptions.on(RefundCheckDue, "card_refund_check", cashier.give_back, external=True)


@dataclass(frozen=True, slots=True)
class CardCashier:
    """The subscribers that carry out card payments and refunds at one bank."""

    bank: CardGateway
    record: service.RecordTradeStatus

    # --- payments ------------------------------------------------------------------------

    def sell(self, database: Database, event: PaymentRequested) -> None:
        """Ask the bank for the money; come back while no terminal is free."""
        self._go_on(database, event.payment_id, only=CardActState.CREATED)

    def check(self, database: Database, event: PaymentCheckDue) -> None:
        """Take the next step, and come back, later and later, until the payment has ended."""
        try:
            if not self._go_on(database, event.payment_id):
                return
        except RetryLater as later:
            log.info("card_step_waits", payment=str(event.payment_id), why=str(later.__cause__))
        with database.read(ACTOR) as session:
            age = now(session) - queries.get_payment(session, event.payment_id).created_at
        raise RetryLater(rules.next_close_seconds(age.total_seconds()))

    def close(self, database: Database, event: PaymentCloseRequested) -> None:
        """Give up what was not sent yet; the checks follow what was sent to its end."""
        self._go_on(database, event.payment_id, only=CardActState.CREATED)

    def _go_on(
        self, database: Database, payment_id: Id, *, only: CardActState | None = None
    ) -> bool:
        """Take the next step (of an act in state ``only``); True while the payment has not ended."""
        with database.read(ACTOR) as session:
            payment = queries.get_payment(session, payment_id)
            act, moment = cards.find_act(session, payment_id=payment_id), now(session)
        if payment.tender is not Tender.BANK_CARD or not payment.is_in_flight:
            return False
        if act is None:
            raise LookupError(f"payment {payment_id} has no card act")
        if only is not None and act.state is not only:
            return True
        is_over = payment.expires_at is not None and payment.expires_at <= moment
        if act.state is CardActState.CREATED and (is_over or payment.state is PaymentState.CLOSING):
            self._withdraw(database, payment, act.id)
        elif act.state is CardActState.CREATED:
            self._sell(database, payment, act.id)
        elif act.state is CardActState.SENDING:
            self._doubt(database, payment, act, moment)
        elif act.state is CardActState.REVERSING and act.terminal_id is not None:
            self._reverse(database, payment, act.id, act.terminal_id)
        with database.read(ACTOR) as session:
            return queries.get_payment(session, payment_id).is_in_flight

    def _withdraw(self, database: Database, payment: PaymentView, act_id: Id) -> None:
        with database.write(ACTOR) as session:
            if cards.withdraw_act(session, act_id):
                self.record(session, _ended(payment))

    def _sell(self, database: Database, payment: PaymentView, act_id: Id) -> None:
        with self._terminal(database) as (held, line):
            with database.write(ACTOR) as session:
                if not cards.begin_act(session, act_id, held, line):
                    return
                order = cards.get_order(session, act_id)
            try:
                answer = self.bank.sale(line, order)
            except GatewayRefused as refusal:
                log.warning("card_sale_not_sent", payment=str(payment.id), why=refusal.code)
                with database.write(ACTOR) as session:
                    cards.unsend_act(session, act_id)
                raise RetryLater(TRY_AGAIN_SECONDS) from refusal
            except GatewayUnknown as error:
                log.warning("card_sale_unknown", payment=str(payment.id), why=str(error))
                with database.write(ACTOR) as session:
                    cards.doubt_act(session, act_id)
                    service.mark_unknown(session, payment.id)
                    if isinstance(error, SignOnNeeded):
                        card_terminals.forget_sign_on(session, held.id)
                raise RetryLater(TRY_AGAIN_SECONDS) from error
            with database.write(ACTOR) as session:
                cards.answer_act(session, act_id, answer)
                if answer.is_approved:
                    self.record(session, _paid(payment, answer, now(session)))
                else:
                    service.mark_refused(session, payment.id, answer.response_code)

    def _doubt(
        self, database: Database, payment: PaymentView, act: cards.CardActView, moment: dt.datetime
    ) -> None:
        """Somebody is sending it now, or died over it: after a dialogue's longest time, reverse it."""
        if act.sent_at is not None and moment - act.sent_at > dt.timedelta(seconds=HOLD_SECONDS):
            with database.write(ACTOR) as session:
                cards.doubt_act(session, act.id)
                service.mark_unknown(session, payment.id)
        raise RetryLater(TRY_AGAIN_SECONDS)

    def _reverse(
        self, database: Database, payment: PaymentView, act_id: Id, terminal_id: str
    ) -> None:
        with self._terminal(database, own=terminal_id) as (held, line):
            with database.read(ACTOR) as session:
                order = cards.get_order(session, act_id)
                original = cards.get_original(session, act_id)
            try:
                answer = self.bank.reverse(line, order, original)
            except GatewayError as error:
                log.warning("card_reversal_unanswered", payment=str(payment.id), why=str(error))
                if isinstance(error, SignOnNeeded):
                    with database.write(ACTOR) as session:
                        card_terminals.forget_sign_on(session, held.id)
                raise RetryLater(REVERSE_AGAIN_SECONDS) from error
            if not answer.is_approved and answer.response_code != NEVER_ARRIVED:
                log.warning("card_reversal_refused", payment=str(payment.id),
                            code=answer.response_code)  # fmt: skip
                raise RetryLater(REVERSE_AGAIN_SECONDS)
            with database.write(ACTOR) as session:
                cards.reverse_act(session, act_id, answer)
                self.record(session, _ended(payment))

    # --- refunds -------------------------------------------------------------------------

    def give_back(self, database: Database, event: RefundRequested | RefundCheckDue) -> None:
        """Ask the bank to give money back, and come back, later and later, until it answers."""
        try:
            self._give_back(database, event)
        except RetryLater as later:
            with database.read(ACTOR) as session:
                age = now(session) - queries.get_refund(session, event.refund_id).requested_at
            raise RetryLater(rules.next_close_seconds(age.total_seconds())) from later

    def _give_back(self, database: Database, event: RefundRequested | RefundCheckDue) -> None:
        """One try, under one trace number until it is answered."""
        with database.read(ACTOR) as session:
            refund = queries.get_refund(session, event.refund_id)
            payment = queries.get_payment(session, refund.payment_id)
        if payment.tender is not Tender.BANK_CARD or refund.has_ended:
            return
        if isinstance(event, RefundRequested) and refund.state is rules.RefundState.UNKNOWN:
            return  # the checks repeat it
        with database.write(ACTOR, housekeeping=True) as session:
            act = cards.start_card_refund(session, refund.id)
        act_id, is_sent = act.id, act.state is CardActState.SENDING
        with self._terminal(database, own=act.terminal_id if is_sent else None) as (held, line):
            with database.write(ACTOR) as session:
                if queries.get_refund(session, refund.id).has_ended:
                    return
                if not cards.begin_act(session, act_id, held, line):
                    # Another worker's, on its own terminal; should it die, only we come back.
                    raise RetryLater(REVERSE_AGAIN_SECONDS)
                order = cards.get_order(session, act_id)
                original = cards.get_original(session, act_id)
                is_repeat = cards.is_repeat(session, act_id)
            try:
                answer = self.bank.refund(line, order, original, is_repeat=is_repeat)
            except GatewayError as error:
                log.warning("card_refund_unknown", refund=str(refund.id), why=str(error))
                with database.write(ACTOR) as session:
                    if isinstance(error, GatewayRefused):
                        cards.unsend_act(session, act_id)
                    else:
                        service.mark_refund_unknown(session, refund.id)
                    if isinstance(error, SignOnNeeded):
                        card_terminals.forget_sign_on(session, held.id)
                raise RetryLater(REVERSE_AGAIN_SECONDS) from error
            with database.write(ACTOR) as session:
                cards.answer_act(session, act_id, answer)
                if not answer.is_approved:
                    service.mark_refund_abnormal(session, refund.id, answer.response_code)
                    return
                service.apply_refund_status(
                    session,
                    RefundStatus(
                        refund.out_refund_no,
                        payment.out_trade_no,
                        RefundState.SUCCESS,
                        refund.amount_fen,
                        answer.rrn,
                        now(session),
                    ),
                )

    # --- settlement ----------------------------------------------------------------------

    def settle(
        self, database: Database, terminal_id: str, *, only_due: bool = False
    ) -> bool | None:
        """Close a terminal's batch; True when the bank agrees, None while something on it is still open.

        ``only_due``: None also for a batch that another worker has just closed. A batch that differs has a
        money case afterwards. RetryLater when the terminal is busy or the bank does not answer: asking
        again changes nothing.
        """
        with self._terminal(database, own=terminal_id) as (held, line):
            with database.write(ACTOR, housekeeping=True) as session:
                if card_terminals.has_open_acts(session, terminal_id):
                    return None
                if only_due and not card_terminals.list_due(session, [terminal_id]):
                    return None
                totals = card_terminals.batch_totals(session, terminal_id, line.batch)
                stan = card_terminals.next_stan(session, held.id)
            try:
                is_balanced = self.bank.settle(line, stan=stan, totals=totals)
            except GatewayError as error:
                if isinstance(error, SignOnNeeded):
                    with database.write(ACTOR) as session:
                        card_terminals.forget_sign_on(session, held.id)
                raise RetryLater(REVERSE_AGAIN_SECONDS) from error
            with database.write(ACTOR) as session:
                card_terminals.store_settlement(
                    session, held, line.batch, totals, is_balanced=is_balanced
                )
            return is_balanced

    def settle_all(self, database: Database) -> dict[str, bool | None]:
        """Close the open batch of every terminal: agrees, differs, or None: not now."""
        return self._settle_each(database, self.bank.terminal_ids, only_due=False)

    def settle_due(self, database: Database) -> dict[str, bool | None]:
        """Close the batches that hold something of a day that is over; the outcomes of ``settle_all``."""
        with database.read(ACTOR) as session:
            due = card_terminals.list_due(session, self.bank.terminal_ids)
        return self._settle_each(database, due, only_due=True)

    def _settle_each(
        self, database: Database, terminal_ids: Iterable[str], *, only_due: bool
    ) -> dict[str, bool | None]:
        outcomes: dict[str, bool | None] = {}
        for terminal_id in terminal_ids:
            try:
                outcomes[terminal_id] = self.settle(database, terminal_id, only_due=only_due)
            except RetryLater as later:
                log.info("card_batch_waits", terminal=terminal_id, why=str(later.__cause__))
                outcomes[terminal_id] = None
        return outcomes

    # --- the terminal --------------------------------------------------------------------

    @contextmanager
    def _terminal(
        self, database: Database, *, own: str | None = None
    ) -> Iterator[tuple[card_terminals.HeldTerminal, Line]]:
        """A terminal (the one of an earlier message: ``own``), ours and signed on, let go afterwards.

        RetryLater when none is free or the bank is away.
        """
        try:
            terminal_ids = self.bank.terminal_ids
        except GatewayError as error:
            raise RetryLater(TRY_AGAIN_SECONDS) from error
        with database.write(ACTOR, housekeeping=True) as session:
            held = card_terminals.hold_terminal(session, terminal_ids, own=own)
        if held is None:
            raise RetryLater(TRY_AGAIN_SECONDS)
        try:
            yield held, held.line or self._sign_on(database, held)
        finally:
            with database.write(ACTOR, housekeeping=True) as session:
                card_terminals.release_terminal(session, held.id)

    def _sign_on(self, database: Database, held: card_terminals.HeldTerminal) -> Line:
        with database.write(ACTOR, housekeeping=True) as session:
            stan, moment = card_terminals.next_stan(session, held.id), now(session)
        try:
            signed_on = self.bank.sign_on(held.terminal_id, stan=stan, at=moment)
        except GatewayError as error:
            log.warning("card_sign_on_failed", terminal=held.terminal_id, why=str(error))
            raise RetryLater(REVERSE_AGAIN_SECONDS) from error
        with database.write(ACTOR) as session:
            return card_terminals.store_sign_on(session, held.id, signed_on)


def _paid(payment: PaymentView, answer: CardAnswer, at: dt.datetime) -> TradeStatus:
    return TradeStatus(
        payment.out_trade_no or "", TradeState.SUCCESS, payment.amount_fen, answer.rrn, at
    )


def _ended(payment: PaymentView) -> TradeStatus:
    """Nothing was taken, or it was given back before it counted."""
    return TradeStatus(payment.out_trade_no or "", TradeState.CLOSED)

"""National insurance: asks what it pays, lets it pay, and undoes what was not answered.

Up to the split nothing has changed anywhere that matters, so a lost answer is simply asked for again.
The settlement is sent once, under a name stored before; without a believable answer it is reversed
(2601) until the centre confirms. Taking a settlement back goes the same way, and what the centre left
unknown there becomes a case for a person.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog
from flask_babel import gettext as _

from backend.billing import queries, rules, service
from backend.billing.handlers.platforms import ACTOR
from backend.billing.models import InsuranceClaim
from backend.billing.ports import (
    GatewayError,
    GatewayRefused,
    GatewayUnknown,
    RefundState,
    RefundStatus,
    TradeState,
    TradeStatus,
)
from backend.billing.ports.insurance import InsuranceGateway, InsuranceVisit, InsuredPerson
from backend.billing.rules import PaymentState, Tender
from backend.billing.rules.insurance import (
    ASK_AGAIN_SECONDS,
    CLAIM_LONGEST,
    SETTLING_LONGEST,
    ClaimState,
)
from backend.billing.services import insurance
from backend.billing.views import PaymentView, RefundView
from backend.contracts.billing import (
    InsuranceClaimRequested,
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

CANCEL_UNKNOWN = "INSURANCE_REVERSED"


def subscribe_insurance(
    subscriptions: Subscriptions,
    centre: InsuranceGateway,
    record_trade_status: service.RecordTradeStatus = service.apply_trade_status,
) -> None:
    """Let billing claim on the insurance. ``record_trade_status`` is the journeys' settlement."""
    clerk = InsuranceClerk(centre, record_trade_status)
    on = subscriptions.on
    on(InsuranceClaimRequested, "insurance_claim", clerk.estimate, external=True)
    on(PaymentRequested, "insurance_settle", clerk.settle, external=True)
    on(PaymentCheckDue, "insurance_check", clerk.check, external=True)
    on(PaymentCloseRequested, "insurance_close", clerk.settle, external=True)
    on(RefundRequested, "insurance_refund", clerk.give_back, external=True)
    on(RefundCheckDue, "insurance_refund_check", clerk.give_back, external=True)


@dataclass(frozen=True, slots=True)
class _Dossier:
    """What one step needs, read in one unit of work."""

    claim_id: Id
    state: ClaimState
    payment: PaymentView
    person: InsuredPerson
    visit: InsuranceVisit
    visit_id: str
    settlement_id: str
    message_id: str
    cancel_message_id: str
    sent_at: dt.datetime | None
    moment: dt.datetime


@dataclass(frozen=True, slots=True)
class InsuranceClerk:
    """The subscribers that carry out claims, settlements and their undoing at one centre."""

    centre: InsuranceGateway
    record: service.RecordTradeStatus

    # --- the claim -----------------------------------------------------------------------

    def estimate(self, database: Database, event: InsuranceClaimRequested) -> None:
        """Identify, register, upload, pre-settle; then the payment of the insured part begins."""
        with database.read(ACTOR) as session:
            claim = session.get_one(InsuranceClaim, event.claim_id)
            if claim.state is not ClaimState.CREATED:
                return
            credential = insurance.open_credential(session, claim)
            visit = insurance.get_visit(session, claim)
            is_over = now(session) - claim.created_at > CLAIM_LONGEST
        try:
            person = self.centre.identify(credential, at=visit.at)
            visit_id = self.centre.register(person, visit)
            split = self.centre.pre_settle(person, visit_id, visit)
            message_id = self.centre.new_message_id(visit.at)
        except GatewayRefused as refusal:
            self._refuse(database, event.claim_id, refusal.message)
            return
        except GatewayUnknown as error:
            log.warning("insurance_estimate_unknown", claim=str(event.claim_id), why=str(error))
            if is_over:
                self._refuse(database, event.claim_id, _("医保中心没有应答，请自费支付或稍后再试"))
                return
            raise RetryLater(ASK_AGAIN_SECONDS) from error
        with database.write(ACTOR) as session:
            insurance.estimate_claim(session, event.claim_id, person, visit_id, split, message_id)

    def _refuse(self, database: Database, claim_id: Id, words: str) -> None:
        with database.write(ACTOR) as session:
            insurance.refuse_claim(session, claim_id, words)

    # --- the payment ---------------------------------------------------------------------

    def check(self, database: Database, event: PaymentCheckDue) -> None:
        """Take the next step, and come back until the payment has ended."""
        self.settle(database, event)
        with database.read(ACTOR) as session:
            payment, moment = queries.get_payment(session, event.payment_id), now(session)
        if payment.tender is Tender.INSURANCE and payment.is_in_flight:
            raise RetryLater(_pause(moment - payment.created_at))

    def settle(
        self,
        database: Database,
        event: PaymentRequested | PaymentCheckDue | PaymentCloseRequested,
    ) -> None:
        """Let the insurance pay, or undo what it did not answer."""
        file = self._read(database, event.payment_id)
        if file is None or not file.payment.is_in_flight:
            return
        if file.state is ClaimState.ESTIMATED:
            is_over = file.payment.expires_at is not None and file.payment.expires_at <= file.moment
            if is_over or file.payment.state is PaymentState.CLOSING:
                self._withdraw(database, file)
            else:
                self._settle(database, file)
        elif file.state is ClaimState.SETTLING:
            if file.sent_at is None or file.moment - file.sent_at > SETTLING_LONGEST:
                self._doubt(database, file)
        elif file.state is ClaimState.REVERSING:
            self._reverse(database, file)

    def _settle(self, database: Database, file: _Dossier) -> None:
        with database.write(ACTOR) as session:
            if not insurance.move_claim(
                session, file.claim_id, ClaimState.ESTIMATED, ClaimState.SETTLING
            ):
                return
        try:
            split = self.centre.settle(
                file.person, file.visit_id, file.visit, message_id=file.message_id
            )
        except GatewayRefused as refusal:
            with database.write(ACTOR) as session:
                insurance.refuse_claim(session, file.claim_id, refusal.message)
                service.mark_refused(session, file.payment.id, refusal.code)
            return
        except GatewayUnknown as error:
            log.warning("insurance_settle_unknown", payment=str(file.payment.id), why=str(error))
            self._doubt(database, file)
            return
        if split.insured_fen != file.payment.amount_fen:
            log.warning("insurance_settled_otherwise", payment=str(file.payment.id))
            self._doubt(database, file)
            return
        with database.write(ACTOR) as session:
            insurance.store_settlement_id(session, file.claim_id, split.settlement_id)
            self.record(
                session,
                TradeStatus(
                    file.payment.out_trade_no or "",
                    TradeState.SUCCESS,
                    split.insured_fen,
                    split.settlement_id,
                    split.settled_at or file.moment,
                ),
            )

    def _doubt(self, database: Database, file: _Dossier) -> None:
        with database.write(ACTOR) as session:
            insurance.move_claim(session, file.claim_id, ClaimState.SETTLING, ClaimState.REVERSING)
            service.mark_unknown(session, file.payment.id)

    def _reverse(self, database: Database, file: _Dossier) -> None:
        try:
            self.centre.reverse(
                file.person, infno="2207", message_id=file.message_id, at=file.moment
            )
        except GatewayError as error:
            log.warning("insurance_reversal_failed", payment=str(file.payment.id), why=str(error))
            return
        self._end(database, file, ClaimState.REVERSING)

    def _withdraw(self, database: Database, file: _Dossier) -> None:
        """Nothing was settled; the registration is taken back where the centre lets us."""
        try:
            self.centre.unregister(file.person, file.visit_id, at=file.moment)
        except GatewayError as error:
            log.info("insurance_unregister_failed", claim=str(file.claim_id), why=str(error))
        self._end(database, file, ClaimState.ESTIMATED)

    def _end(self, database: Database, file: _Dossier, frm: ClaimState) -> None:
        with database.write(ACTOR) as session:
            if insurance.move_claim(session, file.claim_id, frm, ClaimState.REVERSED):
                self.record(
                    session, TradeStatus(file.payment.out_trade_no or "", TradeState.CLOSED)
                )

    # --- taking it back ------------------------------------------------------------------

    def give_back(self, database: Database, event: RefundRequested | RefundCheckDue) -> None:
        """Take a settlement back (2208), always whole as refunds of it are; an unknown outcome is a case."""
        with database.read(ACTOR) as session:
            refund = queries.get_refund(session, event.refund_id)
        file = self._read(database, refund.payment_id)
        if file is None or refund.has_ended:
            return
        if file.state is ClaimState.CANCELLING:
            self._reverse_cancelling(database, file, refund)
            return
        message_id = self.centre.new_message_id(file.moment)
        with database.write(ACTOR) as session:
            if not insurance.name_cancelling(session, file.claim_id, message_id):
                return
        try:
            self.centre.cancel(
                file.person,
                file.visit_id,
                file.settlement_id,
                at=file.moment,
                message_id=message_id,
            )
        except GatewayRefused as refusal:
            with database.write(ACTOR) as session:
                insurance.move_claim(
                    session, file.claim_id, ClaimState.CANCELLING, ClaimState.SETTLED
                )
                service.mark_refund_abnormal(session, refund.id, refusal.code)
            return
        except GatewayUnknown as error:
            log.warning("insurance_cancel_unknown", refund=str(refund.id), why=str(error))
            with database.write(ACTOR) as session:
                service.mark_refund_unknown(session, refund.id)
            raise RetryLater(_pause(file.moment - refund.requested_at)) from error
        with database.write(ACTOR) as session:
            if not insurance.move_claim(
                session, file.claim_id, ClaimState.CANCELLING, ClaimState.CANCELLED
            ):
                return  # reversed meanwhile: the settlement stands, and a person has the case
            service.apply_refund_status(
                session,
                RefundStatus(
                    refund.out_refund_no,
                    file.payment.out_trade_no,
                    RefundState.SUCCESS,
                    refund.amount_fen,
                    file.settlement_id,
                    now(session),
                ),
            )

    def _reverse_cancelling(self, database: Database, file: _Dossier, refund: RefundView) -> None:
        """The cancelling's answer was lost: it never was, and a person decides whether to try again.

        Not while somebody may still be waiting for it: what is about to succeed must not be undone.
        """
        if file.sent_at is not None and file.moment - file.sent_at <= SETTLING_LONGEST:
            raise RetryLater(_pause(file.moment - refund.requested_at))
        try:
            self.centre.reverse(
                file.person, infno="2208", message_id=file.cancel_message_id, at=file.moment
            )
        except GatewayError as error:
            raise RetryLater(_pause(file.moment - refund.requested_at)) from error
        with database.write(ACTOR) as session:
            if insurance.move_claim(
                session, file.claim_id, ClaimState.CANCELLING, ClaimState.SETTLED
            ):
                service.mark_refund_abnormal(session, refund.id, CANCEL_UNKNOWN)

    def _read(self, database: Database, payment_id: Id) -> _Dossier | None:
        with database.read(ACTOR) as session:
            payment = queries.get_payment(session, payment_id)
            claim = insurance.find_claim(session, payment_id)
            if payment.tender is not Tender.INSURANCE or claim is None:
                return None
            return _Dossier(
                claim_id=claim.id,
                state=claim.state,
                payment=payment,
                person=insurance.open_person(session, claim),
                visit=insurance.get_visit(session, claim),
                visit_id=claim.visit_id,
                settlement_id=claim.settlement_id,
                message_id=claim.message_id,
                cancel_message_id=claim.cancel_message_id,
                sent_at=claim.sent_at,
                moment=now(session),
            )


def _pause(age: dt.timedelta) -> int:
    """Seconds until a payment or a refund of this age is tried again: a centre away for long is asked rarely."""
    return rules.next_close_seconds(age.total_seconds())

"""Electronic bills: follows what was paid and refunded, and brings the platform there, outside transactions.

A bill is sent under our own number; after silence the platform is asked for that number before anything is
sent again. Writing off may be repeated: the platform answers the red bill that is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from backend.billing.handlers.platforms import ACTOR
from backend.billing.models import ElectronicInvoice
from backend.billing.ports import GatewayRefused, GatewayUnknown
from backend.billing.ports.einvoice import EInvoiceGateway
from backend.billing.rules.einvoice import EInvoiceState, try_again_seconds
from backend.billing.services import einvoice
from backend.contracts.billing import ElectronicInvoiceDue, InvoicePaid, RefundSucceeded
from backend.kernel.outbox import RetryLater, Subscriptions
from backend.kernel.uow import Database

log = structlog.get_logger(__name__)

RED_REASON = "退费"


def subscribe_einvoices(subscriptions: Subscriptions, platform: EInvoiceGateway) -> None:
    """Let billing issue and write off electronic bills at ``platform``."""
    clerk = EInvoiceClerk(platform)
    subscriptions.on(InvoicePaid, "einvoice_paid", follow_payment)
    subscriptions.on(RefundSucceeded, "einvoice_refund", follow_refund)
    subscriptions.on(ElectronicInvoiceDue, "einvoice_due", clerk.bring, external=True)


def follow_payment(session: Session, event: InvoicePaid) -> None:
    """A bill is paid: it gets its electronic bill."""
    einvoice.bring_up_to_date(session, event.invoice_id)


def follow_refund(session: Session, event: RefundSucceeded) -> None:
    """Money went back: the electronic bill no longer says what was paid."""
    einvoice.bring_up_to_date(session, event.invoice_id)


@dataclass(frozen=True, slots=True)
class EInvoiceClerk:
    """The subscriber that talks to the platform."""

    platform: EInvoiceGateway

    def bring(self, database: Database, event: ElectronicInvoiceDue) -> None:
        """Issue a bill or write it off, and come back until the platform has said so."""
        with database.read(ACTOR) as session:
            row = session.get_one(ElectronicInvoice, event.einvoice_id)
            state, attempts, amount_fen = row.state, row.attempts, row.amount_fen
            order = einvoice.get_order(session, row)
            issued, number = einvoice.issued_of(row), row.id.hex
        try:
            if state in (EInvoiceState.CREATED, EInvoiceState.UNKNOWN):
                with database.write(ACTOR) as session:
                    before = einvoice.begin_issue(session, event.einvoice_id)
                if before not in (EInvoiceState.CREATED, EInvoiceState.UNKNOWN):
                    return  # gone before anything was sent
                bill = self.platform.find(number) if before is EInvoiceState.UNKNOWN else None
                if bill is None and order.total_fen != amount_fen:
                    # Never issued, and by now it would say more than was paid.
                    with database.write(ACTOR) as session:
                        einvoice.drop(session, event.einvoice_id)
                    return
                bill = bill or self.platform.issue(order)
                with database.write(ACTOR) as session:
                    einvoice.store_issued(session, event.einvoice_id, bill)
            elif state is EInvoiceState.RED_PENDING:
                with database.write(ACTOR) as session:
                    einvoice.begin_write_off(session, event.einvoice_id)
                red = self.platform.write_off(issued, number=number, reason=RED_REASON)
                with database.write(ACTOR) as session:
                    einvoice.store_red(session, event.einvoice_id, red)
        except GatewayUnknown as error:
            log.warning("einvoice_unknown", einvoice=str(event.einvoice_id), why=str(error))
            raise RetryLater(try_again_seconds(attempts + 1)) from error
        except GatewayRefused as refusal:
            log.warning("einvoice_refused", einvoice=str(event.einvoice_id), code=refusal.code)
            if state is EInvoiceState.RED_PENDING:
                raise RetryLater(try_again_seconds(attempts + 4)) from refusal
            with database.write(ACTOR) as session:
                einvoice.store_failed(session, event.einvoice_id, refusal.message)

"""Paying a bill by QR code: begin, watch, ask to close."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.errors import InvoiceUnknown, PaymentUnknown
from backend.devices import schemas
from backend.devices.api import desk
from backend.devices.api.desk import Json
from backend.journeys import settlement
from backend.kernel.ids import Id
from backend.kernel.web import read_uow, write_uow
from backend.kernel.web.bodies import read_json


@desk.blueprint.post("/payments")
@desk.uses
def start_payment() -> tuple[Json, int]:
    """Begin a QR payment; its code follows by GET."""
    body = read_json(schemas.PaymentBody)
    with write_uow() as session:
        patient_id = desk.acting_patient(session)
        if bills.get_invoice(session, body.invoice_id).patient_id != patient_id:
            raise InvoiceUnknown
        payment = billing.start_qr_payment(
            session,
            invoice_id=body.invoice_id,
            amount_fen=body.amount_fen,
            key=desk.command_key(),
        )
        session.flush()
        outcome = settlement.payment_outcome(session, payment.id)
    return schemas.payment_json(outcome), 202


@desk.blueprint.get("/payments/<uuid:payment_id>")
@desk.uses
def get_payment(payment_id: Id) -> Json:
    """How a payment stands."""
    patient_id = desk.present_patient()
    with read_uow() as session:
        return schemas.payment_json(_own_payment(session, payment_id, patient_id))


@desk.blueprint.post("/payments/<uuid:payment_id>/cancel")
@desk.uses
def cancel_payment(payment_id: Id) -> tuple[Json, int]:
    """Ask for a payment to be closed; the payer may be quicker."""
    with write_uow() as session:
        _own_payment(session, payment_id, desk.acting_patient(session))
        billing.cancel_payment(session, payment_id)
        session.flush()
        return schemas.payment_json(settlement.payment_outcome(session, payment_id)), 202


def _own_payment(session: Session, payment_id: Id, patient_id: Id) -> settlement.PaymentOutcome:
    outcome = settlement.payment_outcome(session, payment_id)
    if outcome.payment.patient_id != patient_id:
        raise PaymentUnknown
    return outcome

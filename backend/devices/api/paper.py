"""Tickets and receipts on paper: the intent with its document, and what became of it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.devices import schemas, service
from backend.devices.api import desk
from backend.devices.api.desk import Json
from backend.devices.errors import NothingToPrint, PrintUnknown
from backend.devices.rules import PrintKind, PrintState
from backend.journeys import documents, receipts
from backend.kernel import idempotency
from backend.kernel.ids import Id, parse_id
from backend.kernel.web import write_uow
from backend.kernel.web.bodies import read_json
from backend.organization import queries as organization
from backend.patients import queries as patients
from backend.queueing import queries as queues


@desk.blueprint.post("/prints")
@desk.uses
def order_print() -> tuple[Json, int]:
    """Store the intent to print and give the document."""
    body = read_json(schemas.PrintBody)
    with write_uow() as session:
        patient_id = desk.acting_patient(session)
        kind = PrintKind(body.kind)

        def act() -> Json:
            elements = _document(session, body, patient_id)
            job = service.request_print(
                session,
                kiosk_id=desk.kiosk_id(),
                patient_id=patient_id,
                kind=kind,
                ticket_id=body.ticket_id if kind is PrintKind.TICKET else None,
                invoice_id=body.invoice_id if kind is PrintKind.RECEIPT else None,
                is_reprint=body.reprint,
            )
            return {
                "print_id": str(job.id),
                "job_no": job.job_no,
                "document": {"elements": elements},
            }

        answer = idempotency.once(
            session,
            "kiosk.print",
            desk.command_key(),
            {"patient": patient_id, **body.model_dump(mode="json")},
            act,
        )
    return answer, 201


def _document(session: Session, body: schemas.PrintBody, patient_id: Id) -> list[Json]:
    hospital = organization.get_hospital(session, desk.hospital_id())
    if body.kind == "ticket" and body.ticket_id is not None:
        ticket = queues.get_ticket(session, body.ticket_id)
        if ticket.patient_id != patient_id:
            raise NothingToPrint
        places = organization.location_path_names(session, hospital_id=desk.hospital_id())
        return documents.ticket_document(
            ticket,
            hospital_name=hospital.name,
            place=places.get(ticket.hall_location_id, ticket.hall_name),
            url=desk.ticket_url(ticket),
            reprint=body.reprint,
            at=ticket.arrived_at,
        )
    if body.kind == "receipt" and body.invoice_id is not None:
        invoice = bills.get_invoice(session, body.invoice_id)
        payments = bills.list_settling_payments(session, invoice.id)
        if invoice.patient_id != patient_id or not payments or invoice.due_fen:
            raise NothingToPrint
        return receipts.receipt_of(
            session,
            invoice,
            payments,
            hospital_name=hospital.name,
            name_masked=patients.get_patient(session, patient_id).name_masked,
            reprint=body.reprint,
        )
    raise NothingToPrint


@desk.blueprint.post("/prints/<print_id>/result")
@desk.uses
def print_result(print_id: str) -> Json:
    """What became of a print; without a patient session, because the journal may report it much later."""
    body = read_json(schemas.PrintResultBody)
    known = parse_id(print_id)
    if known is None:
        raise PrintUnknown
    with write_uow() as session:
        job = service.report_print(
            session,
            kiosk_id=desk.kiosk_id(),
            print_id=known,
            outcome=PrintState(body.outcome),
            code=body.code,
        )
        return {"print_id": str(job.id), "state": job.state.value, "at": _iso(job.ended_at)}


def _iso(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None

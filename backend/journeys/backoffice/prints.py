"""Paper from the browser: the same ticket and receipt that kiosks print, 80 mm wide."""

from __future__ import annotations

from flask import Response

from backend.billing import queries as bills
from backend.billing.rules import InvoiceState
from backend.journeys import desk, documents, receipts
from backend.journeys.backoffice import common
from backend.journeys.backoffice.common import blueprint
from backend.journeys.errors import NothingPaid
from backend.kernel import links
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission
from backend.kernel.web import own_hospital_id, qr_picture, render, requires, write_uow, xinglin
from backend.organization import queries as organization
from backend.patients import service as patient_service


@blueprint.get("/patients/<uuid:patient_id>/tickets/<uuid:ticket_id>/print")
@requires(Permission.QUEUEING_TICKET_READ)
def print_ticket(patient_id: Id, ticket_id: Id) -> Response:
    """The queue ticket as a page to print. Reading it is audited."""
    parts = xinglin()
    with write_uow() as session:
        common.require_patient(session, patient_id)
        ticket = desk.get_ticket(session, ticket_id, patient_id=patient_id)
        patient_service.note_reading(session, patient_id=patient_id, what="ticket")
        places = organization.location_path_names(session, hospital_id=own_hospital_id())
        elements = documents.ticket_document(
            ticket,
            hospital_name=organization.get_hospital(session, own_hospital_id()).name,
            place=places.get(ticket.hall_location_id, ticket.hall_name),
            url=links.ticket_url(
                parts.settings.external_url,
                parts.secrets.secret_key,
                ticket.id,
                ticket.business_date,
            ),
            reprint=ticket.printed_at is not None,
            at=ticket.arrived_at,
        )
    return _page(elements, patient_id)


@blueprint.get("/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/print")
@requires(Permission.BILLING_INVOICE_READ)
def print_receipt(patient_id: Id, invoice_id: Id) -> Response:
    """The receipt of a paid bill as a page to print. Reading it is audited."""
    with write_uow() as session:
        person = common.require_patient(session, patient_id)
        invoice = desk.get_bill(session, invoice_id, patient_id=patient_id)
        payments = bills.list_settling_payments(session, invoice_id)
        if invoice.state not in (InvoiceState.PAID, InvoiceState.PART_REFUNDED):
            raise NothingPaid
        patient_service.note_reading(session, patient_id=patient_id, what="invoice")
        elements = receipts.receipt_of(
            session,
            invoice,
            payments,
            hospital_name=organization.get_hospital(session, own_hospital_id()).name,
            name_masked=person.name_masked,
            reprint=False,
        )
    return _page(elements, patient_id)


def _page(elements: list[documents.Element], patient_id: Id) -> Response:
    return render("journeys/print.html", elements=elements, patient_id=patient_id, qr_of=qr_picture)

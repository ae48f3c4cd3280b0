"""The kiosk API, `/api/kiosk/v1`: JSON, a bearer credential a kiosk, a short session a patient.

Every patient-owned thing is looked up as the session's patient's; another's is a 404.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, Request, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.errors import InvoiceUnknown, PaymentUnknown
from backend.devices import documents, schemas, service
from backend.devices.errors import CodeNotUnderstood, CredentialRefused, NothingToPrint
from backend.devices.rules import PrintKind, PrintState
from backend.journeys import booking, check_in, settlement
from backend.journeys.registration import IdCardFacts, register_from_id_card
from backend.kernel import idempotency, links
from backend.kernel.ids import Id, parse_id
from backend.kernel.permissions import Actor, Permission
from backend.kernel.uow import Database, now, today
from backend.kernel.web import (
    current_actor,
    idempotency_key,
    public,
    read_uow,
    requires,
    write_uow,
    xinglin,
)
from backend.kernel.web.bodies import parse, read_json
from backend.organization import queries as organization
from backend.patients import queries as patients
from backend.patients import service as patient_service
from backend.patients.queries import IdentifierSystem, PatientView
from backend.queueing import queries as queues
from backend.queueing.rules import TicketState
from backend.queueing.views import TicketView
from backend.scheduling import queries as appointments
from backend.scheduling.errors import AppointmentNotFound
from backend.scheduling.rules import AppointmentState
from backend.scheduling.views import AppointmentView

blueprint = Blueprint("kiosk_api", __name__, url_prefix="/api/kiosk/v1")
uses = requires(Permission.DEVICES_KIOSK_USE)
CHANNEL = "kiosk"
Json = dict[str, Any]
ENDED_TICKETS = (TicketState.DONE, TicketState.LEFT, TicketState.TRANSFERRED)


def load_device_actor(database: Database, given: Request) -> Actor | None:
    """The kiosk of the bearer credential; None without one; CredentialRefused (401) for a wrong one."""
    scheme, _space, credential = given.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential:
        return None
    with database.read() as session:
        return service.actor_of_credential(session, credential)


def _kiosk_id() -> Id:
    kiosk_id = current_actor().id
    if kiosk_id is None:
        raise CredentialRefused
    return kiosk_id


def _hospital_id() -> Id:
    hospital_id = current_actor().hospital_id
    if hospital_id is None:
        raise CredentialRefused
    return hospital_id


def _patient_id(session: Session) -> Id:
    token = request.headers.get("X-Patient-Session", "")
    return service.patient_of_session(session, kiosk_id=_kiosk_id(), token=token)


def _acting_patient(session: Session) -> Id:
    """Whose session it is, in a write: the session slides."""
    patient_id = _patient_id(session)
    token = request.headers.get("X-Patient-Session", "")
    service.slide_session(session, kiosk_id=_kiosk_id(), token=token)
    return patient_id


# --- the kiosk itself --------------------------------------------------------------------------


@blueprint.post("/enrol")
@public("a one-time code of 40 bits, valid for a day, is the credential")
def enrol() -> tuple[Json, int]:
    """Trade a one-time code for a credential."""
    body = read_json(schemas.EnrolBody)
    with write_uow() as session:
        enrolled = service.enrol(session, body.code)
        names = _names(session, enrolled.hospital_id, enrolled.location_id)
    return {
        "kiosk_id": str(enrolled.kiosk_id),
        "name": enrolled.name,
        "credential": enrolled.credential,
        **names,
    }, 201


@blueprint.post("/heartbeat")
@uses
def heartbeat() -> Json:
    """The kiosk lives; it learns the time and its names."""
    body = read_json(schemas.HeartbeatBody)
    with write_uow(housekeeping=True) as session:
        service.beat(
            session,
            kiosk_id=_kiosk_id(),
            version=body.version,
            clock=body.clock,
            devices=body.devices,
            open_journal=body.journal.get("open", 0),
        )
        moment = now(session)
    return {"server_time": moment.isoformat(), "accepting": True}


def _names(session: Session, hospital_id: Id, location_id: Id) -> Json:
    places = organization.location_path_names(session, hospital_id=hospital_id)
    return {
        "hospital_name": organization.get_hospital(session, hospital_id).name,
        "location_name": places.get(location_id, ""),
    }


# --- who stands before it ----------------------------------------------------------------------


@blueprint.post("/identify")
@uses
def identify() -> tuple[Json, int]:
    """A card or code says who stands here; a new ID card makes a record."""
    data = request.get_json(silent=True)
    identity = parse(schemas.IdentifyBody, {"identity": data}).identity
    with write_uow() as session:
        person, created = _identified(session, identity)
        token, ends_at = service.begin_session(session, kiosk_id=_kiosk_id(), patient_id=person.id)
        session.flush()
        home = _home(session, person.id)
    return {
        "session": token,
        "expires_at": ends_at.isoformat(),
        "created": created,
        "patient": {
            "name": person.name,
            "name_masked": person.name_masked,
            "sex": schemas.sex_word(person.sex),
            "age": person.age,
            "phone_masked": person.phone_masked,
            "card_masked": person.card_masked,
        },
        "home": home,
    }, 200


def _identified(session: Session, identity: object) -> tuple[PatientView, bool]:
    hospital_id = _hospital_id()
    if isinstance(identity, schemas.IdCardIdentity):
        card = identity.card
        facts = IdCardFacts(
            name=card.name,
            sex=card.sex,
            ethnic_group=card.ethnic_group,
            birth_date=card.birth_date,
            address=card.address,
            number=card.number,
            valid_from=card.valid_from,
            valid_until=card.valid_until,
        )
        return register_from_id_card(session, hospital_id=hospital_id, card=facts)
    if isinstance(identity, schemas.HospitalCardIdentity):
        person = patients.find_by_identifier(
            session,
            hospital_id=hospital_id,
            system=IdentifierSystem.HOSPITAL_CARD,
            value=identity.number,
        )
    else:
        person = _by_code(session, hospital_id, getattr(identity, "text", ""))
    patient_service.note_reading(session, patient_id=person.id, what="patient")
    return person, False


def _by_code(session: Session, hospital_id: Id, text: str) -> PatientView:
    """Our own ticket's QR identifies its patient while its day lasts; so does an electronic health card."""
    _base, mark, token = text.rpartition("/t/")
    if mark:
        read = links.read_ticket_token(xinglin().secrets.secret_key, token)
        if read is None or read[1] != today(session):
            raise CodeNotUnderstood
        ticket = queues.get_ticket(session, read[0])
        return patients.get_patient(session, ticket.patient_id, hospital_id=hospital_id)
    return patients.find_by_identifier(
        session, hospital_id=hospital_id, system=IdentifierSystem.E_HEALTH_CARD, value=text
    )


@blueprint.get("/home")
@uses
def home() -> Json:
    """What this person can do now."""
    with write_uow(housekeeping=True) as session:
        return _home(session, _acting_patient(session))


@blueprint.post("/session/end")
@uses
def end_session() -> tuple[str, int]:
    """The screen was wiped."""
    token = request.headers.get("X-Patient-Session", "")
    with write_uow(housekeeping=True) as session:
        service.end_session(session, kiosk_id=_kiosk_id(), token=token)
    return "", 204


def _home(session: Session, patient_id: Id) -> Json:
    due = [i for i in bills.list_open_invoices(session, patient_id) if not i.is_ending]
    visits = appointments.list_appointments(session, patient_id=patient_id, day=today(session))
    shown = (AppointmentState.BOOKED, AppointmentState.CHECKED_IN)
    tickets = queues.list_tickets_of_patient(session, patient_id)
    return {
        "due": [schemas.invoice_json(invoice) for invoice in due],
        "appointments": [schemas.appointment_json(v) for v in visits if v.state in shown],
        "tickets": [_ticket_json(t) for t in tickets if t.state not in ENDED_TICKETS],
    }


def _ticket_json(ticket: TicketView) -> Json:
    return schemas.ticket_json(ticket, _ticket_url(ticket))


def _ticket_url(ticket: TicketView) -> str:
    parts = xinglin()
    return links.ticket_url(
        parts.settings.external_url, parts.secrets.secret_key, ticket.id, ticket.business_date
    )


# --- booking -----------------------------------------------------------------------------------


@blueprint.get("/departments")
@uses
def departments() -> list[Json]:
    """Departments one can book in today, with what is free."""
    with read_uow() as session:
        _patient_id(session)
        found = appointments.list_bookable_departments(
            session, hospital_id=_hospital_id(), day=today(session)
        )
        places = organization.location_path_names(session, hospital_id=_hospital_id())
        rows = organization.departments_by_id(session, [view.department_id for view in found])
        return [
            {
                "department_id": str(view.department_id),
                "name": view.name,
                "floor": places.get(rows[view.department_id].location_id or view.department_id, ""),
                "free_count": view.free_count,
                "doctors_count": view.practitioner_count,
            }
            for view in found
        ]


@blueprint.get("/departments/<uuid:department_id>/schedules")
@uses
def schedules(department_id: Id) -> list[Json]:
    """Today's sessions of a department."""
    with read_uow() as session:
        _patient_id(session)
        found = appointments.list_bookable(
            session,
            hospital_id=_hospital_id(),
            day=today(session),
            department_id=department_id,
        )
        return [schemas.schedule_json(view) for view in found]


@blueprint.post("/appointments")
@uses
def book() -> tuple[Json, int]:
    """Hold the next place of a session, with its bill."""
    body = read_json(schemas.AppointmentBody)
    with write_uow() as session:
        patient_id = _acting_patient(session)

        def act() -> Json:
            visit = booking.book_visit(
                session, patient_id=patient_id, schedule_id=body.schedule_id, channel=CHANNEL
            )
            return {
                **schemas.appointment_json(visit.appointment),
                "hold_until": visit.appointment.hold_until.isoformat(),
                "invoice": schemas.invoice_json(visit.invoice),
            }

        answer = idempotency.once(
            session,
            f"kiosk.book:{_kiosk_id()}",
            idempotency_key(),
            {"patient": patient_id, "schedule": body.schedule_id},
            act,
        )
    return answer, 201


@blueprint.post("/appointments/<uuid:appointment_id>/cancel")
@uses
def give_up(appointment_id: Id) -> tuple[str, int]:
    """Give an unpaid place back."""
    with write_uow() as session:
        _own_visit(session, appointment_id, _acting_patient(session))
        booking.give_up_hold(session, appointment_id=appointment_id)
    return "", 204


def _own_visit(session: Session, appointment_id: Id, patient_id: Id) -> AppointmentView:
    visit = appointments.get_appointment(session, appointment_id)
    if visit.patient_id != patient_id:
        raise AppointmentNotFound
    return visit


# --- paying ------------------------------------------------------------------------------------


@blueprint.post("/payments")
@uses
def start_payment() -> tuple[Json, int]:
    """Begin a QR payment; its code follows by GET."""
    body = read_json(schemas.PaymentBody)
    with write_uow() as session:
        patient_id = _acting_patient(session)
        if bills.get_invoice(session, body.invoice_id).patient_id != patient_id:
            raise InvoiceUnknown
        payment = billing.start_qr_payment(
            session,
            invoice_id=body.invoice_id,
            amount_fen=body.amount_fen,
            key=f"{_kiosk_id()}:{idempotency_key()}" if idempotency_key() else None,
        )
        session.flush()
        outcome = settlement.payment_outcome(session, payment.id)
    return schemas.payment_json(outcome), 202


@blueprint.get("/payments/<uuid:payment_id>")
@uses
def get_payment(payment_id: Id) -> Json:
    """How a payment stands."""
    with write_uow(housekeeping=True) as session:
        return schemas.payment_json(_own_payment(session, payment_id, _acting_patient(session)))


@blueprint.post("/payments/<uuid:payment_id>/cancel")
@uses
def cancel_payment(payment_id: Id) -> tuple[Json, int]:
    """Ask for a payment to be closed; the payer may be quicker."""
    with write_uow() as session:
        _own_payment(session, payment_id, _acting_patient(session))
        billing.cancel_payment(session, payment_id)
        session.flush()
        return schemas.payment_json(settlement.payment_outcome(session, payment_id)), 202


def _own_payment(session: Session, payment_id: Id, patient_id: Id) -> settlement.PaymentOutcome:
    outcome = settlement.payment_outcome(session, payment_id)
    if outcome.payment.patient_id != patient_id:
        raise PaymentUnknown
    return outcome


# --- checking in and printing ------------------------------------------------------------------


@blueprint.post("/check-ins")
@uses
def check_in_here() -> tuple[Json, int]:
    """Turn a paid appointment into a ticket; the same one however often it is asked for."""
    body = read_json(schemas.CheckInBody)
    with write_uow() as session:
        ticket = check_in.check_in_patient(
            session, patient_id=_acting_patient(session), appointment_id=body.appointment_id
        )
    return {"ticket": _ticket_json(ticket)}, 201


@blueprint.post("/prints")
@uses
def order_print() -> tuple[Json, int]:
    """Store the intent to print and give the document."""
    body = read_json(schemas.PrintBody)
    with write_uow() as session:
        patient_id = _acting_patient(session)
        kind = PrintKind(body.kind)

        def act() -> Json:
            elements = _document(session, body, patient_id)
            job = service.request_print(
                session,
                kiosk_id=_kiosk_id(),
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
            f"kiosk.print:{_kiosk_id()}",
            idempotency_key(),
            {"patient": patient_id, **body.model_dump(mode="json")},
            act,
        )
    return answer, 201


def _document(session: Session, body: schemas.PrintBody, patient_id: Id) -> list[Json]:
    hospital = organization.get_hospital(session, _hospital_id())
    if body.kind == "ticket" and body.ticket_id is not None:
        ticket = queues.get_ticket(session, body.ticket_id)
        if ticket.patient_id != patient_id:
            raise NothingToPrint
        places = organization.location_path_names(session, hospital_id=_hospital_id())
        return documents.ticket_document(
            ticket,
            hospital_name=hospital.name,
            place=places.get(ticket.hall_location_id, ticket.hall_name),
            url=_ticket_url(ticket),
            reprint=body.reprint,
            at=ticket.arrived_at,
        )
    if body.kind == "receipt" and body.invoice_id is not None:
        invoice = bills.get_invoice(session, body.invoice_id)
        payment = bills.find_settling_payment(session, invoice.id)
        if invoice.patient_id != patient_id or payment is None:
            raise NothingToPrint
        return documents.receipt_document(
            invoice,
            payment,
            hospital_name=hospital.name,
            name_masked=patients.get_patient(session, patient_id).name_masked,
            reprint=body.reprint,
        )
    raise NothingToPrint


@blueprint.post("/prints/<print_id>/result")
@uses
def print_result(print_id: str) -> Json:
    """What became of a print; without a patient session, because the journal may report it much later."""
    body = read_json(schemas.PrintResultBody)
    known = parse_id(print_id)
    if known is None:
        raise NothingToPrint(_("没有这次打印"))
    with write_uow() as session:
        job = service.report_print(
            session,
            kiosk_id=_kiosk_id(),
            print_id=known,
            outcome=PrintState(body.outcome),
            code=body.code,
        )
        return {"print_id": str(job.id), "state": job.state.value, "at": _iso(job.ended_at)}


def _iso(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None

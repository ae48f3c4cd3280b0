"""Who stands before the kiosk, and what they can do now."""

from __future__ import annotations

from flask import request
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.devices import schemas, service
from backend.devices.api import desk
from backend.devices.api.desk import Json
from backend.devices.errors import CodeNotUnderstood
from backend.journeys.registration import IdCardFacts, register_from_id_card
from backend.kernel import links
from backend.kernel.ids import Id
from backend.kernel.uow import today
from backend.kernel.web import read_uow, write_uow, xinglin
from backend.kernel.web.bodies import parse
from backend.patients import queries as patients
from backend.patients import service as patient_service
from backend.patients.queries import IdentifierSystem, PatientView
from backend.queueing import queries as queues
from backend.queueing.rules import TicketState
from backend.scheduling import queries as appointments
from backend.scheduling.rules import AppointmentState

ENDED_TICKETS = (TicketState.DONE, TicketState.LEFT, TicketState.TRANSFERRED)


@desk.blueprint.post("/identify")
@desk.uses
def identify() -> tuple[Json, int]:
    """A card or code says who stands here; a new ID card makes a record."""
    data = request.get_json(silent=True)
    identity = parse(schemas.IdentifyBody, {"identity": data}).identity
    with write_uow() as session:
        person, created = _identified(session, identity)
        token, ends_at = service.begin_session(
            session, kiosk_id=desk.kiosk_id(), patient_id=person.id
        )
        session.flush()
        home = _home(session, person.id)
    return {
        "session": token,
        "expires_at": ends_at.isoformat(),
        "created": created,
        "patient": {
            # Paper can be found: only a card in hand earns the whole name.
            "name": person.name_masked if identity.kind == "code" else person.name,
            "name_masked": person.name_masked,
            "sex": schemas.sex_word(person.sex),
            "age": person.age,
            "phone_masked": person.phone_masked,
            "card_masked": person.card_masked,
        },
        "home": home,
    }, 200


def _identified(session: Session, identity: object) -> tuple[PatientView, bool]:
    hospital_id = desk.hospital_id()
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


@desk.blueprint.get("/home")
@desk.uses
def home() -> Json:
    """What this person can do now."""
    patient_id = desk.present_patient()
    with read_uow() as session:
        return _home(session, patient_id)


@desk.blueprint.post("/session/end")
@desk.uses
def end_session() -> tuple[str, int]:
    """The screen was wiped."""
    with write_uow(housekeeping=True) as session:
        desk.end_session(session)
    return "", 204


def _home(session: Session, patient_id: Id) -> Json:
    due = [i for i in bills.list_open_invoices(session, patient_id) if not i.is_ending]
    visits = appointments.list_appointments(session, patient_id=patient_id, day=today(session))
    shown = (AppointmentState.BOOKED, AppointmentState.CHECKED_IN)
    tickets = queues.list_tickets_of_patient(session, patient_id)
    return {
        "due": [schemas.invoice_json(invoice) for invoice in due],
        "appointments": [schemas.appointment_json(v) for v in visits if v.state in shown],
        "tickets": [desk.ticket_json(t) for t in tickets if t.state not in ENDED_TICKETS],
    }

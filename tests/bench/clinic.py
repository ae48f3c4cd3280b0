"""A Monday morning in the large hospital: staff logged in, a kiosk enrolled, people waiting and called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask.testing import FlaskClient

from backend.bootstrap import Program
from backend.demo import loader, people
from backend.demo.dataset import DEMO_PASSWORD
from backend.devices import queries as devices
from backend.devices import service as device_service
from backend.journeys import booking, check_in, settlement
from backend.kernel import links
from backend.kernel.clock import HalfDay, business_date
from backend.kernel.ids import Id
from backend.kernel.permissions import system_actor
from backend.organization import queries as organization
from backend.patients import queries as patients
from backend.patients.queries import IdentifierSystem
from backend.queueing import queries as queues
from backend.queueing import service as queueing
from backend.scheduling import queries as appointments

WAITING = 12
ACTOR = system_actor("bench")
#: A doctor who sits on Monday mornings, and the account.
DOCTOR = "doctor.thoracic"
DOCTOR_NAME = "莫一凡"
DEPARTMENT = "胸外科"


@dataclass(frozen=True)
class Addresses:
    """Who asks, and for what."""

    anyone: FlaskClient
    registrar: FlaskClient
    doctor: FlaskClient
    scheduler: FlaskClient
    auditor: FlaskClient
    kiosk_bearer: str
    kiosk_session: str
    name: str
    patient_id: Id
    department_id: Id
    screen_key: str
    ticket_token: str


def open_clinic(program: Program, new_client: Callable[[], FlaskClient]) -> Addresses:
    """Fill the doctor's morning through the services, log everybody in; what to ask for."""
    database, secret = program.database, program.secrets.secret_key
    day = business_date(database.clock.now())
    persons = people.patients(day)[:WAITING]
    with database.read(ACTOR) as session:
        hospital_id = loader.find_hospital_id(session)
        if hospital_id is None:
            raise LookupError("the demo hospital is not loaded")
        department_id = next(
            d.id
            for d in organization.list_departments(session, hospital_id=hospital_id)
            if d.name == DEPARTMENT
        )
        bookable = appointments.list_bookable(
            session, hospital_id=hospital_id, day=day, department_id=department_id
        )
        schedule = next(
            s for s in bookable if s.half_day is HalfDay.AM and s.practitioner_name == DOCTOR_NAME
        )
        queue = queues.queue_of_department(session, department_id)
        room = queues.list_rooms(session, queue.id)[0]
        kiosk = devices.list_kiosks(session, hospital_id)[0]
        crowd = [
            patients.find_by_identifier(
                session,
                hospital_id=hospital_id,
                system=IdentifierSystem.HOSPITAL_CARD,
                value=person.card_number,
            ).id
            for person in persons
        ]
    tickets = [_arrive(program, patient_id, schedule.schedule_id) for patient_id in crowd]
    doctor = _log_in(new_client(), DOCTOR)
    if schedule.practitioner_id is None:
        raise LookupError(f"{DOCTOR_NAME} is no practitioner")
    with database.write(ACTOR) as session:
        called = queueing.call_next(
            session,
            queue_id=queue.id,
            room_id=room.id,
            practitioner_id=schedule.practitioner_id,
        )
        code = device_service.issue_code(session, kiosk.id)
    if called is None:
        raise LookupError("nobody waits for the doctor")
    begun = doctor.post(f"/backoffice/workstation/tickets/{called.id}/start")
    if begun.status_code >= 400:
        raise LookupError(f"the visit cannot begin: {begun.status_code}")
    anyone = new_client()
    bearer, token = _identify(anyone, code, persons[-1].card_number)
    return Addresses(
        anyone=anyone,
        registrar=_log_in(new_client(), "registrar"),
        doctor=doctor,
        scheduler=_log_in(new_client(), "scheduler"),
        auditor=_log_in(new_client(), "auditor"),
        kiosk_bearer=bearer,
        kiosk_session=token,
        name=persons[-1].name[:1],
        patient_id=crowd[-1],
        department_id=department_id,
        screen_key=links.screen_key(secret, queue.hall_location_id),
        ticket_token=links.ticket_token(secret, tickets[-1], day),
    )


def _arrive(program: Program, patient_id: Id, schedule_id: Id) -> Id:
    """Book, pay and check in one patient; the ticket."""
    with program.database.write(ACTOR) as session:
        visit = booking.book_visit(
            session, patient_id=patient_id, schedule_id=schedule_id, channel="counter"
        )
        if visit.invoice.due_fen:
            settlement.pay_cash(
                session, invoice_id=visit.invoice.id, received_fen=visit.invoice.due_fen
            )
            settlement.confirm_paid_visits(session, visit.invoice.id)
        appointment_id = visit.appointment.id
    with program.database.write(ACTOR) as session:
        return check_in.check_in_patient(
            session, patient_id=patient_id, appointment_id=appointment_id
        ).id


def _identify(client: FlaskClient, code: str, card_number: str) -> tuple[str, str]:
    """Enrol a kiosk and put a hospital card on it; bearer and patient session."""
    enrolled = client.post("/api/kiosk/v1/enrol", json={"code": code})
    bearer = f"Bearer {enrolled.get_json()['credential']}"
    known = client.post(
        "/api/kiosk/v1/identify",
        json={"kind": "hospital_card", "number": card_number},
        headers={"Authorization": bearer},
    )
    return bearer, known.get_json()["session"]


def _log_in(client: FlaskClient, username: str) -> FlaskClient:
    answer = client.post("/login", data={"username": username, "password": DEMO_PASSWORD})
    if answer.status_code != 303:
        raise LookupError(f"{username} cannot log in: {answer.status_code}")
    return client

"""Booking a visit of today, giving an unpaid place back, checking in."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.devices import schemas
from backend.devices.api import desk
from backend.devices.api.desk import Json
from backend.journeys import booking, check_in
from backend.kernel import idempotency
from backend.kernel.ids import Id
from backend.kernel.uow import today
from backend.kernel.web import read_uow, write_uow
from backend.kernel.web.bodies import read_json
from backend.organization import queries as organization
from backend.scheduling import queries as appointments
from backend.scheduling.errors import AppointmentNotFound
from backend.scheduling.views import AppointmentView


@desk.blueprint.get("/departments")
@desk.uses
def departments() -> list[Json]:
    """Departments one can book in today, with what is free."""
    desk.present_patient()
    with read_uow() as session:
        found = appointments.list_bookable_departments(
            session,
            hospital_id=desk.hospital_id(),
            day=today(session),
            channel=appointments.Channel.KIOSK,
        )
        places = organization.location_path_names(session, hospital_id=desk.hospital_id())
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


@desk.blueprint.get("/departments/<uuid:department_id>/schedules")
@desk.uses
def schedules(department_id: Id) -> list[Json]:
    """Today's sessions of a department."""
    desk.present_patient()
    with read_uow() as session:
        found = appointments.list_bookable(
            session,
            hospital_id=desk.hospital_id(),
            day=today(session),
            department_id=department_id,
            channel=appointments.Channel.KIOSK,
        )
        return [schemas.schedule_json(view) for view in found]


@desk.blueprint.post("/appointments")
@desk.uses
def book() -> tuple[Json, int]:
    """Hold the next place of a session, with its bill."""
    body = read_json(schemas.AppointmentBody)
    with write_uow() as session:
        patient_id = desk.acting_patient(session)

        def act() -> Json:
            visit = booking.book_visit(
                session,
                patient_id=patient_id,
                schedule_id=body.schedule_id,
                channel=appointments.Channel.KIOSK,
            )
            return {
                **schemas.appointment_json(visit.appointment),
                "hold_until": visit.appointment.hold_until.isoformat(),
                "invoice": schemas.invoice_json(visit.invoice),
            }

        answer = idempotency.once(
            session,
            "kiosk.book",
            desk.command_key(),
            {"patient": patient_id, "schedule": body.schedule_id},
            act,
        )
    return answer, 201


@desk.blueprint.post("/appointments/<uuid:appointment_id>/cancel")
@desk.uses
def give_up(appointment_id: Id) -> tuple[str, int]:
    """Give an unpaid place back."""
    with write_uow() as session:
        _own_visit(session, appointment_id, desk.acting_patient(session))
        booking.give_up_hold(session, appointment_id=appointment_id)
    return "", 204


def _own_visit(session: Session, appointment_id: Id, patient_id: Id) -> AppointmentView:
    visit = appointments.get_appointment(session, appointment_id)
    if visit.patient_id != patient_id:
        raise AppointmentNotFound
    return visit


@desk.blueprint.post("/check-ins")
@desk.uses
def check_in_here() -> tuple[Json, int]:
    """Turn a paid appointment into a ticket; the same one however often it is asked for."""
    body = read_json(schemas.CheckInBody)
    with write_uow() as session:
        ticket = check_in.check_in_patient(
            session, patient_id=desk.acting_patient(session), appointment_id=body.appointment_id
        )
    return {"ticket": desk.ticket_json(ticket)}, 201

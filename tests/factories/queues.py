"""A waiting hall for tests: a clinic with one queue, its rooms, and people who check in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.organization import service as organization
from backend.organization.queries import LocationKind
from backend.queueing import queries, service
from backend.queueing.models import Ticket
from backend.queueing.views import TicketView
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.databases import SYSTEM


@dataclass(frozen=True)
class Hall:
    """A clinic, its waiting hall and one queue that two rooms call from."""

    database: Database
    clinic: Clinic
    hall_id: Id
    queue_id: Id
    room_ids: tuple[Id, ...]

    def check_in(self, patient: int, **values: Any) -> Id:
        """The patient of that number takes a ticket."""
        with self.database.write(SYSTEM) as session:
            return service.check_in(
                session,
                queue_id=values.pop("queue_id", self.queue_id),
                patient_id=self.clinic.patient_ids[patient],
                **values,
            ).id

    def call(self, doctor: int = 0, queue_id: Id | None = None) -> str | None:
        """The doctor of that number calls the next; the number called."""
        with self.database.write(SYSTEM) as session:
            ticket = service.call_next(
                session,
                queue_id=queue_id or self.queue_id,
                room_id=self.room_ids[doctor % len(self.room_ids)],
                practitioner_id=self.clinic.practitioner_ids[doctor],
            )
            return ticket.number if ticket else None

    def act(self, command: Any, ticket_id: Id) -> Ticket:
        """One command of the service on one ticket."""
        with self.database.write(SYSTEM) as session:
            ticket: Ticket = command(session, ticket_id)
            return ticket

    def serve(self, doctor: int = 0) -> str | None:
        """The doctor calls, sees and finishes the next; the number served."""
        number = self.call(doctor)
        if number is not None:
            current = self.current(doctor)
            self.act(service.start_serving, current.id)
            self.act(service.finish_ticket, current.id)
        return number

    def current(self, doctor: int = 0) -> TicketView:
        """Whom the doctor has called or in the room."""
        with self.database.read(SYSTEM) as session:
            found = queries.worklist(
                session,
                queue_id=self.queue_id,
                practitioner_id=self.clinic.practitioner_ids[doctor],
            ).current
        assert found is not None
        return found

    def ticket(self, ticket_id: Id) -> TicketView:
        """The ticket as others see it."""
        with self.database.read(SYSTEM) as session:
            return queries.get_ticket(session, ticket_id)

    def waiting(self) -> list[str]:
        """The numbers that wait, in calling order."""
        with self.database.read(SYSTEM) as session:
            return [view.number for view in queries.waiting_list(session, self.queue_id)]


def add_hall_queue(hall: Hall, code: str, name: str, prefix: str) -> Id:
    """One more queue in the same hall."""
    with hall.database.write(SYSTEM) as session:
        return service.add_queue(
            session,
            hospital_id=hall.clinic.hospital_id,
            code=code,
            name=name,
            prefix=prefix,
            department_id=hall.clinic.department_id,
            hall_location_id=hall.hall_id,
            room_ids=list(hall.room_ids),
        ).id


def make_hall(database: Database, *, patients: int = 6, doctors: int = 2) -> Hall:
    """A hall whose queue ``A`` two rooms call from."""
    clinic = make_clinic(database, practitioners=doctors, patients=patients)
    with database.write(SYSTEM) as session:
        hall = organization.add_location(
            session,
            hospital_id=clinic.hospital_id,
            code="HALL",
            name="三层候诊区",
            kind=LocationKind.AREA,
            parent_id=None,
        )
        room = organization.add_location(
            session,
            hospital_id=clinic.hospital_id,
            code="R2",
            name="二诊室",
            kind=LocationKind.ROOM,
            parent_id=None,
        )
        session.flush()
        rooms = (clinic.room_id, room.id)
        queue = service.add_queue(
            session,
            hospital_id=clinic.hospital_id,
            code="Q1",
            name="乳腺外科",
            prefix="A",
            department_id=clinic.department_id,
            hall_location_id=hall.id,
            room_ids=list(rooms),
        )
        return Hall(database, clinic, hall.id, queue.id, rooms)

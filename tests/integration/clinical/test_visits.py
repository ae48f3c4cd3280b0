"""A doctor's visits: queue, encounter and appointment move together, on both databases."""

from __future__ import annotations

import pytest

from backend.billing import queries as bills
from backend.billing import verify as ledger
from backend.clinical import queries, service
from backend.clinical.errors import DiagnosisMissing, NotYourEncounter
from backend.clinical.rules import EncounterState
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.queueing import queries as queues
from backend.queueing import service as queueing
from backend.queueing.errors import StillServing, WrongTicketState
from backend.queueing.rules import TicketState
from backend.scheduling import queries as appointments
from backend.scheduling import verify as slots
from backend.scheduling.rules import AppointmentState
from tests.factories.clinical import Hour
from tests.factories.databases import SYSTEM


def call(hour: Hour, doctor: int = 0, room_id: Id | None = None) -> str | None:
    with hour.database.write(hour.doctor(doctor)) as session:
        ticket = service.call_next(
            session,
            queue_id=hour.hall.queue_id,
            room_id=room_id or hour.hall.room_ids[doctor],
            practitioner_id=hour.clinic.practitioner_ids[doctor],
        )
        return ticket.number if ticket else None


def finish(hour: Hour, encounter_id: Id) -> Id | None:
    with hour.database.write(hour.doctor()) as session:
        return service.finish_visit(session, encounter_id).invoice_id


def diagnose(hour: Hour, encounter_id: Id) -> None:
    with hour.database.write(hour.doctor()) as session:
        service.add_diagnosis(session, encounter_id=encounter_id, code="C50.9")


def states(hour: Hour, encounter_id: Id) -> tuple[EncounterState, TicketState, AppointmentState]:
    with hour.database.read(SYSTEM) as session:
        encounter = queries.get_encounter(session, encounter_id)
        assert encounter.ticket_id is not None
        assert encounter.appointment_id is not None
        return (
            encounter.state,
            queues.get_ticket(session, encounter.ticket_id).state,
            appointments.get_appointment(session, encounter.appointment_id).state,
        )


def test_beginning_twice_is_one_encounter(hour: Hour) -> None:
    ticket_id = hour.arrive()
    assert call(hour) == "A001"
    begun = []
    for _ in range(2):
        with hour.database.write(hour.doctor()) as session:
            begun.append(service.begin_visit(session, ticket_id).id)
    assert begun[0] == begun[1]
    assert states(hour, begun[0]) == (
        EncounterState.IN_PROGRESS,
        TicketState.SERVING,
        AppointmentState.CHECKED_IN,
    )


def test_finishing_ends_all_three_and_opens_one_bill(hour: Hour) -> None:
    encounter_id = hour.begin()
    diagnose(hour, encounter_id)
    with hour.database.write(hour.doctor()) as session:
        service.place_drug_order(session, encounter_id=encounter_id, code="DRG-2", quantity=1)
        service.place_laboratory_order(session, encounter_id=encounter_id, code="LFT")
    invoice_id = finish(hour, encounter_id)
    assert invoice_id is not None
    assert finish(hour, encounter_id) == invoice_id
    assert states(hour, encounter_id) == (
        EncounterState.FINISHED,
        TicketState.DONE,
        AppointmentState.FULFILLED,
    )
    with hour.database.read(SYSTEM) as session:
        assert bills.list_due(session, hour.clinic.patient_ids[0]).total_fen == 2400 + 6800
        assert ledger.verify_ledger(session).problems == []
        assert slots.verify_slots(session).problems == []


def test_without_a_diagnosis_nothing_ends(hour: Hour) -> None:
    encounter_id = hour.begin()
    with pytest.raises(DiagnosisMissing):
        finish(hour, encounter_id)
    assert states(hour, encounter_id) == (
        EncounterState.IN_PROGRESS,
        TicketState.SERVING,
        AppointmentState.CHECKED_IN,
    )


def test_without_orders_there_is_no_bill(hour: Hour) -> None:
    encounter_id = hour.begin()
    diagnose(hour, encounter_id)
    assert finish(hour, encounter_id) is None
    with hour.database.read(SYSTEM) as session:
        assert bills.list_due(session, hour.clinic.patient_ids[0]).total_fen == 0


def test_what_fails_at_the_end_undoes_the_beginning(hour: Hour) -> None:
    encounter_id = hour.begin()
    diagnose(hour, encounter_id)
    with hour.database.read(SYSTEM) as session:
        ticket_id = queries.get_encounter(session, encounter_id).ticket_id
    assert ticket_id is not None
    hour.hall.act(queueing.leave_queue, ticket_id)
    with pytest.raises(WrongTicketState):
        finish(hour, encounter_id)
    assert states(hour, encounter_id) == (
        EncounterState.IN_PROGRESS,
        TicketState.LEFT,
        AppointmentState.CHECKED_IN,
    )


def test_another_doctors_ticket_is_left_alone(hour: Hour) -> None:
    ticket_id = hour.arrive()
    call(hour)
    for command in (service.call_again, service.pass_over, service.begin_visit):
        with pytest.raises(NotYourEncounter), hour.database.write(hour.doctor(1)) as session:
            command(session, ticket_id)
    with pytest.raises(NotYourEncounter), hour.database.write(hour.doctor(1)) as session:
        service.call_next(
            session,
            queue_id=hour.hall.queue_id,
            room_id=hour.hall.room_ids[0],
            practitioner_id=hour.clinic.practitioner_ids[0],
        )
    with hour.database.read(SYSTEM) as session:
        assert queues.get_ticket(session, ticket_id).state is TicketState.CALLED


def test_missed_and_back(hour: Hour) -> None:
    ticket_id = hour.arrive()
    call(hour)
    with pytest.raises(StillServing):
        call(hour)
    with hour.database.write(hour.doctor()) as session:
        service.call_again(session, ticket_id)
        service.pass_over(session, ticket_id)
    with pytest.raises(NotYourEncounter), hour.database.write(hour.doctor(1)) as session:
        service.take_back(session, ticket_id)
    with hour.database.write(hour.doctor()) as session:
        service.take_back(session, ticket_id)
    assert call(hour) == "A001"


def test_only_the_queues_rooms_call(hour: Hour) -> None:
    hour.arrive()
    with pytest.raises(InvalidInput) as caught:
        call(hour, room_id=new_id())
    assert set(caught.value.fields) == {"room_id"}
    assert call(hour) == "A001"


def test_nobody_waits(hour: Hour) -> None:
    assert call(hour) is None

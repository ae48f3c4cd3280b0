"""`slots verify` names what is wrong with added, moved, closed, stopped and handed-over places."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import delete, update

from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.scheduling import service
from backend.scheduling.models import (
    Appointment,
    Disruption,
    Schedule,
    Slot,
    SlotEvent,
    StoppedSession,
)
from backend.scheduling.rules import (
    DisruptionState,
    ScheduleStatus,
    SlotEventKind,
    SlotState,
)
from tests.factories.clinic import MONDAY, Clinic, make_clinic
from tests.factories.databases import SYSTEM
from tests.integration.scheduling.acts import confirm, hold
from tests.integration.scheduling.test_sessions import add, special, stop
from tests.integration.scheduling.test_verify import tamper, verified

AT = dt.datetime(2026, 11, 23, 1, tzinfo=dt.UTC)


def finds(database: Database, words: str, *ids: Id) -> bool:
    problems = verified(database).problems
    assert any(words in one and all(str(i) in one for i in ids) for one in problems), problems
    return True


def slot_ids(database: Database, schedule_id: Id) -> list[Id]:
    with database.read() as session:
        rows = session.query(Slot).filter(Slot.schedule_id == schedule_id).order_by(Slot.number)
        return [row.id for row in rows]


@pytest.fixture
def stopped(database: Database, clinic: Clinic, schedule_id: Id) -> Id:
    """A paid visit in a stopped session."""
    visit = hold(database, clinic.patient_ids[0], schedule_id)
    confirm(database, visit)
    stop(database, clinic, MONDAY, MONDAY)
    return visit


@pytest.fixture
def moved(database: Database, clinic: Clinic, schedule_id: Id) -> Id:
    """A paid visit that moved from its session to another."""
    visit = hold(database, clinic.patient_ids[0], schedule_id)
    confirm(database, visit)
    pm = special(database, clinic, MONDAY, HalfDay.PM)
    with database.write(SYSTEM) as session:
        service.move_appointment(session, visit, pm)
    return visit


def test_an_added_place_passed_off_as_planned(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    add(database, schedule_id, clinic.patient_ids[0])
    added = slot_ids(database, schedule_id)[-1]
    tamper(database, update(Slot).where(Slot.id == added).values(is_added=False))
    assert finds(database, "was added, the row says is_added = False", added)
    assert finds(database, "5 places on record, 4 planned", schedule_id)


def test_a_planned_place_passed_off_as_added(database: Database, schedule_id: Id) -> None:
    last = slot_ids(database, schedule_id)[-1]
    tamper(database, update(Slot).where(Slot.id == last).values(is_added=True))
    assert finds(database, "was generated, the row says is_added = True", last)
    assert finds(database, "free for everybody", last)


def test_an_added_place_that_is_missing(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    first = add(database, schedule_id, clinic.patient_ids[0])
    add(database, schedule_id, clinic.patient_ids[1])
    gone = slot_ids(database, schedule_id)[4]
    tamper(
        database,
        delete(SlotEvent).where(SlotEvent.slot_id == gone),
        delete(Appointment).where(Appointment.id == first),
        delete(Slot).where(Slot.id == gone),
    )
    assert finds(database, "5 places on record, 4 planned and 1 added", schedule_id)


def test_a_free_place_in_a_stopped_session(
    database: Database, schedule_id: Id, stopped: Id
) -> None:
    last = slot_ids(database, schedule_id)[-1]
    tamper(database, update(Slot).where(Slot.id == last).values(state=SlotState.FREE))
    assert finds(database, "stopped, but 1 places are free", schedule_id)
    assert finds(database, "its life says closed by None", last)


def test_a_closed_place_in_an_open_session(database: Database, schedule_id: Id) -> None:
    last = slot_ids(database, schedule_id)[-1]
    tamper(database, update(Slot).where(Slot.id == last).values(state=SlotState.CLOSED))
    assert finds(database, "open, but 1 places are closed", schedule_id)


def test_a_stop_without_a_notice_and_a_notice_without_a_stop(
    database: Database, schedule_id: Id, stopped: Id
) -> None:
    tamper(database, update(StoppedSession).values(resumed_at=AT))
    assert finds(database, "stopped, but no notice stops it", schedule_id)
    tamper(
        database,
        update(StoppedSession).values(resumed_at=None),
        update(Schedule).where(Schedule.id == schedule_id).values(status=ScheduleStatus.OPEN),
    )
    assert finds(database, "open, but a notice still stops it", schedule_id)


def test_a_paid_visit_that_the_stop_forgot_and_the_sweep_that_finds_it(
    database: Database, schedule_id: Id, stopped: Id
) -> None:
    tamper(database, delete(Disruption))
    assert finds(database, "forgotten", stopped, schedule_id)
    with database.write(SYSTEM) as session:
        assert service.find_forgotten(session) == 1
    assert verified(database).problems == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"state": DisruptionState.REFUNDED, "decided_at": AT},
            "refunded, but the visit is booked",
        ),
        (
            {"state": DisruptionState.RELEASED, "decided_at": AT},
            "released, but the visit is booked",
        ),
        ({"state": DisruptionState.MOVED, "decided_at": AT}, "moved, but no place was left"),
        ({"state": DisruptionState.KEPT}, "decided at None"),
        ({"decided_at": AT}, "found, decided at"),
    ],
)
def test_a_disruption_that_says_what_did_not_happen(
    database: Database, stopped: Id, values: dict[str, object], words: str
) -> None:
    tamper(database, update(Disruption).values(**values))
    assert finds(database, words, stopped)


def test_a_move_with_one_end_only(database: Database, moved: Id) -> None:
    assert verified(database).counts["moves"] == 1
    tamper(database, delete(SlotEvent).where(SlotEvent.kind == SlotEventKind.MOVED_IN))
    assert finds(database, "moved out of 1 places and into 0", moved)


def test_a_place_left_by_a_visit_that_says_it_is_still_there(
    database: Database, schedule_id: Id, moved: Id
) -> None:
    old = slot_ids(database, schedule_id)
    with database.read() as session:
        left = session.query(SlotEvent).filter(SlotEvent.kind == SlotEventKind.MOVED_OUT).one()
    assert left.slot_id in old
    tamper(
        database, update(Appointment).where(Appointment.id == moved).values(slot_id=left.slot_id)
    )
    assert finds(database, "its last event is moved_out", moved, left.slot_id)


def test_a_closing_that_names_somebody(database: Database, stopped: Id) -> None:
    tamper(
        database,
        update(SlotEvent)
        .where(SlotEvent.kind == SlotEventKind.CLOSED)
        .values(appointment_id=stopped),
    )
    assert finds(database, "closed for appointment", stopped)


def test_a_session_that_slipped_back_from_the_substitute(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    other = make_clinic(database, code="H2", patients=0)
    with database.write(SYSTEM) as session:
        service.substitute(
            session,
            schedule_id=schedule_id,
            practitioner_id=other.practitioner_ids[0],
            reason="外出",
        )
    assert verified(database).counts["substitutions"] == 1
    tamper(
        database,
        update(Schedule)
        .where(Schedule.id == schedule_id)
        .values(practitioner_id=clinic.practitioner_ids[0]),
    )
    assert finds(database, "took it over", schedule_id, other.practitioner_ids[0])

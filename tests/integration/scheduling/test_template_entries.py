"""Editing the weekly template: history is kept, nothing overlaps, and a preview that matches what is made."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import Database
from backend.scheduling import queries, service
from backend.scheduling.errors import TemplateEnded, TemplateInvalid, TemplateUnknown
from backend.scheduling.rules import DayKind, VisitType
from backend.scheduling.services.entries import EntryFacts
from tests.factories.clinic import FEE_FEN, MONDAY, Clinic
from tests.factories.databases import SYSTEM

NEXT = MONDAY + dt.timedelta(days=7)


def facts(clinic: Clinic, **other: object) -> EntryFacts:
    made = EntryFacts(
        practitioner_id=clinic.practitioner_ids[0],
        department_id=clinic.department_id,
        location_id=clinic.room_id,
        weekday=1,
        half_day=HalfDay.AM,
        visit_type=VisitType.CHIEF,
        price_item_code="REG-CHIEF",
        fee_fen=FEE_FEN,
        capacity=6,
        slot_minutes=20,
    )
    return dataclasses.replace(made, **other)  # type: ignore[arg-type]


def entry_of(database: Database, clinic: Clinic) -> Id:
    with database.read(SYSTEM) as session:
        return queries.list_entries(
            session,
            hospital_id=clinic.hospital_id,
            on=MONDAY,
            practitioner_id=clinic.practitioner_ids[0],
        )[0].id


def test_a_change_ends_the_old_and_begins_a_new_one(database: Database, clinic: Clinic) -> None:
    old = entry_of(database, clinic)
    with database.write(SYSTEM) as session:
        new = service.change_entry(session, old, facts=facts(clinic), effective_from=NEXT)
    assert new != old
    with database.read(SYSTEM) as session:
        history = queries.entry_history(session, new)
    assert [(view.capacity, view.effective_until) for view in history] == [
        (6, None),
        (4, NEXT - dt.timedelta(days=1)),
    ]
    with database.write(SYSTEM) as session:
        service.generate_schedules(session, hospital_id=clinic.hospital_id, first=MONDAY, last=NEXT)
    with database.read(SYSTEM) as session:
        views = queries.list_schedules(
            session, hospital_id=clinic.hospital_id, first=MONDAY, last=NEXT
        )
    mine = [v.total_count for v in views if v.practitioner_id == clinic.practitioner_ids[0]]
    assert mine == [4, 6]


def test_an_entry_that_has_not_begun_is_changed_in_place(
    database: Database, clinic: Clinic
) -> None:
    tuesday = facts(clinic, weekday=2)
    with database.write(SYSTEM) as session:
        made = service.add_entry(
            session, hospital_id=clinic.hospital_id, facts=tuesday, effective_from=NEXT
        )
    with database.write(SYSTEM) as session:
        same = service.change_entry(
            session, made, facts=dataclasses.replace(tuesday, capacity=8), effective_from=NEXT
        )
        assert same == made
    with database.read(SYSTEM) as session:
        assert [view.capacity for view in queries.entry_history(session, made)] == [8]


def test_ended_it_generates_no_more_and_ended_again_is_refused(
    database: Database, clinic: Clinic
) -> None:
    entry = entry_of(database, clinic)
    with database.write(SYSTEM) as session:
        service.end_entry(session, entry, MONDAY)
    with database.write(SYSTEM) as session, pytest.raises(TemplateEnded):
        service.end_entry(session, entry, NEXT)
    with database.write(SYSTEM) as session, pytest.raises(TemplateEnded):
        service.change_entry(session, entry, facts=facts(clinic), effective_from=NEXT)
    with database.write(SYSTEM) as session:
        made = service.generate_schedules(
            session, hospital_id=clinic.hospital_id, first=NEXT, last=NEXT
        )
    assert made == 1  # the colleague's
    with database.write(SYSTEM) as session, pytest.raises(TemplateUnknown):
        service.end_entry(session, new_id(), NEXT)


@pytest.mark.parametrize(
    ("changes", "first", "last", "fields"),
    [
        ({"capacity": 0}, NEXT, None, {"capacity"}),
        ({"slot_minutes": 0}, NEXT, None, {"slot_minutes"}),
        ({"capacity": 60}, NEXT, None, {"capacity"}),
        ({"starts_minute": 13 * 60}, NEXT, None, {"begins"}),
        ({"weekday": 2}, MONDAY - dt.timedelta(days=1), None, {"effective_from"}),
        ({"weekday": 2}, NEXT, MONDAY, {"effective_until"}),
        # The half-day is taken by the entry that is there.
        ({}, NEXT, None, {"effective_from"}),
    ],
)
def test_each_fault_is_named_by_its_field(
    database: Database,
    clinic: Clinic,
    changes: dict[str, object],
    first: dt.date,
    last: dt.date | None,
    fields: set[str],
) -> None:
    with database.write(SYSTEM) as session, pytest.raises(TemplateInvalid) as caught:
        service.add_entry(
            session,
            hospital_id=clinic.hospital_id,
            facts=facts(clinic, **changes),
            effective_from=first,
            effective_until=last,
        )
    assert set(caught.value.fields) == fields


def test_the_preview_says_what_generation_then_does(database: Database, clinic: Clinic) -> None:
    saturday = MONDAY + dt.timedelta(days=5)
    for day, kind, weekday in ((NEXT, DayKind.HOLIDAY, None), (saturday, DayKind.WORKDAY, 1)):
        with database.write(SYSTEM) as session:
            service.set_calendar_day(
                session,
                hospital_id=clinic.hospital_id,
                day=day,
                kind=kind,
                name="院庆",
                template_weekday=weekday,
            )
    last = NEXT + dt.timedelta(days=7)
    with database.read(SYSTEM) as session:
        planned = queries.preview_generation(
            session,
            hospital_id=clinic.hospital_id,
            department_id=clinic.department_id,
            first=MONDAY,
            last=last,
        )
    assert {(one.day, one.is_holiday, one.is_exchanged) for one in planned} == {
        (MONDAY, False, False),
        (saturday, False, True),
        (NEXT, True, False),
        (last, False, False),
    }
    with database.write(SYSTEM) as session:
        made = service.generate_schedules(
            session, hospital_id=clinic.hospital_id, first=MONDAY, last=last
        )
    assert made == sum(one.will_be_made for one in planned) == 6


def test_the_load_counts_what_is_taken(database: Database, clinic: Clinic, schedule_id: Id) -> None:
    with database.write(SYSTEM) as session:
        service.hold_slot(
            session,
            patient_id=clinic.patient_ids[0],
            schedule_id=schedule_id,
            channel="kiosk",
        )
    with database.read(SYSTEM) as session:
        (house,) = queries.list_load(
            session, hospital_id=clinic.hospital_id, first=MONDAY, last=MONDAY
        )
        people = queries.list_load(
            session,
            hospital_id=clinic.hospital_id,
            first=MONDAY,
            last=MONDAY,
            department_id=clinic.department_id,
        )
    assert (house.total.booked, house.total.total) == (1, 8)
    assert sorted(row.total.booked for row in people) == [0, 1]


def test_a_session_ended_before_it_began_can_be_planned_again(
    database: Database, clinic: Clinic
) -> None:
    tuesday = facts(clinic, weekday=2)

    def add() -> Id:
        with database.write(SYSTEM) as session:
            return service.add_entry(
                session, hospital_id=clinic.hospital_id, facts=tuesday, effective_from=NEXT
            )

    first = add()
    with database.write(SYSTEM) as session:
        service.end_entry(session, first, MONDAY)
    assert add() == first
    with database.read(SYSTEM) as session:
        assert [view.effective_until for view in queries.entry_history(session, first)] == [None]


def test_a_session_may_be_moved_to_the_day_of_one_that_never_began(
    database: Database, clinic: Clinic
) -> None:
    tuesday, later = facts(clinic, weekday=2), NEXT + dt.timedelta(days=7)
    made = []
    for day in (NEXT, later):
        with database.write(SYSTEM) as session:
            made.append(
                service.add_entry(
                    session, hospital_id=clinic.hospital_id, facts=tuesday, effective_from=day
                )
            )
        if day == NEXT:
            with database.write(SYSTEM) as session:
                service.end_entry(session, made[0], MONDAY)
    with database.write(SYSTEM) as session:
        moved = service.change_entry(session, made[1], facts=tuesday, effective_from=NEXT)
    assert moved == made[0]
    with database.read(SYSTEM) as session:
        entries = queries.list_entries(
            session,
            hospital_id=clinic.hospital_id,
            on=MONDAY,
            practitioner_id=clinic.practitioner_ids[0],
        )
    assert [one.effective_from for one in entries if one.weekday == 2] == [NEXT]


def test_a_change_leaves_the_session_its_doctors(database: Database, clinic: Clinic) -> None:
    other = facts(clinic, practitioner_id=clinic.practitioner_ids[1], weekday=3)
    with database.write(SYSTEM) as session:
        new = service.change_entry(
            session, entry_of(database, clinic), facts=other, effective_from=NEXT
        )
    with database.read(SYSTEM) as session:
        (changed, _old) = queries.entry_history(session, new)
    assert (changed.practitioner_id, changed.weekday) == (clinic.practitioner_ids[0], 1)

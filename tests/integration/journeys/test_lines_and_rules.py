"""Waiting lists beside the rules of booking: a line evades none of them, and nobody evades a line."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from backend.journeys import waiting
from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from backend.scheduling import queries, service
from backend.scheduling.errors import (
    BookingSuspended,
    LineClosed,
    LineFirst,
    SameDayClosed,
    SlotGone,
    TooManyVisits,
)
from backend.scheduling.models import Appointment, WaitingEntry
from backend.scheduling.rules import (
    AppointmentState,
    BookingPolicies,
    BookingPolicy,
    Channel,
    Reserve,
    WaitingEnd,
)
from tests.factories.clinic import MONDAY
from tests.factories.databases import SYSTEM
from tests.factories.waiting import FullSession, make_full_session, subscribe
from tests.integration.scheduling.test_sessions import special

NEXT = MONDAY + dt.timedelta(days=7)


@pytest.fixture
def subscriptions() -> Subscriptions:
    return subscribe(Subscriptions())


@pytest.fixture
def full(database: Database) -> FullSession:
    """Two places, taken and paid by patients 0 and 1."""
    made = make_full_session(database)
    for patient in (0, 1):
        made.pay(made.book(patient))
    made.deliver()
    return made


def use(full: FullSession, policy: BookingPolicy) -> None:
    full.database.configuration = {BookingPolicies: BookingPolicies(policy)}


def visit_of(full: FullSession, patient: int) -> Id:
    with full.database.read(SYSTEM) as session:
        found = session.scalars(
            select(Appointment.id).where(
                Appointment.patient_id == full.clinic.patient_ids[patient],
                Appointment.state == AppointmentState.BOOKED,
            )
        )
        return found.one()


def end_of(full: FullSession, entry_id: Id) -> WaitingEnd | None:
    with full.database.read(SYSTEM) as session:
        return session.get_one(WaitingEntry, entry_id).end_reason


def test_who_has_as_many_visits_as_allowed_may_not_wait_for_one_more(full: FullSession) -> None:
    use(full, BookingPolicy(visits_a_day=0))
    with pytest.raises(TooManyVisits):
        full.join(2)


def test_who_has_reached_the_limit_meanwhile_is_passed_over_for_the_next(
    full: FullSession,
) -> None:
    first = full.join(2)
    use(full, BookingPolicy(visits_a_day=0))
    with full.database.write(SYSTEM) as session:
        second = service.join_line(
            session,
            patient_id=full.clinic.patient_ids[3],
            schedule_id=full.schedule_id,
            channel=Channel.COUNTER,
        ).id
    full.cancel(visit_of(full, 0))
    assert full.states(first, second) == ["closed", "offered"]
    assert end_of(full, first) is WaitingEnd.NOT_ALLOWED
    assert full.problems() == []


def test_on_the_day_itself_the_channel_must_be_one_that_books_then(database: Database) -> None:
    full = make_full_session(database, day=MONDAY)
    full.book(0)
    use(full, BookingPolicy(same_day_channels=frozenset({Channel.COUNTER})))
    with pytest.raises(SameDayClosed):
        full.join(3)


def join_day(full: FullSession, patient: int) -> int:
    with full.database.write(SYSTEM) as session:
        return waiting.join_department(
            session,
            patient_id=full.clinic.patient_ids[patient],
            hospital_id=full.clinic.hospital_id,
            department_id=full.clinic.department_id,
            day=NEXT,
            channel=Channel.WECHAT,
        )


def test_joining_a_days_lines_again_finds_one_standing_there(full: FullSession) -> None:
    assert join_day(full, 2) == 1
    assert join_day(full, 2) == 1
    with pytest.raises(LineClosed):
        join_day(full, 0)  # has a place already


def test_joining_a_days_lines_says_what_the_rules_have_against_it(full: FullSession) -> None:
    use(full, BookingPolicy(visits_a_week=0))
    with pytest.raises(TooManyVisits):
        join_day(full, 2)


def test_a_moved_visit_does_not_overtake_the_line(full: FullSession) -> None:
    """The place came back while nobody was looking; the line's first is yet to be offered it."""
    evening = special(full.database, full.clinic, NEXT, HalfDay.PM)
    with full.database.write(SYSTEM) as session:
        held = service.hold_slot(
            session,
            patient_id=full.clinic.patient_ids[4],
            schedule_id=evening,
            channel=Channel.WECHAT,
        ).id
        service.confirm_appointment(session, held)
    full.join(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backend.scheduling.services.pool.waiting.pass_on", lambda *_: None)
        full.cancel(visit_of(full, 0))
    with full.database.read(SYSTEM) as session:
        schedules = queries.list_schedules(
            session,
            hospital_id=full.clinic.hospital_id,
            first=NEXT,
            last=NEXT,
            channel=Channel.WECHAT,
        )
    assert {one.half_day: one.free_count for one in schedules}[HalfDay.AM] == 0
    with pytest.raises(SlotGone), full.database.write(SYSTEM) as session:
        service.move_appointment(session, held, full.schedule_id)


def test_a_moved_visit_takes_nothing_that_is_reserved_for_others(database: Database) -> None:
    policy = BookingPolicy(reserves=(Reserve(Channel.KIOSK, 50),))
    database.configuration = {BookingPolicies: BookingPolicies(policy)}
    full = make_full_session(database)  # of two places one is the kiosk's
    full.book(0)
    evening = special(full.database, full.clinic, NEXT, HalfDay.PM)
    moved = {}
    for patient, channel in ((3, Channel.WECHAT), (4, Channel.KIOSK)):
        with full.database.write(SYSTEM) as session:
            moved[channel] = service.hold_slot(
                session,
                patient_id=full.clinic.patient_ids[patient],
                schedule_id=evening,
                channel=channel,
            ).id
            service.confirm_appointment(session, moved[channel])
    with pytest.raises(SlotGone), full.database.write(SYSTEM) as session:
        service.move_appointment(session, moved[Channel.WECHAT], full.schedule_id)
    with full.database.write(SYSTEM) as session:
        service.move_appointment(session, moved[Channel.KIOSK], full.schedule_id)


def test_the_place_a_moved_visit_leaves_is_offered_to_the_next_in_line(full: FullSession) -> None:
    """At the moment of the offer nothing of the moved visit may still lie on the place."""
    entry = full.join(2)
    evening = special(full.database, full.clinic, NEXT, HalfDay.PM)
    with full.database.write(SYSTEM) as session:
        service.move_appointment(session, visit_of(full, 0), evening)
    assert full.states(entry) == ["offered"]
    assert full.problems() == []


def test_why_somebody_cannot_book_is_the_line_where_booking_says_so(full: FullSession) -> None:
    full.join(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backend.scheduling.services.pool.waiting.pass_on", lambda *_: None)
        full.cancel(visit_of(full, 0))
    with pytest.raises(LineFirst):
        full.book(4)
    with full.database.read(SYSTEM) as session:
        explained = queries.explain_booking(
            session, patient_id=full.clinic.patient_ids[4], schedule_id=full.schedule_id
        )
    refusals = {verdict.refusal.code for verdict in explained.rows[-1].verdicts if verdict.refusal}
    assert refusals == {"line_first"}


def test_a_suspended_patient_may_not_wait(full: FullSession) -> None:
    use(full, BookingPolicy(no_shows=1))
    with full.database.write(SYSTEM, housekeeping=True) as session:
        # Of last week, missed: in the line as at the desk it counts alike.
        row = session.get_one(Appointment, visit_of(full, 0))
        row.state = AppointmentState.NO_SHOW
        row.business_date = MONDAY - dt.timedelta(days=7)
    with pytest.raises(BookingSuspended):
        full.join(0)


def test_only_lines_with_something_to_do_are_looked_at(full: FullSession) -> None:
    def looked_at() -> list[Id]:
        with full.database.read(SYSTEM) as session:
            return [schedule_id for _hospital_id, schedule_id in queries.lines_to_look_at(session)]

    full.join(2)
    assert looked_at() == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backend.scheduling.services.pool.waiting.pass_on", lambda *_: None)
        full.cancel(visit_of(full, 0))
    assert looked_at() == [full.schedule_id]

"""The bookings of the coming days: inside the booking window, mostly soon, some sessions full, most places free."""

from __future__ import annotations

from collections import Counter
from datetime import date, time, timedelta

import pytest

from backend.demo.ahead import Ahead, ahead
from backend.demo.dataset import load
from backend.demo.history import ZONE, at_minute, history
from backend.demo.people import NOTABLE_COUNT, patients
from backend.scheduling.rules import is_day_bookable
from tests.factories.other_process import digest, digest_elsewhere

DAY = date(2026, 11, 23)
#: Weekends fall early, late and in the middle of the window.
DAYS = [DAY + timedelta(days=n) for n in (0, 3, 5)]


@pytest.fixture(scope="module", params=DAYS, ids=str)
def day(request: pytest.FixtureRequest) -> date:
    """The day on which the demo is loaded."""
    found: date = request.param
    return found


def _places(day: date) -> int:
    return sum(e.capacity for e in load().templates if e.weekday == day.isoweekday())


def _taken(plan: Ahead) -> Counter[date]:
    return Counter(v.day for v in plan.bookings if v.outcome == "booked")


def test_everything_was_booked_and_paid_before_today_when_its_day_was_open(day: date) -> None:
    for visit in ahead(day).bookings:
        assert day < visit.day
        assert is_day_bookable(visit.day, visit.booked_at)
        assert visit.booked_at < at_minute(day, 0)
        assert visit.booked_at.astimezone(ZONE).time() >= time(7)
        assert visit.fee_tender == "wechat_native" or visit.channel == "counter"
        if visit.cancelled_at:
            assert visit.booked_at <= visit.cancelled_at < at_minute(day, 0)
            assert visit.fee_tender != "cash"


def test_the_next_days_are_asked_for_most_and_half_of_every_day_is_free(day: date) -> None:
    taken = _taken(ahead(day))
    assert 800 <= taken.total() <= 1300
    assert set(taken) == {day + timedelta(days=n) for n in range(1, 14)}
    for on, count in taken.items():
        assert count * 2 <= _places(on)
    soon = sum(taken[day + timedelta(days=n)] for n in range(1, 7))
    assert soon * 5 > taken.total() * 3


def test_some_sessions_of_the_well_known_are_full_and_only_they_have_a_line(day: date) -> None:
    plan = ahead(day)
    templates = {(e.staff_code, e.weekday, e.half_day): e for e in load().templates}
    sessions = Counter(
        (v.day, v.staff_code, v.half_day) for v in plan.bookings if v.outcome == "booked"
    )
    full = {
        key
        for key, count in sessions.items()
        if count == templates[key[1], key[0].isoweekday(), key[2]].capacity
    }
    assert 2 <= len(full) <= 40
    assert {(w.day, w.staff_code, w.half_day) for w in plan.waits} == full
    for _day, staff_code, half_day in full:
        entry = next(
            e for e in load().templates if (e.staff_code, e.half_day) == (staff_code, half_day)
        )
        assert entry.visit_type in ("chief", "special")
    last = max(v.cancelled_at or v.booked_at for v in plan.bookings)
    assert all(last < wait.joined_at < at_minute(day, 0) for wait in plan.waits)


def test_a_few_are_cancelled(day: date) -> None:
    outcomes = Counter(visit.outcome for visit in ahead(day).bookings)
    assert set(outcomes) == {"booked", "cancelled"}
    assert 3 <= outcomes["cancelled"] * 100 // outcomes.total() <= 8


def test_a_place_is_taken_once_and_a_patient_comes_once_a_day() -> None:
    plan = ahead(DAY)
    places = Counter((v.day, v.staff_code, v.half_day, v.slot_number) for v in plan.bookings)
    people = Counter((v.day, v.card_number) for v in plan.bookings)
    assert max(places.values()) == max(people.values()) == 1
    waiting = Counter(wait.card_number for wait in plan.waits)
    assert max(waiting.values()) == 1
    assert not waiting.keys() & {visit.card_number for visit in plan.bookings}


def test_every_place_is_one_of_the_template_and_nobody_plans_an_emergency() -> None:
    sessions = {(e.staff_code, e.weekday, e.half_day): e for e in load().templates}
    for visit in ahead(DAY).bookings:
        entry = sessions[visit.staff_code, visit.day.isoweekday(), visit.half_day]
        assert 1 <= visit.slot_number <= entry.capacity
        assert (visit.visit_type, visit.room_code) == (entry.visit_type, entry.room_code)
        assert visit.department_code != "EMERG"


def test_people_come_back_to_their_department_but_not_who_stayed_away_nor_the_notable() -> None:
    plan = ahead(DAY)
    known = {(v.card_number, v.department_code) for v in history(DAY)}
    missed = {v.card_number for v in history(DAY) if v.outcome == "no_show"}
    notable = {person.card_number for person in patients(DAY)[:NOTABLE_COUNT]}
    booked = {v.card_number for v in plan.bookings} | {w.card_number for w in plan.waits}
    assert {(v.card_number, v.department_code) for v in plan.bookings} <= known
    assert not booked & (missed | notable)


@pytest.mark.parametrize("count", [0, NOTABLE_COUNT, 60])
def test_it_holds_for_few(count: int) -> None:
    assert {v.card_number for v in ahead(DAY, count).bookings} <= {
        person.card_number for person in patients(DAY, count)
    }


def test_the_same_day_gives_the_same_bytes_in_another_process() -> None:
    preparation = "from datetime import date\nfrom backend.demo.ahead import ahead"
    day = f"date({DAY.year}, {DAY.month}, {DAY.day})"
    assert digest_elsewhere(preparation, f"ahead({day})") == digest(ahead(DAY))

"""Thirty days of visits: one slot one patient, doctors see one after the other, sums add up."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest

from backend.demo.dataset import load
from backend.demo.history import VisitSpec, at_minute, history
from backend.demo.people import patients
from tests.factories.other_process import digest, digest_elsewhere

DAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def visits() -> tuple[VisitSpec, ...]:
    return history(DAY)


def test_every_patient_has_a_visit_within_the_last_thirty_days(
    visits: tuple[VisitSpec, ...],
) -> None:
    assert {visit.card_number for visit in visits} == {p.card_number for p in patients(DAY)}
    assert {DAY - visit.day for visit in visits} == {timedelta(days=n) for n in range(1, 31)}


def test_a_slot_is_used_once_and_a_patient_comes_once_a_day(
    visits: tuple[VisitSpec, ...],
) -> None:
    slots = Counter((v.day, v.staff_code, v.half_day, v.slot_number) for v in visits)
    people = Counter((v.day, v.card_number) for v in visits)
    assert max(slots.values()) == 1
    assert max(people.values()) == 1


def test_every_visit_is_in_a_session_of_the_template(visits: tuple[VisitSpec, ...]) -> None:
    sessions = {(e.staff_code, e.weekday, e.half_day): e for e in load().templates}
    department = {row.code: row.department_code for row in load().staff}
    for visit in visits:
        entry = sessions[visit.staff_code, visit.day.isoweekday(), visit.half_day]
        assert 1 <= visit.slot_number <= entry.capacity
        assert (visit.visit_type, visit.room_code) == (entry.visit_type, entry.room_code)
        assert department[visit.staff_code] == visit.department_code
        assert visit.starts_at.date() == visit.day


def test_times_run_forward(visits: tuple[VisitSpec, ...]) -> None:
    for visit in visits:
        if visit.outcome == "completed":
            assert visit.arrived_at
            assert visit.called_at
            assert visit.finished_at
            assert visit.booked_at < visit.arrived_at <= visit.called_at < visit.finished_at
            assert visit.finished_at < at_minute(DAY, 0)
            assert visit.starts_at <= visit.called_at
        elif visit.outcome == "cancelled":
            assert visit.cancelled_at
            assert visit.booked_at < visit.cancelled_at < visit.starts_at
        else:
            assert visit.outcome == "no_show"
            assert visit.booked_at < visit.starts_at


def test_a_doctor_sees_one_patient_after_the_other(visits: tuple[VisitSpec, ...]) -> None:
    sessions: dict[tuple[date, str, str], list[VisitSpec]] = defaultdict(list)
    for visit in visits:
        if visit.called_at:
            sessions[visit.day, visit.staff_code, visit.half_day].append(visit)
    for turn in sessions.values():
        turn.sort(key=lambda visit: visit.slot_number)
        for earlier, later in itertools.pairwise(turn):
            assert earlier.finished_at
            assert later.called_at
            assert earlier.finished_at <= later.called_at


def test_only_those_who_came_have_a_diagnosis_and_orders(visits: tuple[VisitSpec, ...]) -> None:
    for visit in visits:
        if visit.outcome == "completed":
            assert visit.diagnosis_codes
            assert visit.complaint
            assert visit.examination
        else:
            assert not visit.diagnosis_codes
            assert not visit.has_orders
            assert not visit.orders_tender


def test_illness_fits_sex_and_age(visits: tuple[VisitSpec, ...]) -> None:
    people = {person.card_number: person for person in patients(DAY)}
    for visit in visits:
        person = people[visit.card_number]
        if person.sex == "M":
            assert not {"C53.9", "C56", "N87.0", "D24"} & set(visit.diagnosis_codes)
        else:
            assert not {"C61", "N40"} & set(visit.diagnosis_codes)
        if person.age_on(visit.day) < 18:
            assert not {"C34.9", "C50.9", "C90.0", "C22.0"} & set(visit.diagnosis_codes)


def test_only_the_last_days_leave_something_due(visits: tuple[VisitSpec, ...]) -> None:
    due = [visit for visit in visits if visit.is_due]
    assert 3 <= len(due) <= 60
    assert all((DAY - visit.day).days <= 3 for visit in due)


def test_channels_and_tenders_are_all_there(visits: tuple[VisitSpec, ...]) -> None:
    assert {v.channel for v in visits} == {"kiosk", "counter", "wechat", "miniprogram"}
    assert {v.fee_tender for v in visits} == {"cash", "wechat_native"}
    assert {v.outcome for v in visits} == {"completed", "cancelled", "no_show"}
    for visit in visits:
        assert visit.fee_tender == "wechat_native" or visit.channel == "counter"


@pytest.mark.parametrize("day", [date(2024, 3, 1), date(2027, 1, 1), date(2028, 2, 29)])
def test_it_holds_for_leap_days_and_turns_of_the_year(day: date) -> None:
    visits = history(day, 200)
    assert {visit.card_number for visit in visits} == {p.card_number for p in patients(day, 200)}
    assert all(visit.day < day for visit in visits)


def test_the_same_day_gives_the_same_bytes_in_another_process(
    visits: tuple[VisitSpec, ...],
) -> None:
    preparation = (
        "from datetime import date\n"
        "from backend.demo.history import history\nfrom backend.demo.people import patients\n"
        f"day = date({DAY.year}, {DAY.month}, {DAY.day})"
    )
    theirs = digest_elsewhere(preparation, "(patients(day), history(day))")
    assert theirs == digest((patients(DAY), visits))

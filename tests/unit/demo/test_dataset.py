"""The demo hospital is as large as promised, free of contradictions and believable."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from backend.demo.dataset import DATA, SESSION_MINUTES, VISIT_FEES, load, load_from, slot_minute
from backend.demo.records import Dataset
from backend.demo.validation import DatasetError, find_problems
from backend.kernel.clock import HalfDay
from backend.scheduling import rules

WEEK = range(1, 8)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load()


@pytest.mark.parametrize(
    ("part", "least"),
    [
        ("departments", 20),
        ("price_items", 300),
        ("drugs", 150),
        ("laboratory", 40),
        ("icd10", 250),
    ],
)
def test_each_list_is_as_long_as_promised(data: Dataset, part: str, least: int) -> None:
    assert len(getattr(data, part)) >= least


def test_there_are_three_buildings_four_kiosks_and_over_sixty_doctors(data: Dataset) -> None:
    kinds = Counter(place.kind for place in data.locations)
    assert kinds["building"] == 3
    assert {"campus", "floor", "area", "room", "window"} <= set(kinds)
    assert len(data.kiosks) == 4
    assert sum("doctor" in row.roles for row in data.staff) >= 60


def test_no_two_people_of_the_staff_share_a_name(data: Dataset) -> None:
    assert len({row.name for row in data.staff}) == len(data.staff)


def test_names_of_drugs_items_panels_and_diagnoses_are_distinct(data: Dataset) -> None:
    for part in ("drugs", "price_items", "laboratory", "icd10", "departments"):
        names = [row.name for row in getattr(data, part)]
        assert [name for name, count in Counter(names).items() if count > 1] == [], part


def test_every_role_has_an_account_and_doctors_have_three_printed_ones(data: Dataset) -> None:
    listed = Counter(account.role for account in data.accounts if account.is_listed)
    assert set(listed) == {
        "administrator",
        "registrar",
        "cashier",
        "triage_nurse",
        "doctor",
        "scheduler",
        "device_operator",
        "auditor",
        "finance",
        "price_clerk",
    }
    assert listed["doctor"] >= 3


def test_every_doctor_with_a_session_can_log_in(data: Dataset) -> None:
    doctors = {account.staff_code for account in data.accounts if account.role == "doctor"}
    assert {entry.staff_code for entry in data.templates} <= doctors


def test_accounts_belong_to_staff_of_that_role(data: Dataset) -> None:
    roles = {row.code: row.roles for row in data.staff}
    for account in data.accounts:
        assert account.role in roles[account.staff_code], account


def test_no_room_and_no_doctor_is_booked_twice(data: Dataset) -> None:
    """Minute by minute: no room and no doctor is in two sessions at once."""
    rooms: Counter[tuple[str, int, int]] = Counter()
    doctors: Counter[tuple[str, int, int]] = Counter()
    for entry in data.templates:
        last = slot_minute(entry, entry.capacity) + entry.slot_minutes
        for minute in range(slot_minute(entry, 1), last):
            rooms[entry.room_code, entry.weekday, minute] += 1
            doctors[entry.staff_code, entry.weekday, minute] += 1
    assert max(rooms.values()) == 1
    assert max(doctors.values()) == 1
    half_days = Counter((e.staff_code, e.weekday, e.half_day) for e in data.templates)
    assert max(half_days.values()) == 1


def test_half_days_are_those_of_scheduling() -> None:
    assert {half.value: span for half, span in rules.SESSION_MINUTES.items()} == SESSION_MINUTES


def test_scheduling_accepts_every_session(data: Dataset) -> None:
    for entry in data.templates:
        rules.check_template(
            HalfDay(entry.half_day), entry.capacity, entry.slot_minutes, entry.starts_minute
        )


@pytest.mark.parametrize("weekday", WEEK)
def test_a_visit_can_begin_at_any_hour_of_any_day(data: Dataset, weekday: int) -> None:
    """The hospital is never shut: emergency leaves places in every half hour not yet over."""
    ends = [
        slot_minute(entry, number) + entry.slot_minutes
        for entry in data.templates
        if entry.weekday == weekday
        for number in range(1, entry.capacity + 1)
    ]
    for half_hour in range(0, 24 * 60, 30):
        assert sum(end > half_hour for end in ends) >= 15, half_hour
    assert sum(end > 22 * 60 for end in ends) >= 50


def test_nobody_in_emergency_has_two_turns_on_one_day(data: Dataset) -> None:
    emergency = {row.code for row in data.staff if row.department_code == "EMERG"}
    turns = Counter((e.staff_code, e.weekday) for e in data.templates if e.staff_code in emergency)
    assert max(turns.values()) == 1


def test_every_clinical_department_sees_patients_every_day(data: Dataset) -> None:
    department = {row.code: row.department_code for row in data.staff}
    days: dict[str, set[int]] = defaultdict(set)
    for entry in data.templates:
        days[department[entry.staff_code]].add(entry.weekday)
    clinical = {row.code for row in data.departments if row.kind == "clinical"}
    assert days == {code: set(WEEK) for code in clinical}


@pytest.mark.parametrize("weekday", WEEK)
@pytest.mark.parametrize("half_day", ["am", "pm"])
def test_six_departments_have_a_general_session_each_half_day(
    data: Dataset, weekday: int, half_day: str
) -> None:
    department = {row.code: row.department_code for row in data.staff}
    open_departments = {
        department[entry.staff_code]
        for entry in data.templates
        if (entry.weekday, entry.half_day, entry.visit_type) == (weekday, half_day, "general")
    }
    assert len(open_departments) >= 6


def test_visit_types_fit_the_titles_and_chiefs_sit_at_most_three_half_days(data: Dataset) -> None:
    title = {row.code: row.title for row in data.staff}
    fitting = {
        "chief": {"主任医师"},
        "special": {"主任医师"},
        "associate_chief": {"副主任医师"},
    }
    for entry in data.templates:
        assert title[entry.staff_code] in fitting.get(entry.visit_type, {title[entry.staff_code]})
        assert entry.room_code.startswith("OP-1-") or 6 <= entry.capacity <= 24
    sessions = Counter(e.staff_code for e in data.templates if e.visit_type in ("chief", "special"))
    assert max(sessions.values()) <= 3


def test_dearer_visits_are_those_of_higher_titles(data: Dataset) -> None:
    price = {item.code: item.price_fen for item in data.price_items}
    fees = [price[VISIT_FEES[kind]] for kind in ("general", "associate_chief", "chief", "special")]
    assert fees == sorted(set(fees))


def test_rooms_of_one_hall_have_different_names(data: Dataset) -> None:
    """A call says the room alone: two "二诊室" in one hall would send people astray."""
    name = {place.code: place.name for place in data.locations}
    hall = {queue.code: queue.hall_code for queue in data.queues}
    rooms = Counter((hall[row.queue_code], name[row.location_code]) for row in data.queue_rooms)
    assert max(rooms.values()) == 1


def test_every_clinical_department_has_a_queue_with_a_letter_of_its_own(data: Dataset) -> None:
    clinics = {queue.department_code for queue in data.queues if queue.kind == "clinic"}
    assert clinics == {row.code for row in data.departments if row.kind == "clinical"}
    prefixes = [queue.prefix for queue in data.queues]
    assert len(set(prefixes)) == len(prefixes)
    assert not {"I", "O"} & set(prefixes)  # they look like 1 and 0
    assert all(len(prefix) == 1 for prefix in prefixes)


def test_the_neoplasm_chapter_is_covered_by_site(data: Dataset) -> None:
    blocks = {row.code[:3] for row in data.icd10}
    for site in ("C11", "C15", "C16", "C18", "C20", "C22", "C25", "C34", "C50", "C53", "C61"):
        assert site in blocks
    codes = {row.code for row in data.icd10}
    assert {"Z51.1", "Z08.0", "C73", "C77.3", "D05.1", "I10"} <= codes
    neoplasms = [row for row in data.icd10 if "C00" <= row.code < "D49"]
    assert len(neoplasms) >= 250


def test_drugs_are_items_for_sale_with_a_category_of_their_own(data: Dataset) -> None:
    drugs = [item for item in data.sellable_items if item.category == "drug"]
    assert {item.code for item in drugs} == {drug.code for drug in data.drugs}
    assert all(drug.is_prescription for drug in data.drugs if drug.is_cytotoxic)


def test_slots_begin_one_after_the_other_within_the_half_day(data: Dataset) -> None:
    entry = data.templates[0]
    begin, end = SESSION_MINUTES[entry.half_day]
    assert slot_minute(entry, 1) == begin
    assert slot_minute(entry, entry.capacity) + entry.slot_minutes <= end
    with pytest.raises(ValueError, match="slot 0"):
        slot_minute(entry, 0)


def test_a_doctor_in_two_places_is_named(data: Dataset) -> None:
    twice = replace(data, templates=(*data.templates, data.templates[0]))
    problems = find_problems(twice, VISIT_FEES, SESSION_MINUTES)
    assert any("doctor in two places" in problem for problem in problems)
    assert any("room booked twice" in problem for problem in problems)


def test_a_broken_reference_is_named(data: Dataset) -> None:
    lost = replace(data.kiosks[0], location_code="NOWHERE")
    problems = find_problems(replace(data, kiosks=(lost,)), VISIT_FEES, SESSION_MINUTES)
    assert problems == ["kiosks: KIOSK-1 names unknown 'NOWHERE'"]


def _copy_with(folder: Path, name: str, old: str, new: str) -> Path:
    copy = folder / "data"
    shutil.copytree(DATA, copy)
    text = (copy / name).read_text(encoding="utf-8")
    assert old in text
    (copy / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("kiosks.csv", "code,name", "code,title", "columns"),
        ("kiosks.csv", ",OP-1-HALL", "", "2 cells instead of 3"),
        ("templates.csv", ",1,am,", ",Monday,am,", "not a whole number"),
        ("drugs.csv", ",1,1\n", ",1,yes\n", "neither 0 nor 1"),
        ("locations.csv", "OP-1,OP,floor", "OP-1,NO,floor", "stands before its parent"),
        ("icd10.csv", "C00.0", "C0.00", "no ICD-10 code"),
    ],
)
def test_a_torn_file_is_refused(
    tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        load_from(_copy_with(tmp_path, name, old, new))

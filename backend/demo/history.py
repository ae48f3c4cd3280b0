"""Thirty days of visits of the demo patients, as data: who saw whom, when, for what, paid how.

Nothing is written here. The plan respects the weekly templates (a slot is used once, a patient
has one visit a day) and each room's time (a doctor sees one patient after the other).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache

from backend.demo.dataset import load, slot_minute
from backend.demo.dice import Dice
from backend.demo.people import PersonSpec, patients
from backend.demo.records import CareRow, TemplateRow

DAYS = 30
#: China has one zone and no summer time; a fixed offset needs no zone files.
ZONE = timezone(timedelta(hours=8))
MINUTE = timedelta(minutes=1)
#: No visit begins after ten at night, so that every one is over by midnight.
LAST_MINUTE = 22 * 60
ORDER = {"am": 0, "pm": 1, "evening": 2}
_VISITS = ((1, 70), (2, 22), (3, 8))
_CHANNELS = (("kiosk", 38), ("wechat", 24), ("miniprogram", 20), ("counter", 18))
_CHANNELS_OLD = (("counter", 55), ("kiosk", 35), ("wechat", 10))
#: How many of a hundred patients each department sees, roughly.
_DEPARTMENT_WEIGHT = {"BREAST": 12, "GIMED": 10, "PULM": 10, "THORACIC": 8, "GYN": 8, "RADIO": 8}


@dataclass(frozen=True, slots=True)
class DrugOrderSpec:
    """``quantity`` packages of a drug, taken ``dose`` by ``route`` at ``frequency``."""

    drug_code: str
    quantity: int
    dose: str
    route: str
    frequency: str


@dataclass(frozen=True, slots=True)
class VisitSpec:
    """One planned visit; times are aware, at Shanghai's offset.

    ``channel`` is kiosk, counter, wechat or miniprogram; a ``tender`` is cash or wechat_native;
    an empty ``orders_tender`` beside orders is an invoice still due. ``outcome`` is completed,
    no_show, cancelled or, for a day still to come, booked; what did not happen is None or empty.
    """

    card_number: str
    day: date
    department_code: str
    staff_code: str
    half_day: str
    visit_type: str
    room_code: str
    slot_number: int
    starts_at: datetime
    channel: str
    booked_at: datetime
    fee_tender: str
    outcome: str
    cancelled_at: datetime | None = None
    arrived_at: datetime | None = None
    called_at: datetime | None = None
    finished_at: datetime | None = None
    complaint: str = ""
    history: str = ""
    examination: str = ""
    diagnosis_codes: tuple[str, ...] = ()
    laboratory_codes: tuple[str, ...] = ()
    item_codes: tuple[str, ...] = ()
    drug_orders: tuple[DrugOrderSpec, ...] = ()
    orders_tender: str = ""

    @property
    def has_orders(self) -> bool:
        """Whether the doctor ordered anything that is charged."""
        return bool(self.laboratory_codes or self.item_codes or self.drug_orders)

    @property
    def is_due(self) -> bool:
        """Whether the orders are still to be paid."""
        return self.has_orders and not self.orders_tender


def at_minute(day: date, minute: int) -> datetime:
    """Local time ``minute`` minutes after the midnight that begins ``day``."""
    return datetime.combine(day, time(), ZONE) + minute * MINUTE


class Rota:
    """The sessions of every day and the slots still free in them.

    A session is chosen by its number of places times the ``appeal`` of its visit type (one, unless named);
    ``limits`` says how many of a hundred of its places may be taken, by visit type (all, unless named).
    """

    def __init__(
        self, appeal: Mapping[str, int] | None = None, limits: Mapping[str, int] | None = None
    ) -> None:
        self._appeal, self._limits = appeal or {}, limits or {}
        data = load()
        department_of = {row.code: row.department_code for row in data.staff}
        self._sessions: dict[tuple[str, int], list[TemplateRow]] = defaultdict(list)
        for entry in data.templates:
            self._sessions[department_of[entry.staff_code], entry.weekday].append(entry)
        self._taken: dict[tuple[date, TemplateRow], set[int]] = defaultdict(set)

    def claim(self, dice: Dice, department: str, day: date) -> tuple[TemplateRow, int] | None:
        """A free slot of the department on the day, or None when it is full."""
        sessions = [
            (entry, entry.capacity * self._appeal.get(entry.visit_type, 1))
            for entry in self._sessions[department, day.isoweekday()]
            if self._free(day, entry)
        ]
        if not sessions:
            return None
        entry = dice.weighted(sessions)
        number = dice.pick(self._free(day, entry))
        self._taken[day, entry].add(number)
        return entry, number

    def _free(self, day: date, entry: TemplateRow) -> list[int]:
        taken = self._taken[day, entry]
        if len(taken) * 100 >= entry.capacity * self._limits.get(entry.visit_type, 100):
            return []
        numbers = range(1, entry.capacity + 1)
        return [n for n in numbers if n not in taken and slot_minute(entry, n) < LAST_MINUTE]


def department_for(dice: Dice, person: PersonSpec, age: int) -> str:
    fitting = {
        row.department_code
        for row in load().care
        if row.sex in ("", person.sex) and row.min_age <= age
    }
    return dice.weighted([(code, _DEPARTMENT_WEIGHT.get(code, 5)) for code in sorted(fitting)])


def _care(dice: Dice, department: str, sex: str, age: int) -> CareRow:
    rows = [
        (row, row.weight)
        for row in load().care
        if row.department_code == department and row.sex in ("", sex) and row.min_age <= age
    ]
    return dice.weighted(rows)


def _drug_orders(dice: Dice, care: CareRow) -> tuple[DrugOrderSpec, ...]:
    drugs = {row.code: row for row in load().drugs}
    chosen = (drugs[code] for code in care.drug_codes)
    return tuple(
        DrugOrderSpec(drug.code, dice.between(1, 3), drug.dose, drug.route, drug.frequency)
        for drug in chosen
    )


def channel_for(dice: Dice, person: PersonSpec, day: date) -> str:
    """Where such a patient books; the old rather at a counter."""
    return dice.weighted(_CHANNELS_OLD if person.age_on(day) >= 75 else _CHANNELS)


def fee_tender(dice: Dice, channel: str) -> str:
    """How a fee is paid there; cash is taken at the counter alone."""
    is_cash = channel == "counter" and dice.chance(60)
    return "cash" if is_cash else "wechat_native"


def _booking(dice: Dice, channel: str, starts_at: datetime) -> tuple[datetime, str]:
    """When the visit was booked and how its fee was paid."""
    opening = starts_at.replace(hour=7, minute=0)
    if starts_at.hour < 8:  # the night: nobody plans it, people come and register
        midnight = starts_at.replace(hour=0, minute=0)
        return max(midnight, starts_at - dice.between(5, 40) * MINUTE), "wechat_native"
    if channel in ("wechat", "miniprogram"):
        booked = opening - timedelta(days=dice.between(1, 12)) + dice.between(0, 780) * MINUTE
        return booked, "wechat_native"
    lead = max(1, int((starts_at - opening) / MINUTE) - 5)
    booked = opening + dice.below(lead) * MINUTE
    return booked, fee_tender(dice, channel)


def _outcome(dice: Dice, channel: str) -> str:
    """Who books on the spot comes; who books ahead may cancel or stay away."""
    if channel in ("kiosk", "counter"):
        return "completed"
    return dice.weighted((("completed", 88), ("cancelled", 7), ("no_show", 5)))


def _plan(
    dice: Dice, person: PersonSpec, department: str, day: date, claim: tuple[TemplateRow, int]
) -> VisitSpec:
    entry, number = claim
    starts_at = at_minute(day, slot_minute(entry, number))
    channel = "kiosk" if starts_at.hour < 8 else channel_for(dice, person, day)
    booked_at, tender = _booking(dice, channel, starts_at)
    visit = VisitSpec(
        card_number=person.card_number,
        day=day,
        department_code=department,
        staff_code=entry.staff_code,
        half_day=entry.half_day,
        visit_type=entry.visit_type,
        room_code=entry.room_code,
        slot_number=number,
        starts_at=starts_at,
        channel=channel,
        booked_at=booked_at,
        fee_tender=tender,
        outcome=_outcome(dice, channel),
    )
    if visit.outcome == "no_show":
        return visit
    if visit.outcome == "cancelled":
        notice = (starts_at - timedelta(days=1)).replace(hour=16, minute=dice.below(60))
        return replace(visit, cancelled_at=max(notice, booked_at + 5 * MINUTE))
    care = _care(dice, department, person.sex, person.age_on(day))
    seen = replace(
        visit,
        arrived_at=max(booked_at + 3 * MINUTE, starts_at - dice.between(3, 35) * MINUTE),
        complaint=care.complaint,
        history=care.history,
        examination=care.examination,
        diagnosis_codes=care.diagnosis_codes,
        laboratory_codes=care.laboratory_codes,
        item_codes=care.item_codes,
        drug_orders=_drug_orders(dice, care),
    )
    return replace(seen, orders_tender=tender) if seen.has_orders else seen


def _see_in_turn(dice: Dice, visits: list[VisitSpec]) -> list[VisitSpec]:
    """Give the visits of one session their calls, one after the other, in order of slots."""
    minutes = {
        (row.staff_code, row.weekday, row.half_day): row.slot_minutes for row in load().templates
    }
    free_at: datetime | None = None
    seen = []
    for visit in sorted(visits, key=lambda visit: visit.slot_number):
        if visit.arrived_at is None:
            seen.append(visit)
            continue
        called = max(visit.starts_at, visit.arrived_at, free_at or visit.starts_at)
        called += dice.below(3) * MINUTE
        longest = minutes[visit.staff_code, visit.day.isoweekday(), visit.half_day]
        free_at = called + dice.between(4, longest) * MINUTE
        seen.append(replace(visit, called_at=called, finished_at=free_at))
    return seen


def _leave_due(dice: Dice, visit: VisitSpec, day: date) -> VisitSpec:
    """A few of the last three days have not paid their orders: a kiosk has something due."""
    if visit.orders_tender and (day - visit.day).days <= 3 and dice.chance(8):
        return replace(visit, orders_tender="")
    return visit


@lru_cache(maxsize=2)
def history(day: date, count: int = 2000, days: int = DAYS) -> tuple[VisitSpec, ...]:
    """The visits of ``patients(day, count)`` on the ``days`` days before ``day``, by time.

    Everyone has at least one visit (unless a department was full that day), in one department;
    the same ``day`` gives the same visits on every machine.
    """
    dice = Dice("history", day)
    rota = Rota()
    sessions: dict[tuple[date, str, str], list[VisitSpec]] = defaultdict(list)
    for person in patients(day, count):
        # the age before the first visit: whoever fits then still fits on every later day
        department = department_for(dice, person, person.age_on(day - timedelta(days=days)))
        offsets = {dice.between(1, days) for _ in range(dice.weighted(_VISITS))}
        for offset in sorted(offsets, reverse=True):
            on = day - timedelta(days=offset)
            if claim := rota.claim(dice, department, on):
                visit = _plan(dice, person, department, on, claim)
                sessions[on, visit.staff_code, visit.half_day].append(visit)
    visits = [visit for key in sorted(sessions) for visit in _see_in_turn(dice, sessions[key])]
    visits = [_leave_due(dice, visit, day) for visit in visits]
    return tuple(sorted(visits, key=lambda v: (v.starts_at, v.staff_code, v.slot_number)))

"""The bookings of the coming days, as data: who will see whom, booked and paid on which past day, and who waits.

People come back to the department they know. The next days and the well-known doctors are asked for most: some of
their sessions are full, and others wait for a place in them. Today is left to whoever tries the demo, and so are the
notable patients, whom a demonstration plays.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from backend.demo.dataset import load, slot_minute
from backend.demo.dice import Dice
from backend.demo.history import (
    MINUTE,
    Rota,
    VisitSpec,
    at_minute,
    channel_for,
    fee_tender,
    history,
)
from backend.demo.people import NOTABLE_COUNT, PersonSpec, patients

#: Booking opens two weeks ahead at seven: until last night, a place of the thirteenth day from today.
WINDOW_DAYS = 14
DAYS = WINDOW_DAYS - 1
#: Minutes after midnight between which people book; at a counter or kiosk only while the hall is open.
_OPENS, _HALL_CLOSES, _PHONE_CLOSES = 7 * 60 + 5, 17 * 60, 21 * 60
#: Nobody plans an emergency.
_UNPLANNED = "EMERG"
#: Of a hundred patients, how many book, how many of those a second visit, how many of the bookings are given back.
_BOOKS, _BOOKS_AGAIN, _CANCELS = 50, 20, 5
#: How often one day is asked for, against the day before it.
_FADING = 80
#: How much more a place with such a doctor is asked for, and how many of a hundred of a session's may be taken.
_APPEAL = {"associate_chief": 4, "chief": 40, "special": 40}
_LIMITS = {"general": 45, "associate_chief": 70}
#: How many wait for a place of a full session, if there are so many who have none.
_LINE = (1, 4)


@dataclass(frozen=True, slots=True)
class WaitSpec:
    """One patient who stands in the line of a full session since ``joined_at`` (aware)."""

    card_number: str
    day: date
    staff_code: str
    half_day: str
    channel: str
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is booked for the coming days, by time, and who waits for more."""

    bookings: tuple[VisitSpec, ...]
    waits: tuple[WaitSpec, ...]


@lru_cache(maxsize=2)
def ahead(day: date, count: int = 2000) -> Ahead:
    """The bookings that ``patients(day, count)`` have made before ``day`` for the days after it.

    At most one visit a day and patient. The same ``day`` gives the same bookings on every machine.
    """
    dice = Dice("ahead", day)
    rota = Rota(_APPEAL, _LIMITS)
    homes = _homes(day, count)
    bookings: list[VisitSpec] = []
    idle: dict[str, list[PersonSpec]] = defaultdict(list)
    for person in patients(day, count)[NOTABLE_COUNT:]:
        department = homes.get(person.card_number, _UNPLANNED)
        if department == _UNPLANNED:
            continue
        if not dice.chance(_BOOKS):
            idle[department].append(person)
            continue
        for offset in sorted({_offset(dice) for _ in range(1 + dice.chance(_BOOKS_AGAIN))}):
            if booking := _book(dice, rota, person, department, day, offset):
                bookings.append(booking)
    bookings.sort(key=lambda v: (v.starts_at, v.staff_code, v.slot_number))
    return Ahead(tuple(bookings), tuple(_lines(dice, day, bookings, idle)))


def _homes(day: date, count: int) -> dict[str, str]:
    """The department each patient knows, by card; those who have just stayed away are not asked back."""
    visits = history(day, count)
    missed = {visit.card_number for visit in visits if visit.outcome == "no_show"}
    return {v.card_number: v.department_code for v in visits if v.card_number not in missed}


def _offset(dice: Dice) -> int:
    weights, weight = [], 10_000
    for offset in range(1, DAYS + 1):
        weights.append((offset, weight))
        weight = weight * _FADING // 100
    return dice.weighted(weights)


def _book(
    dice: Dice, rota: Rota, person: PersonSpec, department: str, day: date, offset: int
) -> VisitSpec | None:
    """A booking ``offset`` days after ``day``; None when the department has no place to give then."""
    on = day + timedelta(days=offset)
    claim = rota.claim(dice, department, on)
    if claim is None:
        return None
    entry, number = claim
    channel = channel_for(dice, person, on)
    closes = _HALL_CLOSES if channel in ("counter", "kiosk") else _PHONE_CLOSES
    booked_on = day - timedelta(days=dice.between(1, WINDOW_DAYS - offset))
    booked_at = at_minute(booked_on, dice.between(_OPENS, closes))
    booking = VisitSpec(
        card_number=person.card_number,
        day=on,
        department_code=department,
        staff_code=entry.staff_code,
        half_day=entry.half_day,
        visit_type=entry.visit_type,
        room_code=entry.room_code,
        slot_number=number,
        starts_at=at_minute(on, slot_minute(entry, number)),
        channel=channel,
        booked_at=booked_at,
        fee_tender=fee_tender(dice, channel),
        outcome="booked",
    )
    if booking.fee_tender == "cash" or not dice.chance(_CANCELS):
        return booking  # who has come to the counter for it, comes
    last_night = at_minute(day - timedelta(days=1), _PHONE_CLOSES)
    left = int((last_night - booked_at) / MINUTE)
    return replace(
        booking, outcome="cancelled", cancelled_at=booked_at + dice.between(0, left) * MINUTE
    )


def _lines(
    dice: Dice, day: date, bookings: list[VisitSpec], idle: dict[str, list[PersonSpec]]
) -> list[WaitSpec]:
    """Who has waited since last night for a place of each full session."""
    places = {(e.staff_code, e.weekday, e.half_day): e.capacity for e in load().templates}
    taken: dict[tuple[date, str, str], list[VisitSpec]] = defaultdict(list)
    for booking in bookings:
        if booking.outcome == "booked":
            taken[booking.day, booking.staff_code, booking.half_day].append(booking)
    waits: list[WaitSpec] = []
    for (on, staff_code, half_day), booked in taken.items():
        if len(booked) < places[staff_code, on.isoweekday(), half_day]:
            continue
        wanting = idle[booked[0].department_code]
        for _ in range(min(dice.between(*_LINE), len(wanting))):
            person = wanting.pop(dice.below(len(wanting)))
            joined_at = at_minute(day - timedelta(days=1), _PHONE_CLOSES + 1 + len(waits) % 120)
            channel = "wechat" if dice.chance(60) else "miniprogram"
            waits.append(WaitSpec(person.card_number, on, staff_code, half_day, channel, joined_at))
    return waits

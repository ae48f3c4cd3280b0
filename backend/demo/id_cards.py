"""What stands on the resident ID card of a demo person, for a simulated card to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from backend.demo.dataset import load
from backend.demo.dice import Dice
from backend.demo.people import PersonSpec


@dataclass(frozen=True, slots=True)
class IdCardSpec:
    """The text of a second-generation ID card; ``valid_until`` None is 长期 (no end).

    ``sex`` is 1 or 2 (GB/T 2261.1), ``ethnic_group`` a code of GB/T 3304.
    """

    name: str
    sex: str
    ethnic_group: str
    birth_date: date
    address: str
    number: str
    authority: str
    valid_from: date
    valid_until: date | None


def _years_valid(age: int) -> int | None:
    """How long a card is issued for at an age (Resident Identity Card Law, article 5)."""
    if age < 16:
        return 5
    if age <= 25:
        return 10
    return 20 if age <= 45 else None


def _authority(number: str) -> str:
    area = next(area for area in load().areas if area.code == number[:6])
    if area.county.endswith("区"):
        return f"{area.city}公安局{area.county.removesuffix('区')}分局"
    return f"{area.county}公安局"


def years_on(start: date, years: int) -> date:
    """The same day ``years`` later; 29 February becomes the 28th."""
    is_leap_day = (start.month, start.day) == (2, 29)
    return start.replace(year=start.year + years, day=28 if is_leap_day else start.day)


def id_card_of(person: PersonSpec, day: date) -> IdCardSpec:
    """The card ``person`` carries on ``day``: issued within the last four years, still valid.

    Raises ValueError for a person without a resident ID card.
    """
    if person.id_kind != "01":
        raise ValueError("a foreign document is no resident ID card")
    dice = Dice("id-card", person.id_number)
    issued = max(person.birth_date, day - timedelta(days=dice.between(1, 4 * 365)))
    years = _years_valid(person.age_on(issued))
    return IdCardSpec(
        name=person.name,
        sex=person.gb_sex,
        ethnic_group=person.ethnic_group,
        birth_date=person.birth_date,
        address=person.address,
        number=person.id_number,
        authority=_authority(person.id_number),
        valid_from=issued,
        valid_until=None if years is None else years_on(issued, years),
    )

"""The demo patients and the walk-ins: who they are, the same for a given seed on every machine.

ID numbers are well formed (GB 11643) and invented; telephone numbers use a prefix that we know
of no operator to give out, so that no message of a demo can reach anyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from backend.demo.dataset import load
from backend.demo.dice import Dice
from backend.demo.names import minority_name
from backend.demo.records import AreaRow

PHONE_PREFIX = "154"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
#: (youngest, oldest, weight): an oncology hospital sees few children and many over fifty.
_AGES = (
    ((1, 14), 1),
    ((15, 29), 5),
    ((30, 39), 10),
    ((40, 49), 18),
    ((50, 59), 26),
    ((60, 69), 25),
    ((70, 79), 11),
    ((80, 94), 4),
)
_GROUPS = (
    ("01", 905),
    ("03", 14),
    ("05", 16),
    ("11", 14),
    ("08", 14),
    ("02", 10),
    ("04", 10),
    ("07", 8),
    ("10", 6),
    ("17", 3),
)
_HOME_OF = {
    "02": ("15",),
    "04": ("54", "63"),
    "05": ("65",),
    "07": ("5134",),
    "08": ("45",),
    "10": ("2224",),
    "17": ("65",),
}
_STREETS = "杏花路 建设路 人民路 解放街 文化巷 滨河路 朝阳街 青年路 和平里 长安街 新华路 学府路"
_ESTATES = "康宁小区 锦绣家园 杏林苑 翠湖花园 阳光新村 东风里 书香名邸 万和城"


@dataclass(frozen=True, slots=True)
class PersonSpec:
    """One invented person.

    ``sex`` is M or F; ``id_kind`` follows WS 364 CV02.01.101 (01 resident ID card, 03 passport,
    06 Hong Kong and Macao travel permit, 07 Taiwan travel permit); ``ethnic_group`` follows
    GB/T 3304 and is empty for foreigners; ``nationality`` is a three-letter code (GB/T 2659);
    ``card_number`` is the hospital card (empty for walk-ins); ``allergies`` are drug names.
    """

    name: str
    sex: str
    birth_date: date
    id_kind: str
    id_number: str
    phone: str
    address: str
    ethnic_group: str
    nationality: str
    card_number: str
    allergies: tuple[str, ...] = ()

    @property
    def gb_sex(self) -> str:
        """The sex as GB/T 2261.1 writes it: 1 male, 2 female."""
        return "1" if self.sex == "M" else "2"

    def age_on(self, day: date) -> int:
        """Completed years on ``day``."""
        had_birthday = (day.month, day.day) >= (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - (0 if had_birthday else 1)


def check_character(first_seventeen: str) -> str:
    """The last character of a resident ID number (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(
        int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True)
    )
    return _CHECK[total % 11]


def _id_number(dice: Dice, area: str, birth: date, sex: str) -> str:
    order = dice.between(0, 498) * 2 + (1 if sex == "M" else 2)
    body = f"{area}{birth:%Y%m%d}{order:03d}"
    return body + check_character(body)


def _area(dice: Dice, ethnic_group: str) -> AreaRow:
    areas = load().areas
    homes = _HOME_OF.get(ethnic_group)
    if homes and dice.chance(80):
        areas = tuple(area for area in areas if area.code.startswith(homes))
    return dice.pick(areas)


def _address(dice: Dice, area: AreaRow) -> str:
    city = "" if area.city == area.province else area.city
    street = f"{dice.pick(_STREETS.split())}{dice.between(1, 398)}号"
    flat = f"{dice.between(1, 18)}栋{dice.between(1, 26)}0{dice.between(1, 4)}室"
    home = f"{area.province}{city}{area.county}{street}"
    estate = dice.pick(_ESTATES.split())
    # an ID card holds 35 characters of address (GA 467: 70 bytes of UTF-16)
    return home + estate + flat if len(home + estate + flat) <= 35 else home + flat


def _birth(dice: Dice, seed: date) -> date:
    youngest, oldest = dice.weighted(_AGES)
    years = dice.between(youngest, oldest)
    return seed - timedelta(days=years * 36525 // 100 + dice.between(1, 364))


def _phone(index: int) -> str:
    return f"{PHONE_PREFIX}{index:08d}"


def _card(index: int) -> str:
    return f"XL{index:08d}"


def _person(dice: Dice, seed: date, phone: str, card: str) -> PersonSpec:
    sex = "F" if dice.chance(53) else "M"
    group = dice.weighted(_GROUPS)
    area = _area(dice, group)
    birth = _birth(dice, seed)
    allergies = ("青霉素类",) if dice.chance(4) else ("碘对比剂",) if dice.chance(2) else ()
    return PersonSpec(
        name=minority_name(dice, sex, group),
        sex=sex,
        birth_date=birth,
        id_kind="01",
        id_number=_id_number(dice, area.code, birth, sex),
        phone=phone,
        address=_address(dice, area),
        ethnic_group=group,
        nationality="CHN",
        card_number=card,
        allergies=allergies,
    )


#: People whom a demo must hold: name, sex, age, ethnic group, county. Two are namesakes, two are
#: hard to print (a character beyond the basic plane, a rare one), two are as long as names get.
_NOTABLE = (
    ("张伟", "M", 46, "01", "110101"),
    ("张伟", "M", 61, "01", "420106"),
    ("王秀英", "F", 86, "01", "370102"),
    ("李桂兰", "F", 93, "01", "410105"),
    ("陈国栋", "M", 81, "01", "310104"),
    ("欧阳若曦", "F", 34, "01", "430104"),
    ("古丽米热·阿卜杜克热木", "F", 41, "05", "653101"),
    ("阿卜杜热西提·麦麦提图尔荪", "M", 58, "05", "653101"),
    ("尼玛扎西次仁", "M", 52, "04", "540102"),
    ("阿牛木呷", "M", 39, "07", "513401"),
    ("朴成焕", "M", 67, "10", "222401"),
    ("龚䶮", "M", 29, "01", "320102"),
    ("王𬱖", "M", 55, "01", "330106"),
    ("查良", "M", 44, "01", "340104"),
    ("单小满", "F", 8, "01", "510107"),
)
#: name, sex, birth date, document kind and number, ethnic group, nationality, address.
_FOREIGN = (
    ("Eleanor Margaret Whitfield", "F", (1958, 3, 14), "03", "999000117", "", "GBR"),
    ("黎咏诗", "F", (1971, 8, 2), "06", "H00001289", "01", "CHN"),
    ("简志豪", "M", (1964, 11, 23), "07", "00012863", "01", "CHN"),
)


def _notable(seed: date) -> list[PersonSpec]:
    areas = {area.code: area for area in load().areas}
    people = []
    for index, (name, sex, age, group, county) in enumerate(_NOTABLE, 1):
        dice = Dice("notable", seed, index)
        birth = seed - timedelta(days=age * 36525 // 100 + 20 + 21 * index)
        people.append(
            PersonSpec(
                name=name,
                sex=sex,
                birth_date=birth,
                id_kind="01",
                id_number=_id_number(dice, county, birth, sex),
                phone=_phone(index),
                address=_address(dice, areas[county]),
                ethnic_group=group,
                nationality="CHN",
                card_number=_card(index),
                allergies=("青霉素类", "磺胺类") if index == 1 else (),
            )
        )
    for index, (name, sex, birth_parts, kind, number, group, nation) in enumerate(
        _FOREIGN, len(people) + 1
    ):
        people.append(
            PersonSpec(
                name=name,
                sex=sex,
                birth_date=date(*birth_parts),
                id_kind=kind,
                id_number=number,
                phone=_phone(index),
                address="杏林市国际公寓",
                ethnic_group=group,
                nationality=nation,
                card_number=_card(index),
            )
        )
    return people


#: How many notable people come first among the patients.
NOTABLE_COUNT = len(_NOTABLE) + len(_FOREIGN)


@lru_cache(maxsize=4)
def patients(seed: date, count: int = 2000) -> tuple[PersonSpec, ...]:
    """``count`` patients, the same for the same ``seed``; no two share an ID number.

    The notable ones come first (namesakes, the very old, long and rare names, foreigners), so
    any count of 18 or more holds them all.
    """
    people = _notable(seed)[:count]
    taken = {person.id_number for person in people}
    dice = Dice("patients", seed)
    while len(people) < count:
        index = len(people) + 1
        person = _person(dice, seed, _phone(index), _card(index))
        if person.id_number not in taken:
            taken.add(person.id_number)
            people.append(person)
    return tuple(people)


def walk_ins(seed: date, count: int) -> tuple[PersonSpec, ...]:
    """``count`` people of eighteen and over with ID cards who are not among ``patients(seed)``.

    They have no hospital card: a kiosk meets them for the first time.
    """
    taken = {person.id_number for person in patients(seed)}
    dice = Dice("walk-ins", seed)
    people: list[PersonSpec] = []
    while len(people) < count:
        person = _person(dice, seed, _phone(50_000_000 + len(people)), "")
        if person.age_on(seed) >= 18 and person.id_number not in taken:
            taken.add(person.id_number)
            people.append(person)
    return tuple(people)

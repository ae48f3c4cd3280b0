"""The demo patients are well-formed people, never the same twice and always the same again."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from datetime import date, timedelta

import pytest

from backend.demo.dataset import load
from backend.demo.dice import Dice
from backend.demo.people import PersonSpec, patients, walk_ins

DAY = date(2026, 11, 23)
#: GB 11643-1999: weight of position i (18…2) is 2^(i-1) mod 11.
WEIGHTS = [pow(2, 18 - position, 11) for position in range(1, 18)]


def is_valid_id_number(number: str) -> bool:
    """The check of the standard, written here anew: ISO 7064 MOD 11-2 sums to 1 modulo 11."""
    if not re.fullmatch(r"\d{17}[\dX]", number):
        return False
    last = 10 if number[17] == "X" else int(number[17])
    total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False))
    return (total + last) % 11 == 1


@pytest.fixture(scope="module")
def people() -> tuple[PersonSpec, ...]:
    return patients(DAY)


def test_the_check_itself_knows_a_published_example() -> None:
    assert is_valid_id_number("11010519491231002X")  # the example of GB 11643-1999
    assert not is_valid_id_number("110105194912310021")


def test_there_are_two_thousand_with_numbers_cards_and_phones_of_their_own(
    people: tuple[PersonSpec, ...],
) -> None:
    assert len(people) == 2000
    for field in ("id_number", "card_number", "phone"):
        assert len({getattr(person, field) for person in people}) == 2000, field


def test_resident_numbers_hold_area_birth_sex_and_check(people: tuple[PersonSpec, ...]) -> None:
    areas = {area.code for area in load().areas}
    for person in people:
        if person.id_kind != "01":
            continue
        number = person.id_number
        assert is_valid_id_number(number), number
        assert number[:6] in areas
        assert number[6:14] == f"{person.birth_date:%Y%m%d}"
        assert (int(number[16]) % 2 == 1) == (person.sex == "M")


def test_phones_and_cards_are_well_formed(people: tuple[PersonSpec, ...]) -> None:
    for person in people:
        assert re.fullmatch(r"1[3-9]\d{9}", person.phone)
        assert re.fullmatch(r"XL\d{8}", person.card_number)


def test_what_a_resident_card_holds_fits_its_fields(people: tuple[PersonSpec, ...]) -> None:
    for person in (*people, *walk_ins(DAY, 200)):
        assert person.name.strip() == person.name
        if person.id_kind == "01":  # GA 467: 30 and 70 bytes of UTF-16
            assert 2 <= len(person.name) <= 15
            assert len(person.name.encode("utf-16-le")) <= 30, person.name
            assert len(person.address.encode("utf-16-le")) <= 70, person.address


def test_every_name_can_be_sent_to_a_receipt_printer(people: tuple[PersonSpec, ...]) -> None:
    for person in people:
        assert person.name.encode("gb18030").decode("gb18030") == person.name


def test_ages_are_those_of_an_oncology_hospital(people: tuple[PersonSpec, ...]) -> None:
    ages = [person.age_on(DAY) for person in people]
    assert min(ages) >= 0
    assert max(ages) < 100
    assert sum(age >= 50 for age in ages) > 1200
    assert 10 <= sum(age < 18 for age in ages) <= 120
    assert sum(age >= 80 for age in ages) >= 20
    assert all(person.birth_date < DAY for person in people)


def test_the_notable_ones_are_there(people: tuple[PersonSpec, ...]) -> None:
    names = Counter(person.name for person in people)
    assert names["张伟"] >= 2
    assert any(len(name) >= 12 and "·" in name for name in names)
    assert any(ord(character) > 0xFFFF for name in names for character in name)
    assert {person.id_kind for person in people} == {"01", "03", "06", "07"}
    foreign = [person for person in people if person.id_kind == "03"]
    assert all(person.name.isascii() and person.ethnic_group == "" for person in foreign)
    assert len({person.ethnic_group for person in people}) >= 9
    assert any(person.allergies for person in people)


def test_names_are_letters_dots_and_spaces_only(people: tuple[PersonSpec, ...]) -> None:
    for person in people:
        for character in person.name:
            assert character in "· " or unicodedata.category(character)[0] == "L", person.name


def test_another_day_gives_other_people_and_the_same_day_the_same(
    people: tuple[PersonSpec, ...],
) -> None:
    patients.cache_clear()
    assert patients(DAY) == people
    assert patients(DAY + timedelta(days=1)) != people
    assert patients(DAY, 100) == people[:100]


def test_walk_ins_are_adults_with_cards_whom_the_hospital_does_not_know(
    people: tuple[PersonSpec, ...],
) -> None:
    known = {person.id_number for person in people}
    phones = {person.phone for person in people}
    strangers = walk_ins(DAY, 200)
    assert len({person.id_number for person in strangers}) == 200
    for person in strangers:
        assert person.id_number not in known
        assert person.phone not in phones
        assert is_valid_id_number(person.id_number)
        assert person.age_on(DAY) >= 18
        assert person.card_number == ""
    assert walk_ins(DAY, 10) == strangers[:10]


def test_sex_is_also_told_in_the_national_code() -> None:
    woman, man = patients(DAY)[2], patients(DAY)[0]
    assert (woman.gb_sex, man.gb_sex) == ("2", "1")


def test_dice_are_the_bytes_of_sha256_over_a_counter() -> None:
    """The stream is a published function, so no change of Python can change a demo."""
    block = hashlib.sha256(b"a|1" + (1).to_bytes(8, "big")).digest()
    block += hashlib.sha256(b"a|1" + (2).to_bytes(8, "big")).digest()
    expected = [int.from_bytes(block[i : i + 8], "big") % 100 for i in range(0, 64, 8)]
    dice = Dice("a", 1)
    assert [dice.below(100) for _ in range(8)] == expected


def test_weights_decide_and_no_choice_is_an_error() -> None:
    assert Dice("x").weighted([("never", 0), ("always", 1)]) == "always"
    with pytest.raises(ValueError, match="weight"):
        Dice("x").weighted([])

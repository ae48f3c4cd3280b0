"""The cards of the demo people are valid, of the right term and fit the fields of GA 467."""

from __future__ import annotations

from datetime import date

import pytest

from backend.demo.id_cards import id_card_of, years_on
from backend.demo.people import patients, walk_ins

DAY = date(2026, 11, 23)


def test_every_card_is_valid_on_the_day_and_fits_its_fields() -> None:
    for person in (*patients(DAY, 300), *walk_ins(DAY, 100)):
        if person.id_kind != "01":
            continue
        card = id_card_of(person, DAY)
        assert card.valid_from < DAY
        assert card.valid_until is None or card.valid_until > DAY
        assert len(card.authority.encode("utf-16-le")) <= 30, card.authority
        assert card.authority.endswith(("公安局", "分局"))
        assert card.number == person.id_number


def test_the_term_follows_the_age_at_issue() -> None:
    terms: set[int | None] = set()
    for person in patients(DAY):
        if person.id_kind != "01":
            continue
        card = id_card_of(person, DAY)
        age = person.age_on(card.valid_from)
        if card.valid_until is None:
            assert age > 45
            terms.add(None)
        else:
            years = card.valid_until.year - card.valid_from.year
            assert years == (5 if age < 16 else 10 if age <= 25 else 20)
            terms.add(years)
    assert terms == {None, 5, 10, 20}


def test_a_card_issued_on_a_leap_day_ends_on_the_twenty_eighth() -> None:
    assert years_on(date(2024, 2, 29), 5) == date(2029, 2, 28)
    assert years_on(date(2024, 2, 28), 20) == date(2044, 2, 28)


def test_a_foreigner_has_none() -> None:
    foreigner = next(person for person in patients(DAY) if person.id_kind == "03")
    with pytest.raises(ValueError, match="no resident ID card"):
        id_card_of(foreigner, DAY)

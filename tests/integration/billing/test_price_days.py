"""A charge costs what the list says on its day, and the day changes at midnight in Shanghai."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.billing import service
from backend.billing.errors import PriceUnknown
from backend.billing.rules import PriceCategory
from backend.kernel.clock import FixedClock, at_local
from backend.kernel.ids import new_id
from tests.factories.billing import MoneyWorld
from tests.factories.databases import SYSTEM

LAST_OLD_DAY = dt.date(2026, 12, 31)
FIRST_NEW_DAY = dt.date(2027, 1, 1)


def set_price(world: MoneyWorld, price_fen: int, day: dt.date, code: str = "LAB-CBC") -> None:
    with world.database.write(SYSTEM) as session:
        service.set_price(
            session,
            hospital_id=world.hospital_id,
            code=code,
            name="血常规（五分类）",
            unit="次",
            category=PriceCategory.LABORATORY,
            price_fen=price_fen,
            effective_from=day,
        )


def charge_at(world: MoneyWorld, moment: dt.datetime, code: str = "LAB-CBC") -> int:
    clock = world.database.clock
    assert isinstance(clock, FixedClock)
    clock.set(moment)
    with world.database.write(SYSTEM) as session:
        return world.charge_in(session, code).amount_fen


@pytest.mark.parametrize(
    ("moment", "price_fen"),
    [
        (at_local(LAST_OLD_DAY, dt.time(23, 59, 59, 999999)), 2000),
        (at_local(FIRST_NEW_DAY, dt.time.min), 2300),
        # still the old year in UTC, the new day in Shanghai
        (dt.datetime(2026, 12, 31, 16, 0, tzinfo=dt.UTC), 2300),
        (dt.datetime(2026, 12, 31, 15, 59, 59, tzinfo=dt.UTC), 2000),
    ],
)
def test_the_price_changes_at_midnight(
    world: MoneyWorld, moment: dt.datetime, price_fen: int
) -> None:
    set_price(world, 2300, FIRST_NEW_DAY)
    assert charge_at(world, moment) == price_fen


def test_a_charge_keeps_the_price_of_its_day(world: MoneyWorld) -> None:
    set_price(world, 2300, FIRST_NEW_DAY)
    source = new_id()

    def raise_at(moment: dt.datetime) -> int:
        clock = world.database.clock
        assert isinstance(clock, FixedClock)
        clock.set(moment)
        with world.database.write(SYSTEM, housekeeping=True) as session:
            return service.raise_charge(
                session,
                hospital_id=world.hospital_id,
                patient_id=world.patient_id,
                price_item_code="LAB-CBC",
                quantity=1,
                source_kind="order",
                source_id=source,
            ).amount_fen

    assert raise_at(at_local(LAST_OLD_DAY, dt.time(23, 59))) == 2000
    assert raise_at(at_local(FIRST_NEW_DAY, dt.time(0, 1))) == 2000


def test_a_leap_day_has_its_own_price(world: MoneyWorld) -> None:
    leap = dt.date(2028, 2, 29)
    set_price(world, 100, leap)
    set_price(world, 2000, dt.date(2028, 3, 1))
    assert charge_at(world, at_local(dt.date(2028, 2, 28), dt.time(23, 59))) == 2000
    assert charge_at(world, at_local(leap, dt.time(12))) == 100
    assert charge_at(world, at_local(dt.date(2028, 3, 1), dt.time.min)) == 2000


def test_nothing_is_charged_before_the_first_price(world: MoneyWorld) -> None:
    set_price(world, 500, FIRST_NEW_DAY, code="LAB-NEW")
    with pytest.raises(PriceUnknown):
        charge_at(world, at_local(LAST_OLD_DAY, dt.time(23, 59, 59)), code="LAB-NEW")
    assert charge_at(world, at_local(FIRST_NEW_DAY, dt.time.min), code="LAB-NEW") == 500

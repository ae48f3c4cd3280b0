"""Edits of the price list on both databases: the past stands, plans can change, forms grow stale, imports are whole."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import queries, service
from backend.billing.errors import (
    FirstPrice,
    ImportChanged,
    PriceCodeTaken,
    PriceInForce,
    PriceUnknown,
)
from backend.billing.models import PriceItem, PriceVersion
from backend.billing.queries import price_edits
from backend.billing.rules import PriceCategory, price_list
from backend.billing.services import price_changes
from backend.kernel import history
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock
from backend.kernel.errors import InvalidInput, StaleVersion
from backend.kernel.ids import new_id
from backend.kernel.uow import Database, today
from backend.organization.service import add_hospital
from tests.factories.billing import MoneyWorld, make_world
from tests.factories.databases import SYSTEM

DAY = dt.timedelta(days=1)
HEAD = "编码,名称,单位,类别,单价,生效日期\n"


@pytest.fixture
def world(database: Database) -> MoneyWorld:
    return make_world(database)


def item_of(world: MoneyWorld, code: str = "CT-CHEST") -> price_edits.ItemView:
    with world.database.read(SYSTEM) as session:
        item_id = session.scalars(select(PriceItem.id).where(PriceItem.code == code)).one()
        return price_edits.get_item(
            session, item_id, hospital_id=world.hospital_id, on=today(session)
        )


def plan(world: MoneyWorld, price_fen: int, days: int, code: str = "CT-CHEST") -> None:
    item = item_of(world, code)
    with world.database.write(SYSTEM) as session:
        service.plan_price(
            session,
            item.item_id,
            hospital_id=world.hospital_id,
            version=item.version,
            price_fen=price_fen,
            effective_from=today(session) + days * DAY,
        )


def days_of(world: MoneyWorld, code: str = "CT-CHEST") -> list[tuple[int, int, int | None]]:
    """(price, first day from today, last day from today or None), the earliest first."""
    with world.database.read(SYSTEM) as session:
        begin = today(session)
    return [
        (
            each.price_fen,
            (each.first - begin).days,
            (each.last - begin).days if each.last else None,
        )
        for each in reversed(item_of(world, code).prices)
    ]


def price_on(world: MoneyWorld, days: int) -> int:
    with world.database.read(SYSTEM) as session:
        on = today(session) + days * DAY
        return queries.get_price(session, world.hospital_id, "CT-CHEST", on).price_fen


def test_plans_are_put_between_each_other_in_any_order(world: MoneyWorld) -> None:
    plan(world, 30000, 30)
    plan(world, 20000, 10)
    plan(world, 25000, 20)
    assert days_of(world) == [
        (18000, 0, 9),
        (20000, 10, 19),
        (25000, 20, 29),
        (30000, 30, None),
    ]
    assert [price_on(world, n) for n in (0, 9, 10, 20, 29, 30, 400)] == [
        18000, 18000, 20000, 25000, 25000, 30000, 30000,
    ]  # fmt: skip
    plan(world, 26000, 20)  # the same day: replaced
    assert days_of(world)[2] == (26000, 20, 29)


def test_a_planned_price_is_taken_back_and_the_one_before_goes_on(
    world: MoneyWorld, clock: FixedClock
) -> None:
    plan(world, 20000, 10)
    plan(world, 30000, 30)
    item = item_of(world)
    clock.advance(dt.timedelta(seconds=1))
    with world.database.write(SYSTEM) as session:
        service.cancel_price(
            session,
            item.item_id,
            item.prices[1].price_id,
            hospital_id=world.hospital_id,
            version=item.version,
        )
    with pytest.raises(StaleVersion), world.database.write(SYSTEM) as session:
        service.cancel_price(
            session,
            item.item_id,
            item.prices[0].price_id,
            hospital_id=world.hospital_id,
            version=item.version,
        )
    assert days_of(world) == [(18000, 0, 29), (30000, 30, None)]
    with pytest.raises(PriceUnknown), world.database.write(SYSTEM) as session:
        service.cancel_price(
            session,
            item.item_id,
            item.prices[1].price_id,
            hospital_id=world.hospital_id,
            version=item_of(world).version,
        )


def test_what_came_into_force_stays(world: MoneyWorld, clock: FixedClock) -> None:
    plan(world, 20000, 1)
    planned = item_of(world)
    clock.advance(DAY)
    with pytest.raises(PriceInForce), world.database.write(SYSTEM) as session:
        service.cancel_price(
            session,
            planned.item_id,
            planned.prices[0].price_id,
            hospital_id=world.hospital_id,
            version=planned.version,
        )
    for days in (0, -1):
        with pytest.raises(InvalidInput):
            plan(world, 1, days)
    assert price_on(world, 0) == 20000


def test_the_only_price_of_a_new_item_cannot_be_taken_away(world: MoneyWorld) -> None:
    with world.database.write(SYSTEM) as session:
        item = service.create_item(
            session,
            hospital_id=world.hospital_id,
            code="new-1",
            name="远程会诊",
            unit="次",
            category=PriceCategory.CONSULTATION,
            price_fen=5000,
            effective_from=today(session) + 5 * DAY,
        )
        item_id = item.id
    view = item_of(world, "NEW-1")
    assert view.price_today is None
    with pytest.raises(FirstPrice), world.database.write(SYSTEM) as session:
        service.cancel_price(
            session,
            item_id,
            view.prices[0].price_id,
            hospital_id=world.hospital_id,
            version=view.version,
        )
    with pytest.raises(PriceCodeTaken), world.database.write(SYSTEM) as session:
        service.create_item(
            session,
            hospital_id=world.hospital_id,
            code="NEW-1",
            name="x",
            unit="次",
            category=PriceCategory.OTHER,
            price_fen=1,
            effective_from=today(session),
        )


def test_a_stale_form_is_refused_and_told_what_the_other_changed(world: MoneyWorld) -> None:
    opened = item_of(world)
    plan(world, 20000, 10)

    def save(version: int) -> None:
        with world.database.write(SYSTEM) as session:
            service.edit_item(
                session,
                opened.item_id,
                hospital_id=world.hospital_id,
                version=version,
                name="胸部CT平扫（低剂量）",
                unit="次",
                category=PriceCategory.IMAGING,
            )

    with pytest.raises(StaleVersion):
        save(opened.version)
    with world.database.read(SYSTEM) as session:
        since = history.list_since(session, "price_item", opened.item_id, opened.version)
    assert [entry.changes["price"][0] for entry in since] == ["¥180.00"]
    assert "¥200.00" in since[0].changes["price"][1]
    save(item_of(world).version)
    with world.database.read(SYSTEM) as session:
        entries = history.list_entries(session, "price_item", opened.item_id)
    assert entries[0].changes == {"name": ("胸部CT平扫", "胸部CT平扫（低剂量）")}
    assert item_of(world).version == opened.version + 2


def test_a_switched_off_item_cannot_be_charged_and_comes_back_as_it_was(world: MoneyWorld) -> None:
    item = item_of(world)
    for is_active in (False, False, True):
        with world.database.write(SYSTEM, housekeeping=True) as session:
            service.set_item_active(
                session,
                item.item_id,
                hospital_id=world.hospital_id,
                version=item_of(world).version,
                is_active=is_active,
            )
        if not is_active:
            with pytest.raises(PriceUnknown):
                price_on(world, 0)
    assert price_on(world, 0) == 18000
    with pytest.raises(StaleVersion), world.database.write(SYSTEM) as session:
        service.set_item_active(
            session,
            item.item_id,
            hospital_id=world.hospital_id,
            version=item.version,
            is_active=False,
        )


def test_another_hospitals_item_is_unknown(world: MoneyWorld) -> None:
    item = item_of(world)
    with world.database.write(SYSTEM) as session:
        other = add_hospital(session, code="H2", name="别的医院").id
    with pytest.raises(PriceUnknown), world.database.write(SYSTEM) as session:
        service.set_item_active(
            session, item.item_id, hospital_id=other, version=item.version, is_active=False
        )


def run_import(world: MoneyWorld, text: str, digest: str | None = None) -> int:
    """Preview and carry out, with ``digest`` given instead of the preview's when not None."""
    categories = {kind.value: kind for kind in PriceCategory}

    def make(session: Session) -> price_list.ImportPlan:
        rows, errors = price_list.parse_import(
            HEAD + text, default_day=dt.date(2026, 11, 24), categories=categories
        )
        return service.make_import_plan(
            session,
            hospital_id=world.hospital_id,
            rows=rows,
            errors=errors,
        )

    with world.database.read(SYSTEM) as session:
        shown = make(session).digest
    with world.database.write(SYSTEM) as session:
        service.lock_price_list(session, world.hospital_id)
        return service.import_prices(
            session, hospital_id=world.hospital_id, plan=make(session), digest=digest or shown
        )


def everything(world: MoneyWorld) -> list[object]:
    with world.database.read(SYSTEM) as session:
        items = session.execute(select(PriceItem.code, PriceItem.name).order_by(PriceItem.code))
        prices = session.execute(
            select(PriceVersion.price_fen, PriceVersion.effective_from).order_by(PriceVersion.id)
        )
        return [*map(tuple, items), *map(tuple, prices)]


def test_an_import_makes_renames_and_prices_in_one_go(world: MoneyWorld) -> None:
    changed = run_import(
        world,
        "CT-CHEST,胸部CT平扫,次,imaging,210,2026-12-01\n"
        "LAB-CBC,血常规,次,laboratory,20,\n"
        "FREE,义诊,次,registration,0,\n"
        "NEW-1,心脏CT,次,imaging,900,2026-12-01\n",
    )
    assert changed == 3
    assert price_on(world, 8) == 21000
    assert item_of(world, "LAB-CBC").name == "血常规"
    assert item_of(world, "NEW-1").prices[0].price_fen == 90000
    assert run_import(world, "NEW-1,心脏CT,次,imaging,900,2026-12-01\n") == 0


def test_an_import_with_one_wrong_row_or_another_list_since_writes_nothing(
    world: MoneyWorld,
) -> None:
    before = everything(world)
    good = "CT-CHEST,胸部CT平扫,次,imaging,210,2026-12-01\n"
    with pytest.raises(InvalidInput):
        run_import(world, good + "LAB-CBC,血常规,次,laboratory,二十,\n")
    with pytest.raises(ImportChanged):
        run_import(world, good, digest="0" * 64)
    assert everything(world) == before
    with world.database.read(SYSTEM) as session:
        assert not session.scalars(
            select(AuditEvent).where(AuditEvent.action == "billing.import_prices")
        ).all()


def test_an_import_that_breaks_in_the_middle_leaves_nothing_half_written(
    world: MoneyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(world)
    real, calls = price_changes._carry_out, []

    def break_third(*args: object) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("the power went out")
        real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(price_changes, "_carry_out", break_third)
    rows = "".join(f"NEW-{n},项目{n},次,other,{n},\n" for n in range(1, 6))
    with pytest.raises(RuntimeError):
        run_import(world, rows)
    assert everything(world) == before


def test_the_next_change_is_shown_beside_todays_price(world: MoneyWorld) -> None:
    plan(world, 20000, 10)
    plan(world, 30000, 30)
    item = item_of(world)
    with world.database.read(SYSTEM) as session:
        found = price_edits.list_planned(session, [item.item_id, new_id()], on=today(session))
        changing = price_edits.search_items(
            session,
            world.hospital_id,
            on=today(session),
            state=price_edits.ItemState.CHANGING,
        )
    day, fen = found[item.item_id]
    assert (fen, len(found)) == (20000, 1)
    assert [(view.code, view.price_fen) for view in changing] == [("CT-CHEST", 18000)]
    assert day > dt.date(2026, 11, 23)

"""Edits of the price list by people: new items, their words, prices from a day on, cancelling, switching off, imports.

The past is never rewritten: a price that was ever in force keeps its days. What is planned can be changed or taken
back until its day. Every edit locks the item, checks the form's version and moves it on.
"""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing.errors import (
    FirstPrice,
    ImportChanged,
    PriceCodeTaken,
    PriceInForce,
    PriceUnknown,
)
from backend.billing.models import PriceItem, PriceVersion
from backend.billing.queries.price_edits import current_items
from backend.billing.rules import PRICED, PriceCategory, price_list
from backend.billing.rules.price_list import Effect, ImportPlan, PlannedRow
from backend.billing.services.prices import pinyin_initials
from backend.kernel import audit, history
from backend.kernel.db import check_version
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name, lock_row
from backend.kernel.money import format_yuan
from backend.kernel.uow import now, today

ITEM = "price_item"


def create_item(
    session: Session,
    *,
    hospital_id: Id,
    code: str,
    name: str,
    unit: str,
    category: PriceCategory,
    price_fen: int,
    effective_from: dt.date,
) -> PriceItem:
    """A new item with its first price, from today on or later. InvalidInput by field; PriceCodeTaken."""
    code, name, unit = price_list.normalise(code).upper(), *map(price_list.tidy, (name, unit))
    if wrong := price_list.check_words(code, name, unit):
        raise InvalidInput(fields=wrong)
    price_list.check_price(price_fen)
    price_list.check_day(effective_from, today=today(session), is_new=True)
    lock_list(session, hospital_id)
    known = select(PriceItem.id).where(PriceItem.hospital_id == hospital_id, PriceItem.code == code)
    if session.scalar(known) is not None:
        raise PriceCodeTaken(fields={"code": PriceCodeTaken.default_message})
    item = _new_item(session, hospital_id, code, name, unit, category)
    session.flush()
    session.add(_version(item.id, price_fen, effective_from))
    _note(
        session,
        "billing.add_price_item",
        item,
        {
            "name": ("", name),
            "unit": ("", unit),
            "category": ("", category.value),
            "price": ("", _from(price_fen, effective_from)),
        },
    )
    return item


def edit_item(
    session: Session,
    item_id: Id,
    *,
    hospital_id: Id,
    version: int,
    name: str,
    unit: str,
    category: PriceCategory,
) -> PriceItem:
    """Other words for an item; its code stays. StaleVersion; InvalidInput by field."""
    item = _locked(session, item_id, hospital_id)
    check_version(item, version)
    name, unit = price_list.tidy(name), price_list.tidy(unit)
    if wrong := price_list.check_words(item.code, name, unit):
        raise InvalidInput(fields=wrong)
    _set_words(session, item, name, unit, category)
    return item


def plan_price(
    session: Session,
    item_id: Id,
    *,
    hospital_id: Id,
    version: int,
    price_fen: int,
    effective_from: dt.date,
) -> PriceItem:
    """Let the item cost ``price_fen`` from a later day on, until the next planned change.

    A change planned for the same day is replaced. InvalidInput for today and the past, and when nothing would change.
    """
    item = _locked(session, item_id, hospital_id)
    check_version(item, version)
    price_list.check_price(price_fen)
    price_list.check_day(effective_from, today=today(session), is_new=False)
    _insert(session, item, _timeline(session, item_id), price_fen, effective_from)
    return item


def cancel_price(
    session: Session, item_id: Id, price_id: Id, *, hospital_id: Id, version: int
) -> PriceVersion:
    """Take a planned change back before its day; the price before it goes on.

    The row taken away, for an undo. StaleVersion; PriceInForce (409) from its day on; FirstPrice (409) when there is
    none before it.
    """
    item = _locked(session, item_id, hospital_id)
    check_version(item, version)
    versions = _timeline(session, item_id)
    at = next((i for i, each in enumerate(versions) if each.id == price_id), None)
    if at is None:
        raise PriceUnknown
    gone = versions[at]
    if gone.effective_from <= today(session):
        raise PriceInForce
    if at == 0:
        raise FirstPrice
    versions[at - 1].effective_until = gone.effective_until
    session.delete(gone)
    price = _from(gone.price_fen, gone.effective_from)
    _note(session, "billing.cancel_price", item, {"price": (price, "")})
    return gone


def set_item_active(
    session: Session, item_id: Id, *, hospital_id: Id, version: int, is_active: bool
) -> PriceItem:
    """Switch an item off (nothing can be charged by it from now on) or on again; does nothing when it is so.

    StaleVersion.
    """
    item = _locked(session, item_id, hospital_id)
    if item.is_active is is_active:
        return item
    check_version(item, version)
    item.is_active = is_active
    action = "billing.open_price_item" if is_active else "billing.close_price_item"
    _note(session, action, item, {})
    return item


def import_prices(session: Session, *, hospital_id: Id, plan: ImportPlan, digest: str) -> int:
    """Carry out a plan that was shown; how many items changed. All of it or, on any exception, nothing.

    ``plan`` was made in this unit of work after the list was locked (``lock_list``); ImportChanged (409) when it is no
    longer the plan that was shown, InvalidInput while it has errors.
    """
    if plan.errors:
        raise InvalidInput
    if plan.digest != digest:
        raise ImportChanged
    codes = [planned.row.code for planned in plan.rows]
    items = {
        item.code: item
        for item in session.scalars(
            select(PriceItem).where(PriceItem.hospital_id == hospital_id, PriceItem.code.in_(codes))
        )
    }
    timelines = _timelines(session, [item.id for item in items.values()])
    changed = 0
    for planned in plan.rows:
        if planned.effect is Effect.SAME:
            continue
        changed += 1
        _carry_out(session, hospital_id, planned, items.get(planned.row.code), timelines)
    audit.record(
        session,
        "billing.import_prices",
        entity="price_list",
        entity_id=hospital_id,
        rows=len(plan.rows),
        changed=changed,
        digest=digest[:16],
    )
    return changed


def lock_list(session: Session, hospital_id: Id) -> None:
    """One import or new item at a time in a hospital."""
    lock_name(session, f"price-list-{hospital_id}")


def make_plan(
    session: Session,
    *,
    hospital_id: Id,
    rows: list[price_list.ImportRow],
    errors: list[price_list.RowError],
) -> ImportPlan:
    """What these rows would do to the list as it is now."""
    current = current_items(session, hospital_id, [row.code for row in rows], on=today(session))
    return price_list.plan_import(rows, errors, current=current, today=today(session))


def _carry_out(
    session: Session,
    hospital_id: Id,
    planned: PlannedRow,
    item: PriceItem | None,
    timelines: dict[Id, list[PriceVersion]],
) -> None:
    row = planned.row
    if item is None:
        item = _new_item(session, hospital_id, row.code, row.name, row.unit, row.category)
        session.add(_version(item.id, row.price_fen, row.effective_from))
        price = ("", _from(row.price_fen, row.effective_from))
        history.record(
            session,
            "billing.add_price_item",
            entity=ITEM,
            entity_id=item.id,
            version=1,
            changes={"name": ("", row.name), "price": price},
        )
        return
    if planned.effect in (Effect.WORDS, Effect.BOTH):
        _set_words(session, item, row.name, row.unit, row.category)
    if planned.effect in (Effect.PRICE, Effect.BOTH):
        _insert(session, item, timelines[item.id], row.price_fen, row.effective_from)


def _insert(
    session: Session,
    item: PriceItem,
    versions: list[PriceVersion],
    price_fen: int,
    day: dt.date,
) -> None:
    """Put a price into the item's days, which are in order: it begins on ``day`` and ends where the next one begins."""
    same = next((each for each in versions if each.effective_from == day), None)
    before = [each for each in versions if each.effective_from < day]
    old = same or (before[-1] if before else None)
    if old is not None and old.price_fen == price_fen:
        raise InvalidInput(fields={"price": price_list.same_price_words()})
    if same is not None:
        words = (_from(same.price_fen, day), _from(price_fen, day))
        same.price_fen = price_fen
    else:
        later = [each for each in versions if each.effective_from > day]
        fresh = _version(item.id, price_fen, day)
        fresh.effective_until = later[0].effective_from if later else None
        if before:
            before[-1].effective_until = day
        session.add(fresh)
        words = (format_yuan(old.price_fen) if old else "", _from(price_fen, day))
    _note(session, "billing.plan_price", item, {"price": words})


def _set_words(
    session: Session, item: PriceItem, name: str, unit: str, category: PriceCategory
) -> None:
    _check_category(category)
    changes = history.changes_between(
        {"name": item.name, "unit": item.unit, "category": item.category.value},
        {"name": name, "unit": unit, "category": category.value},
    )
    if not changes:
        return
    item.name, item.unit, item.category = name, unit, category
    item.pinyin_initials = pinyin_initials(name)
    _note(session, "billing.edit_price_item", item, changes)


def _note(session: Session, action: str, item: PriceItem, changes: history.Changes) -> None:
    """Move the item's version on, also when only its prices changed, and write the change down."""
    item.changed_at = now(session)
    if session.is_modified(item):
        session.flush()
    history.record(
        session,
        action,
        entity=ITEM,
        entity_id=item.id,
        version=item.version,
        changes=changes,
    )


def _new_item(
    session: Session, hospital_id: Id, code: str, name: str, unit: str, category: PriceCategory
) -> PriceItem:
    _check_category(category)
    item = PriceItem(
        id=new_id(),
        hospital_id=hospital_id,
        code=code,
        name=name,
        unit=unit,
        category=category,
        pinyin_initials=pinyin_initials(name),
        is_active=True,
    )
    session.add(item)
    return item


def _check_category(category: PriceCategory) -> None:
    """Money paid ahead is no price: as one it would be posted as if a top-up had been paid."""
    if category not in PRICED:
        raise InvalidInput(fields={"category": _("这个类别不能用于价目")})


def _version(item_id: Id, price_fen: int, day: dt.date) -> PriceVersion:
    return PriceVersion(id=new_id(), item_id=item_id, price_fen=price_fen, effective_from=day)


def _locked(session: Session, item_id: Id, hospital_id: Id) -> PriceItem:
    item = lock_row(session, PriceItem, item_id)
    if item is None or item.hospital_id != hospital_id:
        raise PriceUnknown
    return item


def _timeline(session: Session, item_id: Id) -> list[PriceVersion]:
    return _timelines(session, [item_id])[item_id]


def _timelines(session: Session, item_ids: list[Id]) -> dict[Id, list[PriceVersion]]:
    """Each item's prices by day."""
    found: dict[Id, list[PriceVersion]] = {item_id: [] for item_id in item_ids}
    rows = session.scalars(
        select(PriceVersion)
        .where(PriceVersion.item_id.in_(item_ids))
        .order_by(PriceVersion.item_id, PriceVersion.effective_from)
        .execution_options(populate_existing=True)
    )
    for row in rows:
        found[row.item_id].append(row)
    return found


def _from(price_fen: int, day: dt.date) -> str:
    return f"{format_yuan(price_fen)}（{day.isoformat()} 起）"

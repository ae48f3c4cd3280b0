"""Writes the price list: items, and what they cost from a day on."""

from __future__ import annotations

import datetime as dt

from pypinyin import Style, lazy_pinyin
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing.models import PriceItem, PriceVersion
from backend.billing.rules import PRICED, PriceCategory
from backend.kernel import audit
from backend.kernel.errors import Conflict, InvalidInput
from backend.kernel.ids import Id


def set_price(
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
    """Make or rename an item and let it cost ``price_fen`` from ``effective_from`` (included) on.

    The version in force ends that day. Conflict (409) when a version begins on or after that day
    with another price: the past of the price list is never rewritten. InvalidInput (422) for money paid ahead,
    which has no price.
    """
    if category not in PRICED:
        raise InvalidInput(code="category_not_priced", category=category.value)
    item = session.scalar(
        select(PriceItem).where(PriceItem.hospital_id == hospital_id, PriceItem.code == code)
    )
    if item is None:
        item = PriceItem(hospital_id=hospital_id, code=code)
        session.add(item)
    item.name, item.unit, item.category = name, unit, category
    item.pinyin_initials = pinyin_initials(name)
    item.is_active = True
    session.flush()
    last = session.scalar(
        select(PriceVersion)
        .where(PriceVersion.item_id == item.id, PriceVersion.effective_until.is_(None))
        .with_for_update()
    )
    if last is not None and last.price_fen == price_fen and last.effective_from <= effective_from:
        return item
    if last is not None:
        if last.effective_from >= effective_from:
            raise Conflict(code="price_in_the_past", item=code)
        last.effective_until = effective_from
    session.add(PriceVersion(item_id=item.id, price_fen=price_fen, effective_from=effective_from))
    audit.record(
        session,
        "billing.set_price",
        entity="price_item",
        entity_id=item.id,
        code=code,
        price_fen=price_fen,
        effective_from=effective_from,
    )
    return item


def pinyin_initials(name: str) -> str:
    """胸部CT平扫 → xbctps: what people type to find an item."""
    letters = lazy_pinyin(name, style=Style.FIRST_LETTER)
    return "".join(c for part in letters for c in part.lower() if c.isascii() and c.isalnum())

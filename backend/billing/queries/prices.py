"""Reads of the price list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from backend.billing.errors import (
    PriceUnknown,
)
from backend.billing.models import (
    PriceItem,
    PriceVersion,
)
from backend.billing.rules import (
    PriceCategory,
)
from backend.billing.views import (
    PriceView,
)
from backend.kernel.ids import Id


def _in_force(day: dt.date | BindParameter[dt.date]) -> ColumnElement[bool]:
    return and_(
        PriceVersion.item_id == PriceItem.id,
        PriceVersion.effective_from <= day,
        or_(PriceVersion.effective_until.is_(None), PriceVersion.effective_until > day),
    )


#: What everything that costs something asks: made once, so that SQLAlchemy need not look at it anew each time.
_PRICE = (
    select(
        PriceItem.id,
        PriceItem.code,
        PriceItem.name,
        PriceItem.unit,
        PriceItem.category,
        PriceVersion.price_fen,
        PriceVersion.effective_from,
    )
    .join(PriceVersion, _in_force(bindparam("day", type_=Date)))
    .where(
        PriceItem.hospital_id == bindparam("hospital"),
        PriceItem.code == bindparam("code"),
        PriceItem.is_active,
    )
)


def _prices(hospital_id: Id, day: dt.date) -> Select[PriceItem, PriceVersion]:
    return (
        select(PriceItem, PriceVersion)
        .join(PriceVersion, _in_force(day))
        .where(PriceItem.hospital_id == hospital_id, PriceItem.is_active)
        .order_by(PriceItem.code)
    )


def _price_view(item: PriceItem, version: PriceVersion) -> PriceView:
    return PriceView(
        item_id=item.id,
        code=item.code,
        name=item.name,
        unit=item.unit,
        category=item.category,
        price_fen=version.price_fen,
        effective_from=version.effective_from,
    )


def get_price(session: Session, hospital_id: Id, code: str, on: dt.date) -> PriceView:
    """What ``code`` costs on that business date; PriceUnknown (404) when it has no price then."""
    row = session.execute(_PRICE, {"hospital": hospital_id, "day": on, "code": code}).first()
    if row is None:
        raise PriceUnknown(item=code)
    return PriceView(*row)


def get_prices(
    session: Session, hospital_id: Id, codes: Iterable[str], on: dt.date
) -> dict[str, PriceView]:
    """What each of ``codes`` costs on that business date, by code, in one query; unknown ones are left out."""
    rows = session.execute(_prices(hospital_id, on).where(PriceItem.code.in_(set(codes)))).all()
    return {item.code: _price_view(item, version) for item, version in rows}


def is_found(wanted: str) -> ColumnElement[bool]:
    """True of an item whose code or pinyin initials begin so, or whose name has it anywhere."""
    return or_(
        PriceItem.code.istartswith(wanted, autoescape=True),
        PriceItem.pinyin_initials.startswith(wanted.lower(), autoescape=True),
        PriceItem.name.contains(wanted, autoescape=True),
    )


def search_prices(
    session: Session,
    hospital_id: Id,
    *,
    on: dt.date,
    text: str = "",
    category: PriceCategory | None = None,
    after_code: str = "",
    limit: int = 50,
) -> list[PriceView]:
    """Items by code, ``limit`` at a time after ``after_code``.

    ``text`` finds a code or pinyin initials by how they begin, and a name by any part of it.
    """
    statement = _prices(hospital_id, on).limit(limit)
    if after_code:
        statement = statement.where(PriceItem.code > after_code)
    if category is not None:
        statement = statement.where(PriceItem.category == category)
    if wanted := text.strip():
        statement = statement.where(is_found(wanted))
    return [_price_view(*row) for row in session.execute(statement)]


def count_prices_by_category(session: Session, hospital_id: Id) -> dict[PriceCategory, int]:
    """How many active items each category has."""
    rows = session.execute(
        select(PriceItem.category, func.count())
        .where(PriceItem.hospital_id == hospital_id, PriceItem.is_active)
        .group_by(PriceItem.category)
    )
    return {category: int(number) for category, number in rows}

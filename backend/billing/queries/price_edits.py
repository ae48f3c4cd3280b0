"""Reads for the editors of the price list: an item with all its prices, items of any state, the list as it is now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from backend.billing.errors import PriceUnknown
from backend.billing.models import PriceItem, PriceVersion
from backend.billing.queries.prices import is_found
from backend.billing.rules import PriceCategory
from backend.billing.rules.price_list import CurrentItem
from backend.billing.views import PriceView
from backend.kernel.ids import Id


class ItemState(StrEnum):
    """Which items of the price list are asked for."""

    IN_FORCE = "in_force"
    CHANGING = "changing"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class PriceDays:
    """A price and the days it holds, both included; ``last`` None = until further notice."""

    price_id: Id
    price_fen: int
    first: dt.date
    last: dt.date | None
    is_past: bool
    is_planned: bool


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item with all its prices, the latest first."""

    item_id: Id
    version: int
    code: str
    name: str
    unit: str
    category: PriceCategory
    is_active: bool
    prices: tuple[PriceDays, ...]

    @property
    def price_today(self) -> int | None:
        """What it costs today in fen; None before its first day."""
        return next((p.price_fen for p in self.prices if not p.is_past and not p.is_planned), None)


def get_item(session: Session, item_id: Id, *, hospital_id: Id, on: dt.date) -> ItemView:
    """The item with every price it ever had or is to have, the latest first; PriceUnknown when not of this hospital."""
    item = session.get(PriceItem, item_id)
    if item is None or item.hospital_id != hospital_id:
        raise PriceUnknown
    versions = session.scalars(
        select(PriceVersion)
        .where(PriceVersion.item_id == item_id)
        .order_by(PriceVersion.effective_from.desc())
    )
    prices = tuple(
        PriceDays(
            price_id=each.id,
            price_fen=each.price_fen,
            first=each.effective_from,
            last=each.effective_until - dt.timedelta(days=1) if each.effective_until else None,
            is_past=each.effective_until is not None and each.effective_until <= on,
            is_planned=each.effective_from > on,
        )
        for each in versions
    )
    return ItemView(
        item_id=item.id,
        version=item.version,
        code=item.code,
        name=item.name,
        unit=item.unit,
        category=item.category,
        is_active=item.is_active,
        prices=prices,
    )


def list_planned(
    session: Session, item_ids: Iterable[Id], *, on: dt.date
) -> dict[Id, tuple[dt.date, int]]:
    """The next planned change of each item: its day and price; items without one are left out."""
    rows = session.execute(
        select(PriceVersion.item_id, PriceVersion.effective_from, PriceVersion.price_fen)
        .where(PriceVersion.item_id.in_(list(item_ids)), PriceVersion.effective_from > on)
        .order_by(PriceVersion.effective_from.desc())
    )
    return {item_id: (day, fen) for item_id, day, fen in rows}


def search_items(
    session: Session,
    hospital_id: Id,
    *,
    on: dt.date,
    state: ItemState,
    text: str = "",
    after_code: str = "",
    limit: int = 50,
) -> list[PriceView]:
    """Items that are switched off, or with a planned change, by code; the price is today's or else the next one."""
    statement = select(PriceItem).where(PriceItem.hospital_id == hospital_id)
    if state is ItemState.INACTIVE:
        statement = statement.where(~PriceItem.is_active)
    if state is ItemState.CHANGING:
        changing = select(PriceVersion.item_id).where(PriceVersion.effective_from > on)
        statement = statement.where(PriceItem.is_active, PriceItem.id.in_(changing))
    if after_code:
        statement = statement.where(PriceItem.code > after_code)
    if wanted := text.strip():
        statement = statement.where(is_found(wanted))
    items = session.scalars(statement.order_by(PriceItem.code).limit(limit)).all()
    prices: dict[Id, PriceVersion] = {}
    for version in session.scalars(
        select(PriceVersion)
        .where(PriceVersion.item_id.in_([item.id for item in items]))
        .order_by(PriceVersion.effective_from)
    ):
        if version.effective_from <= on or version.item_id not in prices:
            prices[version.item_id] = version
    return [
        PriceView(
            item_id=item.id,
            code=item.code,
            name=item.name,
            unit=item.unit,
            category=item.category,
            price_fen=prices[item.id].price_fen,
            effective_from=prices[item.id].effective_from,
        )
        for item in items
        if item.id in prices
    ]


def current_items(
    session: Session, hospital_id: Id, codes: Sequence[str], *, on: dt.date
) -> dict[str, CurrentItem]:
    """What the list says of these codes today and later, in two queries; unknown ones are left out."""
    items = session.scalars(
        select(PriceItem)
        .where(PriceItem.hospital_id == hospital_id, PriceItem.code.in_(codes))
        .execution_options(populate_existing=True)
    ).all()
    today: dict[Id, int] = {}
    planned: dict[Id, dict[dt.date, int]] = {item.id: {} for item in items}
    lasting = or_(PriceVersion.effective_until.is_(None), PriceVersion.effective_until > on)
    for item_id, day, fen in session.execute(
        select(PriceVersion.item_id, PriceVersion.effective_from, PriceVersion.price_fen).where(
            and_(PriceVersion.item_id.in_(list(planned)), lasting)
        )
    ):
        if day <= on:
            today[item_id] = fen
        else:
            planned[item_id][day] = fen
    return {
        item.code: CurrentItem(
            code=item.code,
            name=item.name,
            unit=item.unit,
            category=item.category,
            is_active=item.is_active,
            version=item.version,
            price_fen=today.get(item.id),
            planned=planned[item.id],
        )
        for item in items
    }

"""The price list: search, and the way to its editors.

    GET /backoffice/prices     items in force today, searched as you type (fragment: the list); ``state`` chooses
                               those with a planned change, or those switched off

At most five statements: who asks, the items, what is planned for them, and how many there are a category.
"""

from __future__ import annotations

import datetime as dt

from flask import Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from backend.billing import queries
from backend.billing.backoffice.prices.common import CATEGORY_WORDS, blueprint
from backend.billing.queries import price_edits
from backend.billing.queries.price_edits import ItemState
from backend.billing.rules import PRICED, PriceCategory
from backend.billing.views import PriceView
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission, has
from backend.kernel.uow import today
from backend.kernel.web import NavItem, current_actor, own_hospital_id, read_uow, render, requires

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("价目表"),
        endpoint="prices.price_list",
        icon="receipt-yuan",
        permission=Permission.BILLING_PRICE_READ,
        section=lazy_gettext("字典"),
        order=70,
    ),
)
STATE_WORDS = {
    ItemState.IN_FORCE: lazy_gettext("现行价格"),
    ItemState.CHANGING: lazy_gettext("有待生效调价"),
    ItemState.INACTIVE: lazy_gettext("已停用"),
}
PAGE = 50
LONGEST_SEARCH = 40


@blueprint.get("")
@requires(Permission.BILLING_PRICE_READ)
def price_list() -> Response:
    """The items in force today, 50 at a time; ``q``, ``category`` and ``after`` choose which."""
    words = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    after = request.args.get("after", "")
    category = _category(request.args.get("category", ""))
    hospital_id = own_hospital_id()
    state = _state(request.args.get("state", ""))
    may_write = has(current_actor(), Permission.BILLING_PRICE_WRITE)
    with read_uow() as session:
        day = today(session)
        found = _find(session, hospital_id, day, words, category, state, after)
        counts = queries.count_prices_by_category(session, hospital_id)
        planned = {}
        if may_write:
            ids = [price.item_id for price in found]
            planned = price_edits.list_planned(session, ids, on=day)
    prices = found[:PAGE]
    more_url = None
    if len(found) > PAGE:
        more_url = url_for(
            "prices.price_list",
            q=words or None,
            category=category.value if category else None,
            state=None if state is ItemState.IN_FORCE else state.value,
            after=prices[-1].code,
        )
    return render(
        "billing/prices.html",
        fragment="billing/_price_rows.html" if after else "billing/_price_list.html",
        day=day,
        words=words,
        category=category,
        categories=[
            (kind.value, f"{CATEGORY_WORDS[kind]}（{counts[kind]}）")
            for kind in PriceCategory
            if kind in PRICED
            if kind in counts
        ],
        category_words=CATEGORY_WORDS,
        total=sum(counts.values()),
        prices=prices,
        is_continued=bool(after),
        more_url=more_url,
        state=state,
        states=list(STATE_WORDS.items()),
        planned=planned,
        may_write=may_write,
    )


def _find(
    session: Session,
    hospital_id: Id,
    day: dt.date,
    words: str,
    category: PriceCategory | None,
    state: ItemState,
    after: str,
) -> list[PriceView]:
    if state is not ItemState.IN_FORCE:
        return price_edits.search_items(
            session,
            hospital_id,
            on=day,
            state=state,
            text=words,
            after_code=after,
            limit=PAGE + 1,
        )
    return queries.search_prices(
        session,
        hospital_id,
        on=day,
        text=words,
        category=category,
        after_code=after,
        limit=PAGE + 1,
    )


def _state(text: str) -> ItemState:
    try:
        return ItemState(text) if text else ItemState.IN_FORCE
    except ValueError as error:
        raise InvalidInput(_("没有这种状态"), code="filter_invalid") from error


def _category(text: str) -> PriceCategory | None:
    try:
        return PriceCategory(text) if text else None
    except ValueError as error:
        raise InvalidInput(_("没有这个收费类别"), code="filter_invalid") from error

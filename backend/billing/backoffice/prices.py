"""The price list, read only.

    GET /backoffice/prices     items in force today, searched as you type (fragment: the list)

At most four statements: who asks, the items, and how many there are a category.
"""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from backend.billing import queries
from backend.billing.rules import PriceCategory
from backend.billing.views import CATEGORY_WORDS
from backend.kernel.errors import Forbidden, InvalidInput
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission
from backend.kernel.uow import today
from backend.kernel.web import NavItem, current_actor, read_uow, render, requires

blueprint = Blueprint(
    "prices", __name__, url_prefix="/backoffice/prices", template_folder="../templates"
)

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

PAGE = 50
LONGEST_SEARCH = 40


@blueprint.get("")
@requires(Permission.BILLING_PRICE_READ)
def price_list() -> Response:
    """The items in force today, 50 at a time; ``q``, ``category`` and ``after`` choose which."""
    words = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    after = request.args.get("after", "")
    category = _category(request.args.get("category", ""))
    hospital_id = _hospital_id()
    with read_uow() as session:
        day = today(session)
        found = queries.search_prices(
            session,
            hospital_id,
            on=day,
            text=words,
            category=category,
            after_code=after,
            limit=PAGE + 1,
        )
        counts = queries.count_prices_by_category(session, hospital_id)
    prices = found[:PAGE]
    more_url = None
    if len(found) > PAGE:
        more_url = url_for(
            "prices.price_list",
            q=words or None,
            category=category.value if category else None,
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
            if kind in counts
        ],
        category_words=CATEGORY_WORDS,
        total=sum(counts.values()),
        prices=prices,
        is_continued=bool(after),
        more_url=more_url,
    )


def _category(text: str) -> PriceCategory | None:
    try:
        return PriceCategory(text) if text else None
    except ValueError as error:
        raise InvalidInput(_("没有这个收费类别"), code="filter_invalid") from error


def _hospital_id() -> Id:
    hospital_id = current_actor().hospital_id
    if hospital_id is None:
        raise Forbidden
    return hospital_id

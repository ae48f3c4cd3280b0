"""The start page.

GET  /backoffice/    today's figures and the pages one may open
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from flask import Blueprint, Response, current_app, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from backend.identity.login import current_staff
from backend.identity.views import HomeFacts
from backend.kernel.clock import business_date, local
from backend.kernel.permissions import Permission, has
from backend.kernel.uow import now
from backend.kernel.web import NavItem, current_actor, read_uow, render, requires, xinglin

home_blueprint = Blueprint(
    "backoffice", __name__, url_prefix="/backoffice", template_folder="../templates"
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("今日工作"),
        endpoint="backoffice.home",
        icon="home",
        permission=Permission.IDENTITY_SESSION_OWN,
        section=lazy_gettext("工作台"),
        order=0,
    ),
)


@home_blueprint.get("/")
@requires(Permission.IDENTITY_SESSION_OWN)
def home() -> Response:
    """Where a login leads: the day's figures for this person and the pages they may open."""
    services, actor = xinglin(), current_actor()
    providers: Sequence[HomeFacts] = services.parts.get("home_facts", ())
    with read_uow() as session:
        moment = now(session)
        facts = [fact for give in providers if (fact := give(session, actor)) is not None]
    entries = [
        item
        for item in services.nav
        if has(actor, item.permission) and item.endpoint != request.endpoint
    ]
    sections = [(words, list(items)) for words, items in groupby(entries, lambda i: str(i.section))]
    return render(
        "identity/home.html",
        person=current_staff(),
        facts=facts,
        pages=current_app.view_functions,
        sections=sections,
        greeting=_greeting(local(moment).hour),
        day=business_date(moment),
    )


def _greeting(hour: int) -> str:
    if hour < 6:
        words = _("夜深了")
    elif hour < 12:
        words = _("早上好")
    else:
        words = _("下午好") if hour < 18 else _("晚上好")
    return str(words)

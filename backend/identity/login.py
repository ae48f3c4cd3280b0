"""Logging in and out: the cookie of a session, who makes a request, and what the shell shows of them.

    GET  /login    the form
    POST /login    check name and password; the start page, or the page that asked
    POST /logout   end the session

The cookie carries a random token; everything else is a row (docs/adr/0002). Requests with the header
``X-Background: 1`` (pages that refresh themselves) do not count as acts of the person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import structlog
from flask import Blueprint, Request, Response, current_app, flash, g, request, session, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as BaseResponse

from backend.identity import passwords, queries, rules, service
from backend.identity.errors import LoginRefused
from backend.identity.models import EndReason
from backend.identity.rules import SessionState
from backend.identity.views import Credentials, StaffView
from backend.kernel.errors import Unavailable
from backend.kernel.permissions import ANONYMOUS, Actor, ActorKind
from backend.kernel.web import current_actor, public, redirect_to, render, xinglin
from backend.kernel.web.context import request_id

log = structlog.get_logger(__name__)

COOKIE = "xinglin_staff"
BACKGROUND = "X-Background"
HOME = "backoffice.home"
_LONGEST_TOKEN = 64

blueprint = Blueprint("login", __name__, template_folder="templates")


def load_staff_actor(request: Request) -> Actor | None:
    """Who the session cookie belongs to, in one query; None when there is no live session."""
    staff = _find_staff(request)
    if staff is None:
        return None
    if staff.state is not SessionState.LIVE or not staff.is_active:
        g.lapsed = staff.state
        return None
    if staff.is_demo and xinglin().settings.is_production:
        return None
    g.staff = staff
    actor = staff.as_actor()
    if request.headers.get(BACKGROUND) != "1":
        _note_act(staff, actor)
    return actor


def _find_staff(request: Request) -> StaffView | None:
    token = request.cookies.get(COOKIE, "")
    if not token or len(token) > _LONGEST_TOKEN:
        return None
    services = xinglin()
    idle = dt.timedelta(minutes=services.settings.idle_minutes)
    with services.database.read(ANONYMOUS, request_id=request_id()) as reading:
        return queries.find_session(reading, token, idle=idle)


def _note_act(staff: StaffView, actor: Actor) -> None:
    """Keep the session awake. Where writers queue, reading must go on: the next request tries again."""
    database = xinglin().database
    if database.clock.now() - staff.last_seen_at < rules.SEEN_EVERY:
        return
    try:
        with database.write(actor, request_id=request_id(), housekeeping=True) as writing:
            service.touch_session(writing, staff)
    except Unavailable:
        log.warning("last_act_not_written")


def current_staff() -> StaffView | None:
    """The person of this request's session; None outside one."""
    staff: StaffView | None = g.get("staff")
    return staff


def staff_shell() -> dict[str, Any]:
    """What the back office's shell shows: who works, the way home and the way out."""
    staff = current_staff()
    if staff is None:
        return {"staff": None, "home_url": url_for(HOME), "logout_url": None}
    return {"staff": staff, "home_url": url_for(HOME), "logout_url": url_for("login.logout")}


@blueprint.get("/login")
@public("one has to log in somewhere")
def login() -> BaseResponse:
    """The form; whoever is logged in already goes to the start page."""
    if current_actor().kind is ActorKind.STAFF:
        return redirect_to(HOME)
    return _form(status=200)


@blueprint.post("/login")
@public("checks name and password, with lockout; the form carries a token against forgery")
def log_in() -> BaseResponse:
    """Start a session with a token of its own, or show the form again with one answer for every refusal."""
    username = request.form.get("username", "")[:200]
    password = request.form.get("password", "")
    services = xinglin()
    with services.database.read(ANONYMOUS, request_id=request_id()) as reading:
        credentials = queries.find_credentials(reading, username)
    stored = credentials.password_hash if credentials else None
    is_right = passwords.is_right(password, stored)
    is_outdated = is_right and stored is not None and passwords.needs_rehash(stored)
    new_hash = passwords.hash_password(password) if is_outdated else None
    actor = _actor_of(credentials, is_right)
    with services.database.write(actor, request_id=request_id()) as writing:
        token = service.settle_login(
            writing,
            credentials,
            is_password_right=is_right,
            allow_demo=not services.settings.is_production,
            new_hash=new_hash,
        )
        if token is not None and (old := request.cookies.get(COOKIE)):
            service.log_out(writing, old, reason=EndReason.REPLACED)
    if token is None:
        return _form(status=LoginRefused.status, username=username, error=LoginRefused())
    session.clear()  # a form token from before the login is worth nothing after it
    response = redirect(_where_next(request.form.get("next", "")), 303)
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="Lax", secure=services.settings.is_production
    )
    return response


@blueprint.post("/logout")
@public("ends only the session whose cookie the browser sends")
def logout() -> BaseResponse:
    """End the session, forget its cookie and show the form."""
    services = xinglin()
    staff = _find_staff(request)
    if staff is not None:
        with services.database.write(staff.as_actor(), request_id=request_id()) as writing:
            service.log_out(writing, request.cookies[COOKIE])
    session.clear()
    flash(_("您已退出登录"), "ok")
    response = redirect_to("login.login")
    response.delete_cookie(
        COOKIE, httponly=True, samesite="Lax", secure=services.settings.is_production
    )
    return response


def _actor_of(credentials: Credentials | None, is_right: bool) -> Actor:
    """Whoever knows the password acts as themselves; a guesser is anonymous, but at the account's hospital."""
    if credentials is None:
        return ANONYMOUS
    if not is_right:
        return Actor(ActorKind.ANONYMOUS, hospital_id=credentials.hospital_id, label="anonymous")
    return Actor(
        ActorKind.STAFF,
        id=credentials.account_id,
        hospital_id=credentials.hospital_id,
        label=credentials.label,
    )


def _form(*, status: int, username: str = "", error: LoginRefused | None = None) -> Response:
    lapsed: SessionState | None = g.get("lapsed")
    return render(
        "identity/login.html",
        status=status,
        username=username,
        error=error,
        next=request.values.get("next", "")[:500],
        lapsed=_LAPSED_WORDS[lapsed]() if lapsed and not error else "",
    )


_LAPSED_WORDS: dict[SessionState, Callable[[], object]] = {
    SessionState.IDLE: lambda: _(
        "您有 %(minutes)s 分钟没有操作，已自动退出，请重新登录",
        minutes=xinglin().settings.idle_minutes,
    ),
    SessionState.EXPIRED: lambda: _("您登录已满 12 小时，请重新登录"),
    SessionState.ENDED: lambda: "",
    SessionState.LIVE: lambda: _("您的账号已停用，请联系信息科"),
}


def _where_next(asked: str) -> str:
    """The page that asked for the login when it is one of ours that can be opened, else the start page."""
    target = rules.safe_next(asked)
    adapter = current_app.create_url_adapter(request)
    try:
        if adapter is not None:
            adapter.match(target.partition("?")[0], method="GET")
    except HTTPException:
        return url_for(HOME)
    return target

"""Logging in and out: the cookie of a session, who makes a request, and what the shell shows of them.

    GET  /login        the form
    POST /login        check name and password; the second step, the start page, or the page that asked
    GET  /login/code   the second step: the form for the code
    POST /login/code   check the code of the second factor; then as after a login
    POST /logout       end the session

The cookie carries a random token; everything else is a row (docs/adr/0002). Requests with the header
``X-Background: 1`` (pages that refresh themselves) do not count as acts of the person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog
from flask import Blueprint, Request, Response, current_app, flash, g, request, session, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as BaseResponse

from backend.identity import passwords, queries, rules, service
from backend.identity.errors import CodeRefused, LoginRefused
from backend.identity.models import EndReason
from backend.identity.rules import SessionState
from backend.identity.views import Credentials, StaffView
from backend.kernel.errors import Unavailable
from backend.kernel.permissions import ANONYMOUS, Actor, ActorKind, Permission
from backend.kernel.web import current_actor, public, redirect_to, render, xinglin
from backend.kernel.web.context import request_id

log = structlog.get_logger(__name__)

COOKIE = "xinglin_staff"
BACKGROUND = "X-Background"
HOME = "backoffice.home"
#: What stands before all other work, and the pages through which it is done: nothing else is reached until then.
DUTIES = {
    "identity.own_password": {"identity.own_password", "identity.change_password"},
    "second_factor.show": {"second_factor.show", "second_factor.begin", "second_factor.confirm"},
}
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
    actor = staff.as_actor()
    if duty := first_duty(staff):
        if request.endpoint not in DUTIES[duty]:
            g.duty = duty
            return None
        actor = replace(actor, grants={Permission.IDENTITY_SESSION_OWN: None})
    g.staff = staff
    if request.headers.get(BACKGROUND) != "1":
        _note_act(staff, actor)
    return actor


def first_duty(staff: StaffView) -> str:
    """The page the person must go to before any other: a password of their own, then a second factor; else empty."""
    if staff.must_change_password:
        return "identity.own_password"
    return "second_factor.show" if must_enrol(staff) else ""


def must_enrol(staff: StaffView) -> bool:
    """An administrator without a second factor may only get one, outside the demo."""
    is_demanded = xinglin().settings.demands_second_factor and rules.demands_factor(staff.roles)
    return is_demanded and not staff.has_factor


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
        return {"staff": None, "home_url": url_for(HOME), "logout_url": None, "own_url": None}
    return {
        "staff": staff,
        "home_url": url_for(HOME),
        "logout_url": url_for("login.logout"),
        "own_url": url_for("second_factor.show")
        if "second_factor.show" in current_app.view_functions
        else None,
    }


@blueprint.get("/login")
@public("one has to log in somewhere")
def login() -> BaseResponse:
    """The form; whoever is logged in, or half way, goes on from there."""
    if current_actor().kind is ActorKind.STAFF:
        return redirect_to(HOME)
    if duty := g.get("duty", ""):
        return redirect_to(duty)
    if g.get("lapsed") is SessionState.AWAITS_CODE:
        return redirect_to("login.code", next=_asked_next() or None)
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
        login = service.settle_login(
            writing,
            credentials,
            is_password_right=is_right,
            allow_demo=not services.settings.is_production,
            new_hash=new_hash,
        )
        if login is not None and (old := request.cookies.get(COOKIE)):
            service.log_out(writing, old, reason=EndReason.REPLACED)
    if login is None:
        return _form(status=LoginRefused.status, username=username, error=LoginRefused())
    session.clear()  # a form token from before the login is worth nothing after it
    if login.awaits_code:
        return _with_cookie(redirect_to("login.code", next=_asked_next() or None), login.token)
    return _with_cookie(redirect(_where_next(request.form.get("next", "")), 303), login.token)


@blueprint.get("/login/code")
@public("shows a form and nothing of anybody; only who knows a password gets further with it")
def code() -> BaseResponse:
    """The form for the code of the second factor; without a login half way it is the login form."""
    staff = _find_staff(request)
    if staff is None or staff.state is not SessionState.AWAITS_CODE:
        if staff is not None and staff.state is SessionState.CODE_LATE:
            flash(str(_LAPSED_WORDS[staff.state]()), "warn")
        return redirect_to("login.login", next=_asked_next() or None)
    return _code_form(status=200)


@blueprint.post("/login/code")
@public("checks the code, with lockout; the form carries a token against forgery")
def check_code() -> BaseResponse:
    """The second step: the full session with a token of its own, or the form again."""
    staff = _find_staff(request)
    if staff is None or staff.state is not SessionState.AWAITS_CODE:
        return redirect_to("login.code", next=_asked_next() or None)
    services = xinglin()
    with services.database.write(staff.as_actor(), request_id=request_id()) as writing:
        token = service.settle_code(
            writing,
            request.cookies[COOKIE],
            request.form.get("code", "")[:100],
            allow_demo=not services.settings.is_production,
        )
    if token is None:
        still = _find_staff(request)
        if still is not None and still.state is SessionState.AWAITS_CODE:
            return _code_form(status=CodeRefused.status, error=CodeRefused())
        return _form(status=LoginRefused.status, error=LoginRefused())
    session.clear()
    return _with_cookie(redirect(_where_next(request.form.get("next", "")), 303), token)


def _with_cookie(response: BaseResponse, token: str) -> BaseResponse:
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="Lax", secure=xinglin().settings.is_production
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
        next=_asked_next(),
        lapsed=_LAPSED_WORDS[lapsed]() if lapsed and not error else "",
    )


def _code_form(*, status: int, error: CodeRefused | None = None) -> Response:
    return render("identity/login_code.html", status=status, error=error, next=_asked_next())


def _asked_next() -> str:
    """The page that asked for the login, as the address or the form carries it."""
    return request.values.get("next", "")[:500]


_LAPSED_WORDS: dict[SessionState, Callable[[], object]] = {
    SessionState.IDLE: lambda: _(
        "您有 %(minutes)s 分钟没有操作，已自动退出，请重新登录",
        minutes=xinglin().settings.idle_minutes,
    ),
    SessionState.EXPIRED: lambda: _("您登录已满 12 小时，请重新登录"),
    SessionState.ENDED: lambda: "",
    SessionState.AWAITS_CODE: lambda: "",
    SessionState.CODE_LATE: lambda: _("等动态口令超过 5 分钟，请重新输入密码"),
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

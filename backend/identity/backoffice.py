"""The start page, the audit viewer and the list of accounts.

GET  /backoffice/                                start page: today's figures and the pages one may open
GET  /backoffice/audit                           audit viewer (fragment: the rows)
GET  /backoffice/accounts                        accounts (fragment: the list)
POST /backoffice/accounts/<account_id>/unlock    forget failed logins
POST /backoffice/accounts/<account_id>/close     close an account, ending its sessions
POST /backoffice/accounts/<account_id>/open      open it again
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import groupby

from flask import Blueprint, Response, current_app, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from backend.identity import audit_trail, audit_words, queries, service
from backend.identity.login import current_staff
from backend.identity.rules import ROLE_WORDS, Role
from backend.identity.views import AuditFilter, ChainState, HomeFacts
from backend.kernel import audit
from backend.kernel.clock import business_date, day_bounds, local
from backend.kernel.errors import Forbidden, InvalidInput
from backend.kernel.ids import Id, parse_id
from backend.kernel.permissions import Permission, has
from backend.kernel.uow import now
from backend.kernel.web import (
    NavItem,
    current_actor,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
    xinglin,
)

home_blueprint = Blueprint(
    "backoffice", __name__, url_prefix="/backoffice", template_folder="templates"
)
blueprint = Blueprint("identity", __name__, url_prefix="/backoffice", template_folder="templates")


@blueprint.app_template_filter("wall_seconds")
def wall_seconds(moment: dt.datetime) -> str:
    """``2026-11-23 08:30:05`` on the hospital's clock: evidence shows the second."""
    return f"{local(moment):%Y-%m-%d %H:%M:%S}"


_ADMINISTRATION = lazy_gettext("管理")
NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("今日工作"),
        endpoint="backoffice.home",
        icon="home",
        permission=Permission.IDENTITY_SESSION_OWN,
        section=lazy_gettext("工作台"),
        order=0,
    ),
    NavItem(
        label=lazy_gettext("账号与角色"),
        endpoint="identity.accounts",
        icon="user-shield",
        permission=Permission.IDENTITY_ACCOUNT_MANAGE,
        section=_ADMINISTRATION,
        order=90,
    ),
    NavItem(
        label=lazy_gettext("审计日志"),
        endpoint="identity.audit_log",
        icon="list-search",
        permission=Permission.IDENTITY_AUDIT_READ,
        section=_ADMINISTRATION,
        order=95,
    ),
)
#: Without naming a patient, a thing or a request, one looks at so many days at a time.
MOST_DAYS = 31


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


@blueprint.get("/audit")
@requires(Permission.IDENTITY_AUDIT_READ)
def audit_log() -> Response:
    """The audit log, newest first. Asking for one patient's rows is itself audited."""
    today = business_date(xinglin().database.clock.now())
    fields: dict[str, object] = {}
    wanted = _audit_filter(today, fields)
    if fields:
        raise InvalidInput(fields=fields)
    hospital_id = current_actor().hospital_id
    with write_uow() if wanted.patient_id else read_uow() as session:
        trail = audit_trail.list_audit(session, wanted, hospital_id=hospital_id)
        chain = ChainState() if request.args.get("before") else audit_trail.get_chain_state(session)
        if wanted.patient_id:
            audit.record(
                session,
                "identity.read_audit",
                entity="patient",
                entity_id=wanted.patient_id,
                patient_id=wanted.patient_id,
                rows=len(trail.rows),
            )
    args = {name: value for name, value in request.args.items() if name != "before" and value}
    return render(
        "identity/audit.html",
        fragment="identity/_audit_rows.html"
        if request.args.get("before")
        else "identity/_audit.html",
        trail=trail,
        chain=chain,
        words=audit_words,
        areas=list(audit_words.AREA_WORDS.items()),
        entities=list(audit_words.ENTITY_WORDS.items()),
        asked=args,
        today=today,
        is_filtered=bool(set(args) - {"first", "last"}),
    )


def _audit_filter(today: dt.date, fields: dict[str, object]) -> AuditFilter:
    """What the address asks for; what is wrong with it goes into ``fields``."""
    args = {name: value.strip()[:80] for name, value in request.args.items()}
    patient_id = parse_id(args.get("patient", ""))
    if args.get("patient") and patient_id is None:
        fields["patient"] = _("患者编号有误，请从患者页面复制")
    is_named = bool(patient_id or args.get("entity_id") or args.get("request_id"))
    first = _day(args.get("first", ""), None if is_named else today, "first", fields)
    last = _day(args.get("last", ""), first if first and not is_named else None, "last", fields)
    if first and last and last < first:
        fields["last"] = _("结束日期不能早于开始日期")
    elif not is_named and first and last and (last - first).days >= MOST_DAYS:
        fields["last"] = _(
            "一次最多查 %(days)s 天；按患者、对象编号或请求编号查则不限", days=MOST_DAYS
        )
    return AuditFilter(
        begin=day_bounds(first)[0] if first else None,
        end=day_bounds(last)[1] if last else None,
        actor=args.get("actor", ""),
        action=args.get("action", ""),
        patient_id=patient_id,
        entity=args.get("entity", ""),
        entity_id=args.get("entity_id", ""),
        request_id=args.get("request_id", ""),
        before=audit_trail.read_cursor(args.get("before", "")),
    )


def _day(
    text: str, default: dt.date | None, name: str, fields: dict[str, object]
) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else default
    except ValueError:
        fields[name] = _("日期有误")
        return default


@blueprint.get("/accounts")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def accounts() -> Response:
    """Who may log in, with which roles, and which accounts are locked or closed."""
    text = request.args.get("q", "").strip()[:60]
    asked = request.args.get("role", "")
    role = Role(asked) if asked in set(Role) else None
    with read_uow() as session:
        found = queries.list_accounts(session, hospital_id=_hospital_id(), text=text, role=role)
    return render(
        "identity/accounts.html",
        fragment="identity/_accounts.html",
        accounts=found,
        q=text,
        role=role,
        roles=[(each.value, words) for each, words in ROLE_WORDS.items()],
        own_id=current_actor().id,
    )


@blueprint.post("/accounts/<uuid:account_id>/unlock")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def unlock(account_id: Id) -> BaseResponse:
    """Let someone try again before the quarter of an hour is over."""
    with write_uow() as session:
        service.unlock_account(session, account_id, hospital_id=_hospital_id())
    flash(_("已解除锁定，可以重新登录"), "ok")
    return redirect_to("identity.accounts", q=request.form.get("q", ""))


@blueprint.post("/accounts/<uuid:account_id>/close")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def close(account_id: Id) -> BaseResponse:
    """Close an account; nobody closes their own."""
    if account_id == current_actor().id:
        raise InvalidInput(_("不能停用自己的账号"), next_step=_("请让另一位管理员操作"))
    return _set_active(account_id, is_active=False, words=_("账号已停用，正在使用的登录已结束"))


@blueprint.post("/accounts/<uuid:account_id>/open")
@requires(Permission.IDENTITY_ACCOUNT_MANAGE)
def reopen(account_id: Id) -> BaseResponse:
    """Open a closed account again."""
    return _set_active(account_id, is_active=True, words=_("账号已启用"))


def _set_active(account_id: Id, *, is_active: bool, words: str) -> BaseResponse:
    with write_uow() as session:
        service.set_active(session, account_id, hospital_id=_hospital_id(), is_active=is_active)
    flash(words, "ok")
    return redirect_to("identity.accounts", q=request.form.get("q", ""))


def _hospital_id() -> Id:
    hospital_id = current_actor().hospital_id
    if hospital_id is None:
        raise Forbidden
    return hospital_id

"""The audit viewer.

GET  /backoffice/audit    the log, newest first (fragment: the rows)
"""

from __future__ import annotations

import datetime as dt

from flask import Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from backend.identity import audit_trail, audit_words
from backend.identity.backoffice.common import ADMINISTRATION, blueprint
from backend.identity.views import AuditFilter, ChainState
from backend.kernel import audit
from backend.kernel.clock import business_date, day_bounds, local
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import parse_id
from backend.kernel.permissions import Permission
from backend.kernel.web import (
    NavItem,
    current_actor,
    read_uow,
    render,
    requires,
    write_uow,
    xinglin,
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("审计日志"),
        endpoint="identity.audit_log",
        icon="list-search",
        permission=Permission.IDENTITY_AUDIT_READ,
        section=ADMINISTRATION,
        order=95,
    ),
)
#: Without naming a patient, a thing or a request, one looks at so many days at a time.
MOST_DAYS = 31


@blueprint.app_template_filter("wall_seconds")
def wall_seconds(moment: dt.datetime) -> str:
    """``2026-11-23 08:30:05`` on the hospital's clock: evidence shows the second."""
    return f"{local(moment):%Y-%m-%d %H:%M:%S}"


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
        day = dt.date.fromisoformat(text) if text else default
    except ValueError:
        day = dt.date.min
    # The first and the last year of the calendar have days whose bounds no clock can show.
    if day is not None and not dt.MINYEAR < day.year < dt.MAXYEAR:
        fields[name] = _("日期有误")
        return default
    return day

"""Dead deliveries in the back office: events that failed too often, and what a person does about each.

GET  /backoffice/deliveries                        by subscriber; ?subscriber= shows that one's rows
POST /backoffice/deliveries/retry-all              deliver all of one subscriber's again
POST /backoffice/deliveries/<int:id>/retry         deliver one again
POST /backoffice/deliveries/<int:id>/discard       give one up, with a reason
POST /backoffice/deliveries/<int:id>/restore       take a discarded one back

The outbox serves the whole installation, so this page does too. It shows names of programs and kinds of errors, never
what an event says.
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from backend.kernel import dead_deliveries
from backend.kernel.permissions import Permission
from backend.kernel.uow import now
from backend.kernel.web.access import requires
from backend.kernel.web.context import NavItem, read_uow, write_uow
from backend.kernel.web.rendering import redirect_to, render

blueprint = Blueprint("deliveries", __name__, url_prefix="/backoffice/deliveries")
PAGE = "deliveries.dead_list"

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("未送达通知"),
        endpoint=PAGE,
        icon="mail-exclamation",
        permission=Permission.KERNEL_DELIVERY_MANAGE,
        section=lazy_gettext("管理"),
        order=85,
    ),
)


@blueprint.get("")
@requires(Permission.KERNEL_DELIVERY_MANAGE)
def dead_list() -> Response:
    """What is dead, by subscriber, and what was given up last."""
    subscriber = request.args.get("subscriber", "")[:120]
    with read_uow() as session:
        groups = dead_deliveries.list_groups(session)
        rows = dead_deliveries.list_dead(session, subscriber) if subscriber else []
        discarded = dead_deliveries.list_discarded(session)
        moment = now(session)
    return render(
        "kernel/deliveries.html",
        groups=groups,
        chosen=next((group for group in groups if group.subscriber == subscriber), None),
        rows=rows,
        discarded=discarded,
        total=sum(group.count for group in groups),
        age_words=lambda at: _age_words((moment - at).total_seconds()),
    )


@blueprint.post("/retry-all")
@requires(Permission.KERNEL_DELIVERY_MANAGE)
def retry_all() -> BaseResponse:
    """Once the cause is repaired: everything of this subscriber again."""
    with write_uow() as session:
        number = dead_deliveries.retry_all(session, request.form.get("subscriber", "")[:120])
    flash(_("已重新投递 %(n)s 条，稍后刷新看结果", n=number), "ok")
    return redirect_to(PAGE)


@blueprint.post("/<int:delivery_id>/retry")
@requires(Permission.KERNEL_DELIVERY_MANAGE)
def retry(delivery_id: int) -> BaseResponse:
    """One again, to see whether the cause is repaired."""
    with write_uow() as session:
        dead_deliveries.retry(session, delivery_id)
    flash(_("已重新投递，稍后刷新看结果"), "ok")
    return _back()


@blueprint.post("/<int:delivery_id>/discard")
@requires(Permission.KERNEL_DELIVERY_MANAGE)
def discard(delivery_id: int) -> BaseResponse:
    """Given up, for the reason that stays with it."""
    with write_uow() as session:
        dead_deliveries.discard(session, delivery_id, reason=request.form.get("reason", ""))
    flash(_("已放弃这条通知，可以在下方恢复"), "ok")
    return _back()


@blueprint.post("/<int:delivery_id>/restore")
@requires(Permission.KERNEL_DELIVERY_MANAGE)
def restore(delivery_id: int) -> BaseResponse:
    """Back among the dead."""
    with write_uow() as session:
        dead_deliveries.restore(session, delivery_id)
    flash(_("已恢复，可以重新投递"), "ok")
    return _back()


def _back() -> BaseResponse:
    subscriber = request.form.get("subscriber", "")[:120]
    return redirect_to(PAGE, **({"subscriber": subscriber} if subscriber else {}))


def _age_words(seconds: float) -> str:
    """``3 天``, ``5 小时``, ``12 分钟``: what matters of a waiting time."""
    minutes = max(int(seconds // 60), 0)
    if minutes >= 48 * 60:
        return str(_("%(n)s 天", n=minutes // (24 * 60)))
    if minutes >= 60:
        return str(_("%(n)s 小时", n=minutes // 60))
    return str(_("%(n)s 分钟", n=minutes))

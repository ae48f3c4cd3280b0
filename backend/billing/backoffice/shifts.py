"""A cashier's own shift: what is in hand, counted and closed (班结), and the reports of closed ones.

GET  /backoffice/shift              what was taken and given back since the last close; closed shifts
POST /backoffice/shift/close        close it with the drawer as counted
GET  /backoffice/shift/<shift_id>   the report of a closed shift of one's own, to print

At most five statements beside who asks.
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from backend.billing import queries, service
from backend.billing.backoffice.words import WORDS
from backend.billing.errors import ShiftUnknown
from backend.billing.rules import DENOMINATIONS_FEN
from backend.kernel.errors import Forbidden, InvalidInput
from backend.kernel.ids import Id
from backend.kernel.money import parse_yuan
from backend.kernel.permissions import Permission
from backend.kernel.web import (
    NavItem,
    current_actor,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.organization import queries as organization

blueprint = Blueprint(
    "shifts", __name__, url_prefix="/backoffice/shift", template_folder="../templates"
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("班结"),
        endpoint="shifts.in_hand",
        icon="cash-register",
        permission=Permission.BILLING_SHIFT_CLOSE,
        section=lazy_gettext("门诊"),
        order=15,
    ),
)

SHOWN = 20


@blueprint.get("")
@requires(Permission.BILLING_SHIFT_CLOSE)
def in_hand() -> Response:
    """The open shift with the form that closes it, and one's closed shifts."""
    actor, place = current_actor(), own_hospital_id()
    if actor.id is None:
        raise Forbidden
    with read_uow() as session:
        shift = queries.get_open_shift(session, actor.id, hospital_id=place, label=actor.label)
        closed = queries.list_shifts(session, place, account_id=actor.id, limit=SHOWN)
    return render(
        "billing/shift.html",
        shift=shift,
        closed=closed,
        denominations=DENOMINATIONS_FEN,
        **WORDS,
    )


@blueprint.post("/close")
@requires(Permission.BILLING_SHIFT_CLOSE)
def close() -> BaseResponse:
    """Close the shift; what is wrong stays beside the form with everything that was typed."""
    form = request.form
    with write_uow() as session:
        shift = service.close_shift(
            session,
            pieces={fen: _number(form.get(f"pieces-{fen}", "")) for fen in DENOMINATIONS_FEN},
            float_fen=_float(form.get("float", "")),
            reason=form.get("reason", ""),
            handed_to=form.get("handed_to", ""),
            seen=_number(form.get("seen", "")),
        )
        shift_id = shift.id
    flash(_("已班结，请打印交款单"), "ok")
    return redirect_to("shifts.report", shift_id=shift_id)


@blueprint.get("/<uuid:shift_id>")
@requires(Permission.BILLING_SHIFT_CLOSE)
def report(shift_id: Id) -> Response:
    """A closed shift of one's own; another cashier's is 404."""
    with read_uow() as session:
        shift = queries.get_shift(session, shift_id)
        if shift.account_id != current_actor().id:
            raise ShiftUnknown
        hospital_name = organization.get_hospital(session, shift.hospital_id).name
    return render(
        "billing/shift_report.html",
        shift=shift,
        hospital_name=hospital_name,
        denominations=DENOMINATIONS_FEN,
        back="shifts.in_hand",
        **WORDS,
    )


def _float(text: str) -> int:
    """The float in yuan, as typed; nothing is none."""
    try:
        return parse_yuan(text[:12]) if text.strip() else 0
    except InvalidInput as error:
        raise InvalidInput(fields={"float": error.message}) from error


def _number(text: str) -> int:
    """Pieces that were typed; nothing is none."""
    text = text.strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal()) or len(text) > 6:
        raise InvalidInput(_("张数有误，请填写整数"), code="pieces_invalid")
    return int(text)

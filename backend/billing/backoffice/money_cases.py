"""Money cases: money that stands where it should not, until somebody puts it right or says why it may stay.

GET  /backoffice/money-cases                       what is open, oldest first
POST /backoffice/money-cases/<case_id>/give-back   money in suspense goes back to the payer
POST /backoffice/money-cases/<case_id>/retry       ask the platform once more for an abnormal refund
POST /backoffice/money-cases/<case_id>/hand-over   cash that waited was handed over
POST /backoffice/money-cases/<case_id>/close       it is settled, for the reason that is given

One statement beside who asks. The program closes a case itself when the money has gone back.
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from backend.billing import queries, service
from backend.kernel.errors import Conflict
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission
from backend.kernel.web import (
    NavItem,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)

blueprint = Blueprint(
    "money_cases", __name__, url_prefix="/backoffice/money-cases", template_folder="../templates"
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("款项疑问"),
        endpoint="money_cases.case_list",
        icon="zoom-money",
        permission=Permission.BILLING_CASE_CLOSE,
        section=lazy_gettext("管理"),
        order=75,
    ),
)

SHOWN = 100
LONGEST_REASON = 200


@blueprint.get("")
@requires(Permission.BILLING_CASE_CLOSE)
def case_list() -> Response:
    """What is open."""
    hospital_id = own_hospital_id()
    with read_uow() as session:
        cases = queries.list_case_views(session, hospital_id, limit=SHOWN)
    return render("billing/money_cases.html", cases=cases)


@blueprint.post("/<uuid:case_id>/give-back")
@requires(Permission.BILLING_CASE_CLOSE)
def give_back(case_id: Id) -> BaseResponse:
    """The whole sum goes back to where it came from; Conflict (409) when nothing lies in suspense."""
    with write_uow() as session:
        payment_id = queries.get_case(session, case_id).payment_id
        if payment_id is None:
            raise Conflict(code="nothing_in_suspense")
        service.give_back(session, payment_id, reason=_("款项疑问：原路退回"))
    flash(_("已申请原路退回，到账后自动结案"), "ok")
    return redirect_to("money_cases.case_list")


@blueprint.post("/<uuid:case_id>/retry")
@requires(Permission.BILLING_CASE_CLOSE)
def retry(case_id: Id) -> BaseResponse:
    """Ask the platform again, under the same number: it pays out once at most."""
    with write_uow() as session:
        refund_id = queries.get_case(session, case_id).refund_id
        if refund_id is None:
            raise Conflict(code="refund_not_abnormal")
        service.retry_refund(session, refund_id)
    flash(_("已重新申请退款，成功后自动结案"), "ok")
    return redirect_to("money_cases.case_list")


@blueprint.post("/<uuid:case_id>/hand-over")
@requires(Permission.BILLING_CASE_CLOSE)
def hand_over(case_id: Id) -> BaseResponse:
    """The payer has come for the cash; it leaves the drawer of who hands it over."""
    with write_uow() as session:
        refund_id = queries.get_case(session, case_id).refund_id
        if refund_id is None:
            raise Conflict(code="no_cash_to_hand_over")
        service.hand_over_cash(session, refund_id)
    flash(_("已登记现金交给患者"), "ok")
    return redirect_to("money_cases.case_list")


@blueprint.post("/<uuid:case_id>/close")
@requires(Permission.BILLING_CASE_CLOSE)
def close(case_id: Id) -> BaseResponse:
    """Settled by other means; the reason stays with the case."""
    with write_uow() as session:
        reason = request.form.get("reason", "")[:LONGEST_REASON]
        service.close_case(session, case_id, reason=reason)
    flash(_("已结案"), "ok")
    return redirect_to("money_cases.case_list")

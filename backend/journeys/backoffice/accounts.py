"""The patient's prepaid account at the counter: opened, topped up, given back, frozen, closed, and its statement."""

from __future__ import annotations

import datetime as dt

from flask import Response, flash, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.errors import AccountUnknown, InvoiceNotOpen
from backend.journeys import desk
from backend.journeys.backoffice import common
from backend.journeys.backoffice.common import blueprint
from backend.kernel.ids import Id
from backend.kernel.money import format_yuan, parse_yuan
from backend.kernel.permissions import Permission
from backend.kernel.uow import today
from backend.kernel.web import (
    own_hospital_id,
    redirect_to,
    render,
    required_key,
    requires,
    write_uow,
)
from backend.patients import service as patient_service

DAYS = 30


@blueprint.get("/patients/<uuid:patient_id>/account")
@requires(Permission.BILLING_INVOICE_READ)
def account(patient_id: Id) -> Response:
    """Balance and the latest days. Reading it is audited."""
    with write_uow() as session:
        patient = common.require_patient(session, patient_id)
        found = bills.find_account(session, patient_id, hospital_id=own_hospital_id())
        patient_service.note_reading(session, patient_id=patient_id, what="deposit_account")
        statement = None
        if found is not None:
            last = today(session)
            first = last - dt.timedelta(days=DAYS - 1)
            statement = bills.get_statement(session, found.id, first=first, last=last)
    return render(
        "journeys/account.html",
        patient=patient,
        account=found,
        statement=statement,
        days=DAYS,
        may=common.allowed(),
        new_key=common.new_key,
    )


@blueprint.post("/patients/<uuid:patient_id>/account")
@requires(Permission.BILLING_PAYMENT_TAKE)
def open_account(patient_id: Id) -> BaseResponse:
    """Open it, or open it again."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        billing.open_account(session, hospital_id=own_hospital_id(), patient_id=patient_id)
    flash(_("账户已开立"), "ok")
    return _back(patient_id)


@blueprint.post("/patients/<uuid:patient_id>/account/top-up")
@requires(Permission.BILLING_PAYMENT_TAKE)
def top_up(patient_id: Id) -> BaseResponse:
    """A bill over the top-up; it is paid on the patient's page like any other."""
    amount_fen = parse_yuan(request.form.get("amount", ""))
    with write_uow() as session:
        account_id = _account_of(session, patient_id)
        billing.start_top_up(
            session,
            account_id=account_id,
            amount_fen=amount_fen,
            key=f"{account_id}:{required_key()}",
        )
    flash(_("充值单已生成，请收款"), "ok")
    return redirect_to("front_desk.patient", patient_id=patient_id)


@blueprint.post("/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/cancel-top-up")
@requires(Permission.BILLING_PAYMENT_TAKE)
def cancel_top_up(patient_id: Id, invoice_id: Id) -> BaseResponse:
    """The payer does not want it any more; what was paid of it goes back."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        if not desk.get_bill(session, invoice_id, patient_id=patient_id).is_top_up:
            raise InvoiceNotOpen
        billing.void_invoice(session, invoice_id, reason="cancelled")
    return common.show_hand(patient_id, _("充值已取消"))


@blueprint.post("/patients/<uuid:patient_id>/account/withdraw")
@requires(Permission.BILLING_REFUND_REQUEST)
def withdraw(patient_id: Id) -> BaseResponse:
    """The balance, or a part of it, goes back to the tenders it came from."""
    words = request.form.get("amount", "").strip()
    with write_uow() as session:
        account_id = _account_of(session, patient_id)
        made = billing.withdraw(
            session,
            account_id=account_id,
            amount_fen=parse_yuan(words) if words else None,
            reason=request.form.get("reason", ""),
            key=f"{account_id}:{required_key()}",
        )
        total_fen = sum(refund.amount_fen for refund in made)
    flash(_("已退回 %(money)s，扫码和银行卡原路到账", money=format_yuan(total_fen)), "ok")
    return _back(patient_id)


@blueprint.post("/patients/<uuid:patient_id>/account/freeze")
@requires(Permission.BILLING_DEPOSIT_MANAGE)
def freeze(patient_id: Id) -> BaseResponse:
    """Nothing goes out until it is lifted."""
    with write_uow() as session:
        account_id = _account_of(session, patient_id)
        billing.freeze_account(session, account_id, reason=request.form.get("reason", ""))
    flash(_("账户已冻结"), "ok")
    return _back(patient_id)


@blueprint.post("/patients/<uuid:patient_id>/account/unfreeze")
@requires(Permission.BILLING_DEPOSIT_MANAGE)
def unfreeze(patient_id: Id) -> BaseResponse:
    """Lift the freeze."""
    with write_uow() as session:
        account_id = _account_of(session, patient_id)
        billing.unfreeze_account(session, account_id, reason=request.form.get("reason", ""))
    flash(_("账户已解除冻结"), "ok")
    return _back(patient_id)


@blueprint.post("/patients/<uuid:patient_id>/account/close")
@requires(Permission.BILLING_DEPOSIT_MANAGE)
def close_account(patient_id: Id) -> BaseResponse:
    """End it, once it is empty."""
    with write_uow() as session:
        billing.close_account(session, _account_of(session, patient_id))
    flash(_("账户已关闭"), "ok")
    return _back(patient_id)


def _account_of(session: Session, patient_id: Id) -> Id:
    """That patient's account in this hospital; PatientNotFound, AccountUnknown (404)."""
    common.require_patient(session, patient_id)
    found = bills.find_account(session, patient_id, hospital_id=own_hospital_id())
    if found is None:
        raise AccountUnknown
    return found.id


def _back(patient_id: Id) -> BaseResponse:
    return redirect_to("front_desk.account", patient_id=patient_id)

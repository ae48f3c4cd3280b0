"""Giving money back at the counter: parts of a paid bill, parts of one not paid off, and cash that waits."""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.errors import InvoiceUnknown
from backend.billing.views import REFUND_WORDS, TENDER_WORDS, InvoiceView
from backend.journeys import desk, refunds
from backend.journeys.backoffice import common
from backend.journeys.backoffice.common import blueprint
from backend.kernel.errors import Conflict, InvalidInput
from backend.kernel.ids import Id
from backend.kernel.money import format_yuan, parse_yuan
from backend.kernel.permissions import Permission
from backend.kernel.web import (
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    required_key,
    requires,
    write_uow,
)


@blueprint.get("/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/refund")
@requires(Permission.BILLING_REFUND_REQUEST)
def refund_page(patient_id: Id, invoice_id: Id) -> Response:
    """The lines of a paid bill with what may go back of each, where it would go, and which places go with it."""
    with read_uow() as session:
        patient = common.require_patient(session, patient_id)
        invoice = desk.get_bill(session, invoice_id, patient_id=patient_id)
        payments = bills.list_settling_payments(session, invoice_id)
        earlier = bills.list_refunds(session, invoice_id)
        booked = desk.booked_by_order(session, patient_id, hospital_id=own_hospital_id())
    return render(
        "journeys/refund.html",
        patient=patient,
        invoice=invoice,
        payments=payments,
        refunds=earlier,
        booked=booked,
        tender_words=TENDER_WORDS,
        refund_words=REFUND_WORDS,
        new_key=common.new_key,
    )


@blueprint.post("/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/refund")
@requires(Permission.BILLING_REFUND_REQUEST)
def refund_bill(patient_id: Id, invoice_id: Id) -> BaseResponse:
    """Give back what was named of each line, or all that is left; a booked examination's place goes with its fee."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        invoice = desk.get_bill(session, invoice_id, patient_id=patient_id)
        done = refunds.refund_lines(
            session,
            invoice_id=invoice_id,
            parts=_wanted(invoice),
            reason=request.form.get("reason", ""),
            key=f"{invoice_id}:{required_key()}",
        )
    flash(_words(done), "ok")
    return redirect_to("front_desk.patient", patient_id=patient_id)


@blueprint.get("/patients/<uuid:patient_id>/executed")
@requires(Permission.BILLING_EXECUTION_REVERSE)
def executed(patient_id: Id) -> Response:
    """What was done or dispensed of the latest bills, for doctors, who may undo it and see no bills otherwise."""
    with read_uow() as session:
        common.require_patient(session, patient_id)
        found = desk.list_recent_bills(session, patient_id)
    return render("journeys/_executed.html", patient_id=patient_id, invoices=found)


@blueprint.post(
    "/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/charges/<uuid:charge_id>/reverse"
)
@requires(Permission.BILLING_EXECUTION_REVERSE)
def reverse_execution(patient_id: Id, invoice_id: Id, charge_id: Id) -> BaseResponse:
    """The drug came back or the test was undone: from now on its money may go back too."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        bill = desk.get_bill(session, invoice_id, patient_id=patient_id)
        if charge_id not in {line.charge_id for line in bill.lines}:
            raise InvoiceUnknown
        if not billing.reverse_charge(session, charge_id, reason=request.form.get("reason", "")):
            raise Conflict(code="charge_not_executed")
    return common.show_hand(patient_id, _("已撤销执行，收费处可以退费了"))


@blueprint.post("/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/parts-back")
@requires(Permission.BILLING_REFUND_REQUEST)
def parts_back(patient_id: Id, invoice_id: Id) -> BaseResponse:
    """The payer does not go on: what was paid of the bill so far goes back, all of it is due again."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        desk.get_bill(session, invoice_id, patient_id=patient_id)
        billing.release_parts(session, invoice_id, reason=_("患者不再继续支付"))
    return common.show_hand(patient_id, _("已付部分正在原路退回，现金请当面退给患者"))


@blueprint.post("/patients/<uuid:patient_id>/refunds/<uuid:refund_id>/hand-over")
@requires(Permission.BILLING_REFUND_REQUEST)
def hand_over(patient_id: Id, refund_id: Id) -> BaseResponse:
    """The cash that waited is in the patient's hand."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        refund = desk.get_refund(session, refund_id, patient_id=patient_id)
        billing.hand_over_cash(session, refund_id)
    return common.show_hand(
        patient_id, _("已退现金 %(money)s", money=format_yuan(refund.amount_fen))
    )


def _wanted(invoice: InvoiceView) -> dict[Id, int]:
    """Fen by charge, as the form says."""
    left = {line.charge_id: line.amount_fen - line.refunded_fen for line in invoice.lines}
    if request.form.get("all"):
        return {charge_id: fen for charge_id, fen in left.items() if fen}
    typed = {charge_id: request.form.get(f"fen-{charge_id}", "").strip() for charge_id in left}
    wanted: dict[Id, int] = {
        charge_id: parse_yuan(words) for charge_id, words in typed.items() if words
    }
    if not wanted:
        raise InvalidInput(
            _("请填写要退的金额"),
            code="nothing_to_refund",
            next_step=_("在要退的项目后填金额，或选“全部退”"),
        )
    return wanted


def _words(done: refunds.RefundedLines) -> str:
    parts = [f"{TENDER_WORDS[one.tender]} {format_yuan(one.amount_fen)}" for one in done.refunds]
    words = str(_("退费已办：%(parts)s", parts="，".join(parts)))
    if not done.unbooked:
        return words
    return words + str(_("；检查预约已取消：%(names)s", names="、".join(done.unbooked)))

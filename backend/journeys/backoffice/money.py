"""Taking money for the patient in hand: cash with its change, a QR code with its outcome."""

from __future__ import annotations

from flask import Response, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import PaymentState, Tender
from backend.journeys import desk, settlement
from backend.journeys.backoffice import common
from backend.journeys.backoffice.common import blueprint
from backend.journeys.errors import NothingPaid
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id
from backend.kernel.money import format_yuan, parse_yuan
from backend.kernel.permissions import Permission
from backend.kernel.web import qr_picture, read_uow, render, required_key, requires, write_uow


@blueprint.post("/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/cash")
@requires(Permission.BILLING_PAYMENT_TAKE)
def cash(patient_id: Id, invoice_id: Id) -> BaseResponse:
    """Take cash for a bill, or for the ``part`` of it that is named; says the change."""
    received_fen = parse_yuan(request.form.get("received", ""))
    part_fen = _part()
    with write_uow() as session:
        common.require_patient(session, patient_id)
        desk.get_bill(session, invoice_id, patient_id=patient_id)
        payment_id = settlement.pay_cash(
            session,
            invoice_id=invoice_id,
            received_fen=received_fen,
            amount_fen=part_fen,
            key=f"{invoice_id}:{required_key()}",
        )
        paid = bills.get_payment(session, payment_id)
    return common.show_hand(
        patient_id,
        _(
            "已收 %(money)s，找零 %(change)s",
            money=format_yuan(paid.tendered_fen or 0),
            change=format_yuan(paid.change_fen or 0),
        ),
    )


@blueprint.post("/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/qr")
@requires(Permission.BILLING_PAYMENT_TAKE)
def qr(patient_id: Id, invoice_id: Id) -> BaseResponse:
    """Begin a QR payment of the amount that was shown or a ``part`` of it, by WeChat Pay or what ``tender`` names."""
    amount = request.form.get("amount_fen", "")
    if not amount.isdecimal() or len(amount) > 12:
        raise InvalidInput(_("金额有误"), code="amount_malformed")
    part_fen = _part()
    tender = request.form.get("tender", Tender.WECHAT_NATIVE.value)
    if tender not in common.offered_tenders():
        raise InvalidInput(_("本院没有开通这种付款方式"), code="tender_not_offered")
    with write_uow() as session:
        common.require_patient(session, patient_id)
        desk.get_bill(session, invoice_id, patient_id=patient_id)
        billing.start_qr_payment(
            session,
            invoice_id=invoice_id,
            amount_fen=int(amount) if part_fen is None else part_fen,
            tender=Tender(tender),
            is_part=part_fen is not None,
            key=f"{invoice_id}:{required_key()}",
        )
    return common.show_hand(patient_id)


@blueprint.post("/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/card")
@requires(Permission.BILLING_PAYMENT_TAKE)
def card(patient_id: Id, invoice_id: Id) -> BaseResponse:
    """Begin to pay the amount that was shown by the card that was swiped; the bank is asked afterwards."""
    amount = request.form.get("amount_fen", "")
    if not amount.isdecimal() or len(amount) > 12:
        raise InvalidInput(_("金额有误"), code="amount_malformed")
    with write_uow() as session:
        common.require_patient(session, patient_id)
        desk.get_bill(session, invoice_id, patient_id=patient_id)
        if Tender.BANK_CARD not in common.offered_tenders():
            raise InvalidInput(_("本院没有开通这种付款方式"), code="tender_not_offered")
        billing.start_card_payment(
            session,
            invoice_id=invoice_id,
            amount_fen=int(amount),
            swiped=request.form.get("card", ""),
            key=f"{invoice_id}:{required_key()}",
        )
    return common.show_hand(patient_id)


@blueprint.post("/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/insurance")
@requires(Permission.BILLING_PAYMENT_TAKE)
def insurance(patient_id: Id, invoice_id: Id) -> BaseResponse:
    """Let the national insurance pay its part of a bill, by the credential that was scanned."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        desk.get_bill(session, invoice_id, patient_id=patient_id)
        if Tender.INSURANCE not in common.offered_tenders():
            raise InvalidInput(_("本院没有开通这种付款方式"), code="tender_not_offered")
        billing.claim_insurance(
            session, invoice_id=invoice_id, credential=request.form.get("credential", "")
        )
    return common.show_hand(patient_id)


@blueprint.get("/patients/<uuid:patient_id>/claims/<uuid:claim_id>")
@requires(Permission.BILLING_PAYMENT_TAKE)
def claim(patient_id: Id, claim_id: Id) -> BaseResponse:
    """What the insurance says: nothing (204) while it is being asked, the hand once it has answered."""
    with read_uow() as session:
        common.require_patient(session, patient_id)
        found = bills.get_claim(session, claim_id)
        desk.get_bill(session, found.invoice_id, patient_id=patient_id)
    if found.is_pending:
        return Response(status=204)
    return common.show_hand(patient_id, found.words, "warn" if found.is_refused else "ok")


@blueprint.get("/patients/<uuid:patient_id>/payments/<uuid:payment_id>")
@requires(Permission.BILLING_PAYMENT_TAKE)
def payment(patient_id: Id, payment_id: Id) -> BaseResponse:
    """How a QR payment stands: nothing (204) while it is as ``seen``, the panel when it moved, the hand at its end."""
    with read_uow() as session:
        common.require_patient(session, patient_id)
        desk.get_payment(session, payment_id, patient_id=patient_id)
        outcome = settlement.payment_outcome(session, payment_id)
    found = outcome.payment
    if not found.is_in_flight:
        is_good = found.state is PaymentState.SUCCEEDED and not (
            outcome.is_visit_lost or found.is_given_back
        )
        return common.show_hand(patient_id, outcome.words, "ok" if is_good else "warn")
    if request.args.get("seen") == found.state.value:
        return Response(status=204)
    return render("journeys/_payment.html", patient_id=patient_id, payment=found, qr_of=qr_picture)


@blueprint.post("/patients/<uuid:patient_id>/payments/<uuid:payment_id>/cancel")
@requires(Permission.BILLING_PAYMENT_TAKE)
def cancel(patient_id: Id, payment_id: Id) -> BaseResponse:
    """Ask for a QR payment to be closed; the payer may still be quicker."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        desk.get_payment(session, payment_id, patient_id=patient_id)
        billing.cancel_payment(session, payment_id)
    return common.show_hand(patient_id)


@blueprint.get("/patients/<uuid:patient_id>/bills")
@requires(Permission.BILLING_INVOICE_READ)
def recent_bills(patient_id: Id) -> Response:
    """The latest bills, for printing again."""
    with read_uow() as session:
        common.require_patient(session, patient_id)
        found = desk.list_recent_bills(session, patient_id)
        return render(
            "journeys/_bills.html",
            patient_id=patient_id,
            invoices=found,
            may_refund=common.allowed()["refund"],
            may_pay=common.allowed()["pay"],
            einvoices=bills.find_einvoices(session, [invoice.id for invoice in found]),
        )


@blueprint.post("/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/prepaid")
@requires(Permission.BILLING_PAYMENT_TAKE)
def prepaid(patient_id: Id, invoice_id: Id) -> BaseResponse:
    """Pay from the patient's account: the ``part`` that is named, or as much of what is due as is there."""
    part_fen = _part()
    with write_uow() as session:
        common.require_patient(session, patient_id)
        desk.get_bill(session, invoice_id, patient_id=patient_id)
        payment_id = settlement.pay_prepaid(
            session,
            invoice_id=invoice_id,
            amount_fen=part_fen,
            key=f"{invoice_id}:{required_key()}",
        )
        paid = bills.get_payment(session, payment_id)
    return common.show_hand(
        patient_id, _("已从预交金支付 %(money)s", money=format_yuan(paid.received_fen))
    )


def _part() -> int | None:
    """The part of a bill that is to be paid now; None for all that is due."""
    words = request.form.get("part", "").strip()
    return parse_yuan(words) if words else None


@blueprint.post("/patients/<uuid:patient_id>/invoices/<uuid:invoice_id>/einvoice")
@requires(Permission.BILLING_PAYMENT_TAKE)
def retry_einvoice(patient_id: Id, invoice_id: Id) -> BaseResponse:
    """Ask once more for the electronic bill that the platform refused."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        desk.get_bill(session, invoice_id, patient_id=patient_id)
        found = bills.find_einvoices(session, [invoice_id]).get(invoice_id)
        if found is None:
            raise NothingPaid
        billing.retry_einvoice(session, found.id)
    return common.show_hand(patient_id, _("已重新申请电子票据"))

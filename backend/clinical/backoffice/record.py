"""The record of one encounter: note, diagnoses, orders, the end of the visit."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.clinical import queries, service
from backend.clinical.backoffice.common import (
    Said,
    answer_desk,
    blueprint,
    note_state,
    past_list,
    show_desk,
    show_record,
)
from backend.clinical.service import Order
from backend.kernel.errors import InvalidInput
from backend.kernel.idempotency import once
from backend.kernel.ids import Id
from backend.kernel.money import format_yuan
from backend.kernel.permissions import Permission
from backend.kernel.uow import now
from backend.kernel.web import idempotency_key, read_uow, redirect_to, requires, write_uow
from backend.kernel.web.rendering import is_fragment_request


@blueprint.get("/encounters/<uuid:encounter_id>")
@requires(Permission.CLINICAL_ENCOUNTER_READ)
def encounter(encounter_id: Id) -> Response:
    """The workstation with this encounter in hand; only its own practitioner may write in it."""
    return show_desk(encounter_id)


@blueprint.post("/encounters/<uuid:encounter_id>/note")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def save_note(encounter_id: Id) -> BaseResponse:
    """Save what was typed; 409 keeps it on the page."""
    with write_uow() as writing:
        _record_note(writing, encounter_id)
    if not is_fragment_request():
        return redirect_to("workstation.encounter", encounter_id=encounter_id)
    with read_uow() as reading:
        return note_state(queries.get_encounter(reading, encounter_id), now(reading))


@blueprint.get("/encounters/<uuid:encounter_id>/past")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def past(encounter_id: Id) -> Response:
    """The patient's earlier visits, for the practitioner in charge; who opens them is written down."""
    with write_uow() as writing:
        return past_list(service.read_past(writing, encounter_id))


@blueprint.post("/encounters/<uuid:encounter_id>/diagnoses")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def add_diagnosis(encounter_id: Id) -> BaseResponse:
    """Add the diagnosis chosen from ICD-10."""
    code = _code()
    with write_uow() as writing:
        service.add_diagnosis(writing, encounter_id=encounter_id, code=code)
    return show_record(encounter_id, focus="diagnosis")


@blueprint.post("/encounters/<uuid:encounter_id>/diagnoses/<uuid:diagnosis_id>/remove")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def remove_diagnosis(encounter_id: Id, diagnosis_id: Id) -> BaseResponse:
    """Take a diagnosis out again."""
    with write_uow() as writing:
        service.remove_diagnosis(writing, encounter_id=encounter_id, diagnosis_id=diagnosis_id)
    return show_record(encounter_id, focus="diagnosis")


@blueprint.post("/encounters/<uuid:encounter_id>/drugs")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def order_drug(encounter_id: Id) -> BaseResponse:
    """Order a drug; the same form sent twice orders once."""
    code, quantity = _code(), _quantity()
    directions = {
        field: request.form.get(field, "").strip() for field in ("dose", "route", "frequency")
    }

    def act(writing: Session) -> Order:
        return service.place_drug_order(
            writing, encounter_id=encounter_id, code=code, quantity=quantity, **directions
        )

    _order_once(encounter_id, {"code": code, "quantity": quantity, **directions}, act)
    return show_record(encounter_id, focus="drug")


@blueprint.post("/encounters/<uuid:encounter_id>/laboratory")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def order_laboratory(encounter_id: Id) -> BaseResponse:
    """Order a laboratory examination; the same form sent twice orders once."""
    code = _code()

    def act(writing: Session) -> Order:
        return service.place_laboratory_order(writing, encounter_id=encounter_id, code=code)

    _order_once(encounter_id, {"code": code}, act)
    return show_record(encounter_id, focus="laboratory")


@blueprint.post("/encounters/<uuid:encounter_id>/examinations")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def order_examination(encounter_id: Id) -> BaseResponse:
    """Order an examination on a device; the same form sent twice orders once."""
    code = _code()

    def act(writing: Session) -> Order:
        return service.place_examination_order(writing, encounter_id=encounter_id, code=code)

    _order_once(encounter_id, {"code": code}, act)
    return show_record(encounter_id, focus="examination")


@blueprint.post("/encounters/<uuid:encounter_id>/orders/<uuid:order_id>/cancel")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def cancel_order(encounter_id: Id, order_id: Id) -> BaseResponse:
    """Take back an order that is on no bill yet; the focus goes to undoing it."""
    with write_uow() as writing:
        service.cancel_order(writing, encounter_id=encounter_id, order_id=order_id)
    return show_record(encounter_id, focus=f"restore-{order_id}")


@blueprint.post("/encounters/<uuid:encounter_id>/orders/<uuid:order_id>/restore")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def restore_order(encounter_id: Id, order_id: Id) -> BaseResponse:
    """Undo a cancellation."""
    with write_uow() as writing:
        service.restore_order(writing, encounter_id=encounter_id, order_id=order_id)
    return show_record(encounter_id)


@blueprint.post("/encounters/<uuid:encounter_id>/finish")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def finish(encounter_id: Id) -> BaseResponse:
    """Save the note sent along, then end encounter, appointment and ticket together."""
    with write_uow() as writing:
        if "complaint" in request.form:
            _record_note(writing, encounter_id)
        finished = service.finish_visit(writing, encounter_id)
        invoice_id = finished.invoice_id
    with read_uow() as reading:
        encounter = queries.get_encounter(reading, encounter_id)
    number, total = encounter.ticket_number, format_yuan(encounter.total_fen)
    words = (
        _("%(number)s 就诊结束，请患者缴费 %(total)s", number=number, total=total)
        if invoice_id
        else _("%(number)s 就诊结束，没有需要缴的费用", number=number)
    )
    return answer_desk(Said(words, "ok", encounter_id, invoice_id))


def _record_note(writing: Session, encounter_id: Id) -> None:
    version = request.form.get("version", "")
    if not version.isdecimal() or len(version) > 9:
        raise InvalidInput(fields={"version": _("必填")}, code="version_missing")
    service.record_note(
        writing,
        encounter_id=encounter_id,
        version=int(version),
        complaint=request.form.get("complaint", ""),
        history=request.form.get("history", ""),
        examination=request.form.get("examination", ""),
    )


def _order_once(encounter_id: Id, form: dict[str, object], act: Callable[[Session], Order]) -> None:
    key = idempotency_key()
    with write_uow() as writing:
        if not key:
            act(writing)
            return
        once(
            writing,
            f"clinical.order:{encounter_id}",
            key,
            form,
            lambda: {"order_id": str(act(writing).id)},
        )


def _code() -> str:
    code = request.form.get("code", "").strip()
    if not code:
        raise InvalidInput(
            _("还没有选中一项"),
            next_step=_("请输入几个字，用 ↓ 选中，再按 Enter"),
            code="code_missing",
        )
    return code


def _quantity() -> int:
    text = request.form.get("quantity", "").strip()
    if not text.isdecimal() or len(text) > 4:
        raise InvalidInput(_("数量有误"), fields={"quantity": _("应为数字")})
    return int(text)

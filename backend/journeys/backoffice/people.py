"""Finding and registering people, and having one in hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask import Response, flash, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.journeys import desk as view
from backend.journeys.backoffice import common
from backend.journeys.backoffice.common import blueprint
from backend.kernel.errors import InvalidInput, NotFound
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission
from backend.kernel.uow import today
from backend.kernel.web import own_hospital_id, read_uow, redirect_to, render, requires, write_uow
from backend.kernel.web.rendering import is_fragment_request
from backend.patients import queries as patients
from backend.patients import rules
from backend.patients import service as patient_service
from backend.patients.rules import IdKind, SearchKind

LONGEST_SEARCH = 60


@blueprint.get("")
@requires(Permission.PATIENTS_PATIENT_READ)
def desk() -> Response:
    """Find a patient; ``s`` holds sealed words that were searched for before."""
    with read_uow() as session:
        return _results(session, common.open_words(session, request.args.get("s", "")))


@blueprint.post("")
@requires(Permission.PATIENTS_PATIENT_READ)
def search() -> BaseResponse:
    """Look for what was typed; a card or number typed whole (or scanned) and sent opens the record at once."""
    text = request.form.get("q", "").strip()[:LONGEST_SEARCH]
    with read_uow() as session:
        if is_fragment_request():
            return _results(session, text)
        if rules.search_kind(text) is SearchKind.NUMBER:
            found = patients.search_patients(session, hospital_id=own_hospital_id(), text=text)
            if len(found) == 1:
                return redirect_to("front_desk.patient", patient_id=found[0].id)
        return redirect_to("front_desk.desk", s=common.seal_words(session, text) if text else None)


def _results(session: Session, text: str) -> Response:
    found = patients.search_patients(session, hospital_id=own_hospital_id(), text=text)
    return render(
        "journeys/desk.html",
        fragment="journeys/_results.html",
        text=text,
        sealed=common.seal_words(session, text) if text else None,
        is_short=bool(text) and rules.search_kind(text) is None,
        found=found,
        is_cut=len(found) == patients.SEARCH_LIMIT,
        sex_words=common.SEX_WORDS,
        may=common.allowed(),
    )


@blueprint.get("/patients/<uuid:patient_id>")
@requires(Permission.PATIENTS_PATIENT_READ)
def patient(patient_id: Id) -> Response:
    """The patient in hand; opening the record is audited."""
    with write_uow() as session:
        hand = view.get_hand(session, patient_id, hospital_id=own_hospital_id())
        patient_service.note_reading(session, patient_id=patient_id, what="patient")
        return common.render_hand(hand)


@blueprint.post("/patients/<uuid:patient_id>/reveal/<field>")
@requires(Permission.PATIENTS_PATIENT_REVEAL)
def reveal(patient_id: Id, field: str) -> str:
    """The whole value of one sealed field; the act is audited."""
    if field not in set(patient_service.Field):
        raise NotFound
    with write_uow() as session:
        common.require_patient(session, patient_id)
        return patient_service.reveal_patient(
            session, patient_id=patient_id, field=patient_service.Field(field)
        ) or _("未登记")


@dataclass(frozen=True, slots=True)
class NewPatient:
    """The form of a new record as it was typed."""

    name: str = ""
    id_kind: str = IdKind.RESIDENT_CARD.value
    id_number: str = ""
    sex: str = ""
    birth_date: str = ""
    phone: str = ""
    address: str = ""
    card_number: str = ""
    allergies: str = ""


@blueprint.get("/patients/new")
@requires(Permission.PATIENTS_PATIENT_WRITE)
def new_patient() -> Response:
    """The form of a new record; ``s`` holds sealed words that found nobody."""
    with read_uow() as session:
        text = common.open_words(session, request.args.get("s", ""))
    kind = rules.search_kind(text)
    is_number = kind is SearchKind.NUMBER
    return _form(
        NewPatient(
            name=text if kind is SearchKind.NAME else "",
            id_number=text.upper() if is_number and len(text) == 18 else "",
            phone=text if is_number and rules.is_phone(text) else "",
        ),
        {},
    )


@blueprint.post("/patients")
@requires(Permission.PATIENTS_PATIENT_WRITE)
def register() -> BaseResponse:
    """Register somebody by their document; a document that is known opens its record instead."""
    typed = NewPatient(
        **{name: request.form.get(name, "").strip() for name in NewPatient.__slots__}
    )
    try:
        with write_uow() as session:
            sex, birth_date = _person(typed, today(session))
            row, created = patient_service.register_patient(
                session,
                hospital_id=own_hospital_id(),
                name=typed.name,
                sex=sex,
                birth_date=birth_date,
                id_kind=typed.id_kind,
                id_number=typed.id_number,
                phone=typed.phone or None,
                address=typed.address or None,
                card_number=typed.card_number or None,
                allergies=typed.allergies,
            )
            if not created:
                patient_service.note_reading(session, patient_id=row.id, what="patient")
            patient_id = row.id
    except InvalidInput as error:
        return _form(typed, {name: str(words) for name, words in error.fields.items()}, error)
    flash(
        _("已建档") if created else _("这个证件已经建过档，已打开原来的档案"),
        "ok" if created else "info",
    )
    return redirect_to("front_desk.patient", patient_id=patient_id)


def _person(typed: NewPatient, day: dt.date) -> tuple[int, dt.date]:
    """Sex and birth date: what a resident number says, else what was typed; InvalidInput names the field."""
    if typed.id_kind == IdKind.RESIDENT_CARD:
        facts = rules.read_id_number(typed.id_number, day)
        if facts is None:
            raise InvalidInput(fields={"id_number": _("身份证号码有误，请核对 18 位号码")})
        return facts.sex, facts.birth_date
    if typed.id_kind not in set(IdKind):
        raise InvalidInput(fields={"id_kind": _("请选择证件类型")})
    if typed.sex not in {str(code) for code in rules.SEXES}:
        raise InvalidInput(fields={"sex": _("请选择性别")})
    try:
        return int(typed.sex), dt.date.fromisoformat(typed.birth_date)
    except ValueError as error:
        raise InvalidInput(fields={"birth_date": _("请填写出生日期")}) from error


def _form(typed: NewPatient, errors: dict[str, str], error: InvalidInput | None = None) -> Response:
    return render(
        "journeys/new_patient.html",
        fragment="journeys/_new_patient.html" if error else None,
        status=422 if error else 200,
        typed=typed,
        errors=errors,
        error=str(error.message) if error and not errors else "",
        id_kinds=[(kind.value, words) for kind, words in common.ID_KIND_WORDS.items()],
        sexes=list(common.SEX_WORDS.items()),
    )

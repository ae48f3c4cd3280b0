"""What the front desk's routes share: the blueprint, showing the patient in hand."""

from __future__ import annotations

import base64
import binascii

from flask import Blueprint, Response, current_app, flash
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.billing.rules import Tender
from backend.billing.views import TENDER_WORDS
from backend.journeys import desk
from backend.kernel.crypto import SealBroken
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Permission, has
from backend.kernel.uow import keys
from backend.kernel.web import (
    NavItem,
    current_actor,
    own_hospital_id,
    qr_picture,
    read_uow,
    redirect_to,
    render,
    xinglin,
)
from backend.kernel.web.rendering import is_fragment_request
from backend.patients import queries as patients
from backend.patients.rules import IdKind, Sex

blueprint = Blueprint(
    "front_desk", __name__, url_prefix="/backoffice/front-desk", template_folder="../templates"
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("挂号收费"),
        endpoint="front_desk.desk",
        icon="user-search",
        permission=Permission.BILLING_PAYMENT_TAKE,
        section=lazy_gettext("门诊"),
        order=10,
    ),
)

#: Where a patient's examinations are planned, when that page is there.
EXAMINATIONS = "examinations.patient"

SEX_WORDS = {
    Sex.UNKNOWN: lazy_gettext("未知"),
    Sex.MALE: lazy_gettext("男"),
    Sex.FEMALE: lazy_gettext("女"),
    Sex.UNSPECIFIED: lazy_gettext("未说明"),
}
ID_KIND_WORDS = {
    IdKind.RESIDENT_CARD: lazy_gettext("居民身份证"),
    IdKind.HOUSEHOLD_BOOK: lazy_gettext("居民户口簿"),
    IdKind.PASSPORT: lazy_gettext("护照"),
    IdKind.OFFICER_CARD: lazy_gettext("军官证"),
    IdKind.DRIVING_LICENCE: lazy_gettext("驾驶证"),
    IdKind.HONGKONG_MACAO_PERMIT: lazy_gettext("港澳居民来往内地通行证"),
    IdKind.TAIWAN_PERMIT: lazy_gettext("台湾居民来往大陆通行证"),
    IdKind.OTHER: lazy_gettext("其他证件"),
}


#: What a sealed search is sealed for.
SEARCH = "front_desk.search"


def seal_words(session: Session, words: str) -> str:
    """Searched words as an address may carry them: histories and logs of proxies keep names and numbers for years."""
    return base64.urlsafe_b64encode(keys(session).seal(words, SEARCH)).decode("ascii")


def open_words(session: Session, sealed: str) -> str:
    """What ``seal_words`` sealed; nothing for what it did not make."""
    try:
        return keys(session).open(base64.urlsafe_b64decode(sealed), SEARCH)
    except (SealBroken, binascii.Error, ValueError):
        return ""


def require_patient(session: Session, patient_id: Id) -> patients.PatientView:
    """The patient, of this hospital: PatientNotFound otherwise."""
    return patients.get_patient(session, patient_id, hospital_id=own_hospital_id())


def new_key() -> str:
    """The key of one form: the same submit sent twice acts once."""
    return new_id().hex


def allowed() -> dict[str, bool]:
    """What this person may do here; buttons for anything else are not shown."""
    actor = current_actor()
    return {
        "book": has(actor, Permission.SCHEDULING_APPOINTMENT_WRITE),
        "examine": EXAMINATIONS in current_app.view_functions
        and has(actor, Permission.SCHEDULING_EXAMINATION_BOOK),
        "check_in": has(actor, Permission.QUEUEING_TICKET_MANAGE),
        "deposit": has(actor, Permission.BILLING_DEPOSIT_MANAGE),
        "pay": has(actor, Permission.BILLING_PAYMENT_TAKE),
        "refund": has(actor, Permission.BILLING_REFUND_REQUEST),
        "reverse": has(actor, Permission.BILLING_EXECUTION_REVERSE),
        "register": has(actor, Permission.PATIENTS_PATIENT_WRITE),
        "reveal": has(actor, Permission.PATIENTS_PATIENT_REVEAL),
        "see_bills": has(actor, Permission.BILLING_INVOICE_READ),
        "see_tickets": has(actor, Permission.QUEUEING_TICKET_READ),
    }


def offered_tenders() -> frozenset[Tender]:
    """The tenders with a far end that this installation has; WeChat Pay alone where nobody says."""
    found: frozenset[Tender] = xinglin().parts.get("tenders") or frozenset({Tender.WECHAT_NATIVE})
    return found


def show_hand(patient_id: Id, words: object = "", tone: str = "ok") -> BaseResponse:
    """After a command: the patient in hand afresh with a message; for a browser without htmx the page itself."""
    if not is_fragment_request():
        if words:
            flash(str(words), tone)
        return redirect_to("front_desk.patient", patient_id=patient_id)
    with read_uow() as session:
        response = render_hand(desk.get_hand(session, patient_id, hospital_id=own_hospital_id()),
                               words=words, tone=tone)  # fmt: skip
    # Whichever part of the page asked: the whole hand has changed, and the free places with it.
    response.headers["HX-Retarget"] = "#hand"
    response.headers["HX-Reswap"] = "outerHTML"
    response.headers["HX-Trigger"] = "desk-changed"
    return response


def render_hand(hand: desk.Hand, *, words: object = "", tone: str = "ok") -> Response:
    """Page and fragment of the patient in hand."""
    return render(
        "journeys/patient.html",
        fragment="journeys/_hand.html",
        hand=hand,
        patient=hand.patient,
        sex_words=SEX_WORDS.get(hand.patient.sex, ""),
        id_kind_words=ID_KIND_WORDS.get(IdKind(hand.patient.id_kind), ""),
        may=allowed(),
        tenders=offered_tenders(),
        tender_words=TENDER_WORDS,
        new_key=new_key,
        qr_of=qr_picture,
        message=words,
        tone=tone,
    )

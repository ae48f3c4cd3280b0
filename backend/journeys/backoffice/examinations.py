"""A patient's examinations: orders, safety questions, a plan by days, booking it whole, moving and giving back, paper.

GET  /backoffice/examinations/patients/<id>                 the desk (``?move=`` one booked examination, wishes)
GET  …/<id>/plan                                            the plan (fragment; the page has it too)
POST …/<id>/screening                                       answers of safety
POST …/<id>/book                                            all places of a plan, or none
POST …/<id>/examinations/<id>/cancel                        give one back
GET  …/<id>/print                                           the preparation sheet, 80 mm

Everything below a patient is looked up as that patient's, in the actor's hospital: anything else is 404.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from flask import Blueprint, Response, current_app, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from backend.journeys import documents, examinations
from backend.journeys.backoffice import common
from backend.journeys.examinations import Desk, Proposal
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, parse_id
from backend.kernel.permissions import Permission, has
from backend.kernel.uow import now, today
from backend.kernel.web import (
    NavItem,
    current_actor,
    own_hospital_id,
    qr_picture,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.organization import queries as organization
from backend.patients import service as patient_service
from backend.scheduling import examinations as scheduling
from backend.scheduling import rules
from backend.scheduling.errors import PlanOutdated
from backend.scheduling.queries import examinations as queries
from backend.scheduling.rules.planning import Availability
from backend.scheduling.rules.planning.explanation import when_words

blueprint = Blueprint(
    "examinations",
    __name__,
    url_prefix="/backoffice/examinations",
    template_folder="../templates",
)

NAV: tuple[NavItem, ...] = ()
#: Where the patient is in hand, for those who work there.
FRONT_DESK = "front_desk.patient"
MOST_EGFR = 200
#: The questions of safety in the words in which a patient is asked.
QUESTIONS = {
    "has_pacemaker": lazy_gettext("体内有心脏起搏器、人工耳蜗等电子装置"),
    "has_metal": lazy_gettext("体内有金属（支架、夹子、弹片、义齿不能取下）"),
    "has_iodinated_allergy": lazy_gettext("做增强 CT 时对碘对比剂过敏过"),
    "has_gadolinium_allergy": lazy_gettext("做增强磁共振时对钆对比剂过敏过"),
    "has_kidney_risk": lazy_gettext("有肾病、糖尿病，或正在服用伤肾的药"),
    "is_pregnant": lazy_gettext("怀孕或可能怀孕"),
    "has_obstruction": lazy_gettext("最近肚子胀痛、不排气不排便（怀疑肠梗阻）"),
}


@blueprint.get("/patients/<uuid:patient_id>")
@requires(Permission.SCHEDULING_EXAMINATION_BOOK)
def patient(patient_id: Id) -> Response:
    """The desk of one patient's examinations; opening it is audited. The plan follows by itself."""
    with write_uow() as session:
        common.require_patient(session, patient_id)
        patient_service.note_reading(session, patient_id=patient_id, what="examinations")
    desk = _open(patient_id)
    return _page(desk, None)


@blueprint.get("/patients/<uuid:patient_id>/plan")
@requires(Permission.SCHEDULING_EXAMINATION_BOOK)
def plan(patient_id: Id) -> Response:
    """The proposed plan: a fragment for the desk, the whole page for a browser without scripts."""
    desk = _open(patient_id)
    return _page(desk, examinations.propose(desk))


@blueprint.post("/patients/<uuid:patient_id>/screening")
@requires(Permission.SCHEDULING_EXAMINATION_BOOK)
def screen(patient_id: Id) -> BaseResponse:
    """Keep what the patient answered; a question left open stays open."""
    answers: dict[str, bool | int | None] = {
        name: {"yes": True, "no": False}.get(request.form.get(name, "")) for name in QUESTIONS
    }
    answers["egfr"] = _egfr(request.form.get("egfr", "").strip())
    with write_uow() as session:
        common.require_patient(session, patient_id)
        known = queries.get_screening(session, patient_id)
        scheduling.record_screening(
            session,
            hospital_id=own_hospital_id(),
            patient_id=patient_id,
            answers={
                name: answers[name] if name in request.form else known.get(name) for name in answers
            },
        )
    flash(_("安全筛查已保存，安排已按新的回答重做"), "ok")
    return redirect_to("examinations.patient", patient_id=patient_id, **_wishes_again())


@blueprint.post("/patients/<uuid:patient_id>/book")
@requires(Permission.SCHEDULING_EXAMINATION_BOOK)
def book(patient_id: Id) -> BaseResponse:
    """Book every place of the plan or none; when anything changed meanwhile, a new plan that says what."""
    chosen = examinations.chosen_places(request.form.getlist("place"))
    moving_id = parse_id(request.form.get("move", ""))
    if not chosen:
        raise InvalidInput(_("没有可以预约的安排"), code="plan_empty")
    try:
        with write_uow() as session:
            common.require_patient(session, patient_id)
            count = examinations.book_plan(
                session,
                patient_id=patient_id,
                hospital_id=own_hospital_id(),
                chosen=chosen,
                moving_id=moving_id,
            )
    except PlanOutdated as outdated:
        desk = _open(patient_id)
        proposal = examinations.propose(desk)
        changes = examinations.changes_since(desk, proposal, chosen)
        return _page(desk, proposal, outdated=outdated, changes=changes)
    flash(_("%(n)s 项检查已全部约好，请打印准备单交给患者", n=count), "ok")
    return redirect_to("examinations.patient", patient_id=patient_id)


@blueprint.post("/patients/<uuid:patient_id>/examinations/<uuid:examination_id>/cancel")
@requires(Permission.SCHEDULING_EXAMINATION_BOOK)
def cancel(patient_id: Id, examination_id: Id) -> BaseResponse:
    """Give one booked examination back; its orders can be planned again."""
    reason = request.form.get("reason", "").strip()[: rules.LONGEST_REASON] or _("患者取消")
    with write_uow() as session:
        common.require_patient(session, patient_id)
        scheduling.cancel_examination(
            session, examination_id=examination_id, patient_id=patient_id, reason=reason
        )
    flash(_("检查预约已取消，医嘱还在，可以重新安排"), "ok")
    return redirect_to("examinations.patient", patient_id=patient_id)


@blueprint.get("/patients/<uuid:patient_id>/print")
@requires(Permission.SCHEDULING_EXAMINATION_BOOK)
def print_sheet(patient_id: Id) -> Response:
    """The preparation sheet of everything booked, by day, as a page to print. Reading it is audited."""
    with write_uow() as session:
        person = common.require_patient(session, patient_id)
        patient_service.note_reading(session, patient_id=patient_id, what="examinations")
        booked = queries.list_booked_examinations(
            session, patient_id=patient_id, hospital_id=own_hospital_id()
        )
        elements = documents.preparation_document(
            booked,
            hospital_name=organization.get_hospital(session, own_hospital_id()).name,
            name_masked=person.name_masked,
            at=now(session),
        )
    return render(
        "journeys/print.html",
        elements=elements,
        patient_id=patient_id,
        qr_of=qr_picture,
        back_url="examinations.patient",
    )


def _open(patient_id: Id) -> Desk:
    """The desk as the arguments wish it: who is asked about, from when, on which days."""
    values = request.values
    with read_uow() as session:
        first = today(session)
        last = queries.last_plannable_day(session, hospital_id=own_hospital_id())
        return examinations.open_desk(
            session,
            patient_id,
            hospital_id=own_hospital_id(),
            availability=_availability(values, first, last),
            moving_id=parse_id(values.get("move", "")),
        )


def _availability(values: Mapping[str, str], first: dt.date, last: dt.date) -> Availability:
    half = values.get("half", "")
    try:
        begin = dt.date.fromisoformat(values["from"]) if values.get("from") else first
        closed = frozenset(
            dt.date.fromisoformat(day) for day in request.values.getlist("not") if day
        )
    except ValueError as error:
        raise InvalidInput(_("日期写法有误"), code="filter_invalid") from error
    weekdays = frozenset(
        int(day) for day in request.values.getlist("weekday") if day in set("1234567")
    )
    return Availability(
        first=max(begin, first),
        last=last,
        closed_days=closed,
        weekdays=weekdays or frozenset(range(1, 8)),
        mornings=half != "pm",
        afternoons=half != "am",
    )


def _wishes_again() -> dict[str, object]:
    """The wishes of this request, for the next one."""
    return {
        name: request.values.getlist(name)
        for name in ("from", "not", "weekday", "half", "move")
        if any(request.values.getlist(name))
    }


def _egfr(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text[:4]) <= MOST_EGFR:
        raise InvalidInput(fields={"egfr": _("请填 1 到 %(most)s 的整数", most=MOST_EGFR)})
    return int(text)


def _page(
    desk: Desk,
    proposal: Proposal | None,
    *,
    outdated: PlanOutdated | None = None,
    changes: tuple[str, ...] = (),
) -> Response:
    """Page and fragment; ``proposal`` None: the page fetches its plan by itself."""
    other_days = [day.day.isoformat() for day in proposal.days] if proposal else []
    closed = [day.isoformat() for day in sorted(desk.availability.closed_days)]
    wishes = _wishes_again()
    actor = current_actor()
    return render(
        "journeys/examinations.html",
        fragment="journeys/_plan.html" if proposal else None,
        status=outdated.status if outdated else 200,
        desk=desk,
        patient=desk.patient,
        sex_words=common.SEX_WORDS.get(desk.patient.sex, ""),
        proposal=proposal,
        outdated=outdated,
        changes=changes,
        questions={n: words for n, words in QUESTIONS.items() if n in desk.questions},
        wishes=wishes,
        other_days={**wishes, "not": [*closed, *other_days]},
        when_words=when_words,
        new_key=common.new_key,
        can_see_desk=FRONT_DESK in current_app.view_functions
        and has(actor, Permission.PATIENTS_PATIENT_READ)
        and has(actor, Permission.BILLING_PAYMENT_TAKE),
    )

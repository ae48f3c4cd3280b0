"""Special acts on one session: a number beyond capacity (加号), a substitute (替诊).

GET  /backoffice/sessions/<id>/add             whom, why
GET  /backoffice/sessions/patients             patients by number, name or pinyin, masked (answers the search box)
POST /backoffice/sessions/<id>/add             hold the number and open its bill
GET  /backoffice/sessions/<id>/substitute      who is free in that half-day
POST /backoffice/sessions/<id>/substitute      hand the session over; everybody booked is told
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from backend.journeys import added
from backend.kernel import idempotency
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id, parse_id
from backend.kernel.masking import mask_name
from backend.kernel.permissions import Permission
from backend.kernel.uow import today
from backend.kernel.web import (
    idempotency_key,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.organization import queries as organization
from backend.patients import queries as patients
from backend.scheduling import queries as visits
from backend.scheduling import rules
from backend.scheduling import service as scheduling
from backend.scheduling.rules import Channel

blueprint = Blueprint(
    "sessions", __name__, url_prefix="/backoffice/sessions", template_folder="../templates"
)

NAV = ()


@blueprint.get("/patients")
@requires(Permission.SCHEDULING_SLOT_ADD)
def patient_options() -> Response:
    """Answers the search box; only masked values."""
    text = request.args.get("q", "").strip()[:40]
    with read_uow() as session:
        found = (
            patients.search_patients(session, hospital_id=own_hospital_id(), text=text)
            if text
            else []
        )
    rows = [(view.id, mask_name(view.name), view.id_number_masked) for view in found]
    return render("journeys/_patient_options.html", rows=rows)


@blueprint.get("/<uuid:schedule_id>/add")
@requires(Permission.SCHEDULING_SLOT_ADD)
def add_form(schedule_id: Id) -> Response:
    """Whom, and why."""
    with read_uow() as session:
        view = visits.get_schedule(session, schedule_id)
        return render("journeys/add_number.html", view=view, today=today(session), key=new_id().hex)


@blueprint.post("/<uuid:schedule_id>/add")
@requires(Permission.SCHEDULING_SLOT_ADD)
def add(schedule_id: Id) -> BaseResponse:
    """Hold a number beyond capacity; the patient pays at a desk or a kiosk before its window ends."""
    patient_id = parse_id(request.form.get("patient_id", ""))
    if patient_id is None:
        raise InvalidInput(_("请先选择患者"), code="patient_missing")
    reason = request.form.get("reason", "")
    with write_uow() as session:
        patients.get_patient(session, patient_id, hospital_id=own_hospital_id())
        answer = idempotency.once(
            session,
            "sessions.add",
            idempotency_key(),
            {"schedule": schedule_id, "patient": patient_id},
            lambda: {
                "number": added.add_number(
                    session,
                    schedule_id=schedule_id,
                    patient_id=patient_id,
                    reason=reason,
                    channel=Channel.IN_CLINIC,
                ).appointment.number
            },
        )
    flash(_("已加 %(number)s 号，请患者去付款", number=answer["number"]), "ok")
    return redirect_to("schedules.session_detail", schedule_id=schedule_id)


@blueprint.get("/<uuid:schedule_id>/substitute")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def substitute_form(schedule_id: Id) -> Response:
    """Practitioners of the department who do not sit in that half-day, and how many patients would be told."""
    with read_uow() as session:
        view = visits.get_schedule(session, schedule_id)
        busy = {
            other.practitioner_id
            for other in visits.list_schedules(
                session,
                hospital_id=own_hospital_id(),
                first=view.business_date,
                last=view.business_date,
            )
            if other.half_day is view.half_day
        }
        people = organization.list_practitioners(
            session, hospital_id=own_hospital_id(), department_id=view.department_id
        )
        day = view.business_date
        leaves = visits.stops_in_force(session, hospital_id=own_hospital_id(), first=day, last=day)
        place = (view.department_id, day, view.half_day)
        busy |= {p.id for p in people if rules.is_away(leaves, p.id, *place)}
        return render(
            "journeys/substitute.html",
            view=view,
            today=today(session),
            people=[(str(p.id), f"{p.name} {p.title}") for p in people if p.id not in busy],
        )


@blueprint.post("/<uuid:schedule_id>/substitute")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def substitute(schedule_id: Id) -> BaseResponse:
    """Hand the session over."""
    practitioner_id = parse_id(request.form.get("practitioner", ""))
    with write_uow() as session:
        people = organization.practitioners_by_id(
            session, [practitioner_id] if practitioner_id else []
        )
        is_ours = [p.hospital_id == own_hospital_id() and p.is_active for p in people.values()]
        if is_ours != [True]:
            raise InvalidInput(_("请选择替诊的医生"), code="practitioner_missing")
        scheduling.substitute(
            session,
            schedule_id=schedule_id,
            practitioner_id=next(iter(people)),
            reason=request.form.get("reason", ""),
        )
    flash(_("已换由替诊医生出诊，已挂号的患者会收到通知，可全额退款"), "ok")
    return redirect_to("schedules.session_detail", schedule_id=schedule_id)

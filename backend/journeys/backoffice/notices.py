"""The hospital's notices to the patient in hand: a visit that was stopped or handed over, and what the patient wants.

GET  /patients/<id>/notices                     what cannot be kept as booked, with the equivalents to choose from
POST /patients/<id>/notices/<notice>/accept     take one of them; the bill stays paid
POST /patients/<id>/notices/<notice>/decline    the money back, whatever the cut-off
POST /patients/<id>/notices/<notice>/keep       content with the substitute
"""

from __future__ import annotations

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.journeys import disruptions
from backend.journeys.backoffice import common
from backend.journeys.backoffice.common import blueprint
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, parse_id
from backend.kernel.money import format_yuan
from backend.kernel.permissions import Permission
from backend.kernel.uow import today
from backend.kernel.web import read_uow, render, requires, write_uow
from backend.scheduling import queries as visits
from backend.scheduling.errors import DisruptionUnknown


@blueprint.get("/patients/<uuid:patient_id>/notices")
@requires(Permission.SCHEDULING_APPOINTMENT_WRITE)
def notices(patient_id: Id) -> Response:
    """The patient's notices that are open or of visits still to come."""
    with read_uow() as session:
        common.require_patient(session, patient_id)
        found = visits.list_disruptions(session, patient_id=patient_id)
        choices = {
            one.id: visits.list_equivalents(session, one.id) for one in found if one.can_choose
        }
        return render(
            "journeys/_notices.html",
            patient_id=patient_id,
            notices=found,
            choices=choices,
            may=common.allowed(),
            today=today(session),
        )


@blueprint.post("/patients/<uuid:patient_id>/notices/<uuid:notice_id>/accept")
@requires(Permission.SCHEDULING_APPOINTMENT_WRITE)
def notice_accept(patient_id: Id, notice_id: Id) -> BaseResponse:
    """Move the visit to one of the equivalents."""
    schedule_id = parse_id(request.form.get("schedule_id", ""))
    if schedule_id is None:
        raise InvalidInput(_("请选择一个班次"), code="schedule_missing")
    with write_uow() as session:
        _require_notice(session, patient_id, notice_id)
        moved = disruptions.accept_equivalent(
            session, disruption_id=notice_id, schedule_id=schedule_id
        )
    words = _("已改约：%(who)s %(number)s 号", who=moved.practitioner_name, number=moved.number)
    return common.show_hand(patient_id, words)


@blueprint.post("/patients/<uuid:patient_id>/notices/<uuid:notice_id>/decline")
@requires(Permission.BILLING_REFUND_REQUEST)
def notice_decline(patient_id: Id, notice_id: Id) -> BaseResponse:
    """Cancel with everything given back."""
    with write_uow() as session:
        _require_notice(session, patient_id, notice_id)
        made = disruptions.decline(session, disruption_id=notice_id)
        total = sum(refund.amount_fen for refund in made)
    words = _("已取消，没有付过费用")
    if total:
        words = _("已取消，%(money)s 全额退回", money=format_yuan(total))
    return common.show_hand(patient_id, words)


@blueprint.post("/patients/<uuid:patient_id>/notices/<uuid:notice_id>/keep")
@requires(Permission.SCHEDULING_APPOINTMENT_WRITE)
def notice_keep(patient_id: Id, notice_id: Id) -> BaseResponse:
    """The visit stands, with the substitute."""
    with write_uow() as session:
        _require_notice(session, patient_id, notice_id)
        disruptions.keep(session, disruption_id=notice_id)
    return common.show_hand(patient_id, _("已确认由替诊医生就诊"))


def _require_notice(session: Session, patient_id: Id, notice_id: Id) -> None:
    """That patient's notice, of this hospital; DisruptionUnknown otherwise."""
    common.require_patient(session, patient_id)
    if visits.get_disruption(session, notice_id).patient_id != patient_id:
        raise DisruptionUnknown

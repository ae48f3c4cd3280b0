"""Why can this patient not book this session? Every rule's word, for the channels a patient may try."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from flask_babel import lazy_gettext as _
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.kernel.uow import now, today
from backend.scheduling import rules
from backend.scheduling.errors import LineFirst, ScheduleNotFound, SlotGone
from backend.scheduling.models import Appointment, Schedule, Slot, claimable, has_line
from backend.scheduling.queries.policies import policy_for
from backend.scheduling.queries.sessions import get_schedule, is_foreign
from backend.scheduling.rules import OCCUPYING, Case, Channel, Verdict, Visit
from backend.scheduling.views import Explanation, ExplanationRow

#: What is explained, in the order of the columns: phone, kiosk, desk.
CHANNELS = (Channel.MINIPROGRAM, Channel.KIOSK, Channel.COUNTER)
PLACE_RULE = _("还有这个渠道能挂的号")


def explain_booking(
    session: Session,
    *,
    patient_id: Id,
    schedule_id: Id,
    channels: tuple[Channel, ...] = CHANNELS,
) -> Explanation:
    """What each rule says of the patient, the session and each of ``channels``; seven queries at most.

    The same rules, in the same order, as ``service.hold_slot`` decides by; the last row says whether there is a
    place. Raises ScheduleNotFound.
    """
    schedule = session.get(Schedule, schedule_id)
    if schedule is None or is_foreign(session, schedule.hospital_id):
        raise ScheduleNotFound
    policy = policy_for(
        session,
        hospital_id=schedule.hospital_id,
        department_id=schedule.department_id,
        visit_type=schedule.visit_type,
    )
    visits = visits_of(session, patient_id, today(session) - rules.look_back(policy))
    by_channel = {
        channel: rules.explain(case_of(session, schedule, channel, visits), policy)
        for channel in channels
    }
    gone = _why_no_place(session, schedule_id)
    for channel, free in _free_counts(session, schedule_id, channels).items():
        by_channel[channel].append(Verdict("place", PLACE_RULE, None if free else gone))
    rows = tuple(
        ExplanationRow(verdicts[0].rule, verdicts[0].words, verdicts)
        for verdicts in zip(*by_channel.values(), strict=True)
    )
    return Explanation(get_schedule(session, schedule_id), channels, rows)


def case_of(
    session: Session, schedule: Schedule, channel: Channel, visits: Sequence[Visit]
) -> Case:
    """The case of booking the session through ``channel`` now, for whom these are the visits (``visits_of``)."""
    return Case(
        at=now(session),
        channel=channel,
        practitioner_id=schedule.practitioner_id,
        business_date=schedule.business_date,
        half_day=schedule.half_day,
        visit_type=schedule.visit_type,
        status=schedule.status,
        visits=visits,
    )


def visits_of(session: Session, patient_id: Id, since: dt.date) -> list[Visit]:
    """What the rules know of a patient's appointments from ``since`` on; one query."""
    rows = session.execute(
        select(
            Appointment.id,
            Appointment.practitioner_id,
            Appointment.business_date,
            Appointment.half_day,
            Appointment.visit_type,
            Appointment.state,
            Appointment.hold_until,
        ).where(
            Appointment.patient_id == patient_id,
            Appointment.business_date >= since,
            Appointment.state.in_(sorted(OCCUPYING)),
        )
    )
    return [Visit(*row) for row in rows]


def _why_no_place(session: Session, schedule_id: Id) -> SlotGone:
    """What booking says where no place is to be had; one query."""
    if session.scalar(select(has_line(schedule_id))):
        return LineFirst(schedule_id=str(schedule_id))
    return SlotGone(_("没有这个渠道能挂的号了，或留给其他渠道的号还没有放开"))


def _free_counts(
    session: Session, schedule_id: Id, channels: tuple[Channel, ...]
) -> dict[Channel, int]:
    """How many places each channel could claim now; one query."""
    at = now(session)
    counts = [func.count(case((claimable(at, channel), Slot.id))) for channel in channels]
    row = session.execute(select(*counts).where(Slot.schedule_id == schedule_id)).one()
    return dict(zip(channels, row, strict=True))

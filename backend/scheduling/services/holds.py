"""Taking a place: look, decide by the rules, claim and write; the hot path of the whole program.

Three round trips when all goes well: the look, the claim with all it writes, and the events and audit row at the
end of the unit of work. Everything unusual (a lapsed hold in the way, a patient who acts twice at once) takes more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.util import identity_key

from backend.contracts.scheduling import AppointmentHeld, HoldDue
from backend.kernel import outbox
from backend.kernel.chain import Chain
from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.kernel.locks import claim, note_own_row
from backend.kernel.uow import now, today
from backend.scheduling import rules
from backend.scheduling.errors import LineFirst, ScheduleNotFound, SlotGone
from backend.scheduling.models import Appointment, Slot, has_line
from backend.scheduling.queries import is_foreign, policies, policy_for
from backend.scheduling.rules import (
    ACTIVE,
    AppointmentState,
    BookingPolicy,
    Case,
    Channel,
    Visit,
    VisitType,
)
from backend.scheduling.services import claims, life, pool

#: How often a claim is begun anew because the patient's other visits changed meanwhile.
TRIES = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found: one session with its policy, and the patient's visits."""

    schedule_id: Id
    case: Case
    policy: BookingPolicy
    lapsed_place_id: Id | None

    @property
    def active_count(self) -> int:
        """How many of the visits are active: the claim checks that it is still so."""
        return sum(visit.state in ACTIVE for visit in self.case.visits)


def hold_slot(
    session: Session,
    *,
    patient_id: Id,
    schedule_id: Id,
    channel: Channel | str,
    slot_id: Id | None = None,
    invoice_id: Id | None = None,
) -> Appointment:
    """Keep a place for a patient while they pay: ``slot_id``, or the next free one by time.

    ``invoice_id``: the bill that this unit of work is going to open for it.

    How long, and whether at all, the policy of the session says (``rules.check_case``). A hold that has lapsed is
    taken over at that instant; places reserved for another channel are taken only after their release. Publishes
    AppointmentHeld, and HoldDue for the moment the hold ends. Raises ScheduleNotFound, SlotGone, and the refusals
    of the rules: BookingClosed, ScheduleStopped, SameDayClosed, AlreadyBooked, BookingSuspended, TooManyVisits.
    """
    look = _look_values(session, patient_id, Channel(channel), schedule=schedule_id)
    chain = claims.HOLD_NEXT if slot_id is None else claims.HOLD_WANTED
    where: dict[str, object] = {"invoice": invoice_id}
    if slot_id is not None:
        where["slot"] = slot_id
    for _try in range(TRIES):
        found = _look(session, claims.LOOK_AT_SESSION, look)
        if not found:
            raise ScheduleNotFound
        seen = found[0]
        if _end_own_lapsed(session, seen):
            continue
        rules.check_case(seen.case, seen.policy)
        if seen.lapsed_place_id is not None:
            _end_lapsed(session, seen, slot_id, even_if_later=False)
        until = rules.hold_until(seen.case.at, seen.policy)
        held = _run(session, chain, look, seen.active_count, until, where)
        if held is not None:
            return held
        if seen.lapsed_place_id is not None and _end_lapsed(
            session, seen, slot_id, even_if_later=True
        ):
            continue
        (again,) = _look(session, claims.LOOK_AT_SESSION, look)
        if again.active_count == seen.active_count:
            break
    if session.scalar(select(has_line(schedule_id))):
        raise LineFirst(schedule_id=str(schedule_id))
    raise SlotGone(schedule_id=str(schedule_id))


def hold_any(
    session: Session,
    *,
    patient_id: Id,
    department_id: Id,
    day: dt.date,
    channel: Channel | str,
    visit_type: VisitType | str | None = None,
    half_day: HalfDay | str | None = None,
    invoice_id: Id | None = None,
) -> Appointment:
    """Keep a place with any doctor of a department: the earliest, and of doctors free then the least loaded.

    Doctor and place are chosen in the claiming statement, among the sessions whose rules allow this patient. A
    place whose hold has lapsed counts once no free one is left (it is tidied within a minute). Unpaid it is kept
    as long as the strictest of those sessions keeps it. Raises SlotGone when nobody sits or nothing is free, and
    the first refusal when the rules allow none of the sessions.
    """
    look = _look_values(session, patient_id, Channel(channel), department=department_id, day=day)
    for _try in range(TRIES):
        found = [
            seen
            for seen in _look(session, claims.LOOK_AT_DEPARTMENT, look)
            if seen.case.practitioner_id is not None
            and visit_type in (None, seen.case.visit_type)
            and half_day in (None, seen.case.half_day)
        ]
        if any(_end_own_lapsed(session, seen) for seen in found):
            continue
        allowed = _allowed(found)
        if not allowed:
            break
        until = min(rules.hold_until(one.case.at, one.policy) for one in allowed)
        where: dict[str, object] = {
            "schedules": [one.schedule_id for one in allowed],
            "invoice": invoice_id,
        }
        held = _run(session, claims.HOLD_ANY, look, allowed[0].active_count, until, where)
        if held is not None:
            return held
        lapsed = [one for one in allowed if one.lapsed_place_id is not None]
        if not any(_end_lapsed(session, one, None, even_if_later=True) for one in lapsed):
            again = _look(session, claims.LOOK_AT_DEPARTMENT, look)
            if not again or again[0].active_count == allowed[0].active_count:
                break
    raise SlotGone(department_id=str(department_id), day=day.isoformat())


def _allowed(found: Sequence[Seen]) -> list[Seen]:
    """Those of the sessions that the rules let the patient book; the first refusal when there is none."""
    refusals = {one.schedule_id: rules.first_refusal(one.case, one.policy) for one in found}
    allowed = [one for one in found if refusals[one.schedule_id] is None]
    for refusal in refusals.values():
        if not allowed and refusal is not None:
            raise refusal
    return allowed


def _look_values(
    session: Session, patient_id: Id, channel: Channel, **where: object
) -> dict[str, object]:
    look_back = max(
        rules.look_back(one)
        for one in (
            policies(session).usual,
            *(each.policy for each in policies(session).exceptions),
        )
    )
    since = today(session) - look_back
    return claims.look_values(
        patient_id=patient_id, channel=channel, at=now(session), since=since, **where
    )


def _look(session: Session, statement: Select[Any], values: dict[str, Any]) -> list[Seen]:
    """The sessions of the actor's hospital that ``statement`` finds, each with the patient's visits."""
    session.flush()
    rows = session.connection().execute(statement, values).all()
    by_session: dict[Id, list[Row[Any]]] = {}
    for row in rows:
        by_session.setdefault(row.id, []).append(row)
    return [
        _seen(session, found, values)
        for found in by_session.values()
        if not is_foreign(session, found[0].hospital_id)
    ]


def _seen(session: Session, rows: Sequence[Row[Any]], values: dict[str, Any]) -> Seen:
    first = rows[0]
    visits = [
        Visit(*(getattr(row, f"visit_{name}") for name in claims.VISIT))
        for row in rows
        if row.visit_id is not None
    ]
    case = Case(
        at=values["at"],
        channel=values["channel_"],
        practitioner_id=first.practitioner_id,
        business_date=first.business_date,
        half_day=first.half_day,
        visit_type=first.visit_type,
        status=first.status,
        visits=visits,
    )
    policy = policy_for(
        session,
        hospital_id=first.hospital_id,
        department_id=first.department_id,
        visit_type=first.visit_type,
    )
    return Seen(first.id, case, policy, first.lapsed_place_id)


def _end_own_lapsed(session: Session, seen: Seen) -> bool:
    """End the patient's own hold on the same visit if it has lapsed unpaid; True when it was ended now."""
    present = rules.same_visit(seen.case)
    if present is None or present.state is not AppointmentState.HELD:
        return False
    if not rules.is_lapsed(present.hold_until, seen.case.at):
        return False
    return pool.expire_hold(session, present.id)


def _end_lapsed(session: Session, seen: Seen, slot_id: Id | None, *, even_if_later: bool) -> bool:
    """End a lapsed hold of the session, so that its place can be claimed as a free one; True when ended.

    Before the claim only where that place is earlier than every free one (else it would be locked for nothing,
    and look taken to others); after a claim that found nothing, any.
    """
    at, channel = seen.case.at, seen.case.channel
    statement = claims.lapsed_place(seen.schedule_id, at, channel)
    if slot_id is not None:
        statement = statement.where(Slot.id == slot_id)
    elif not even_if_later and seen.lapsed_place_id is not None:
        statement = statement.where(
            claims.before_every_free_place(seen.lapsed_place_id, at, channel)
        )
    found = claim(session, statement)
    for slot in found:
        pool.expire(session, slot)
    return bool(found)


def _run(
    session: Session,
    chain: Chain,
    look: dict[str, object],
    seen: int,
    until: dt.datetime,
    where: dict[str, object],
) -> Appointment | None:
    """Claim and write; None when there was nothing to claim, the patient's visits are not as seen, or a
    unique index, the last defence, refused the appointment."""
    values = claims.claim_values(look, seen=seen, until=until, **where)
    row, is_written = chain.run(session, values)
    if row is None or not is_written:
        return None
    appointment = _appointment(session, row, values)
    held = AppointmentHeld(
        appointment.hospital_id, appointment.id, appointment.patient_id, row.slot_id, until
    )
    outbox.publish(session, held)
    due = HoldDue(appointment.hospital_id, appointment.id)
    outbox.publish(session, due, not_before=until)
    of_bill = {} if appointment.invoice_id is None else {"invoice_id": str(appointment.invoice_id)}
    pool.record(session, "hold_slot", appointment, channel=appointment.channel.value, **of_bill)
    return appointment


def _appointment(session: Session, row: Row[Any], values: dict[str, Any]) -> Appointment:
    """The row just written, as an object of the session, without reading it back."""
    copied = ("slot_id", "schedule_id", "number", "starts_at", "ends_at", *life.COPIED)
    appointment = Appointment(
        **{name: getattr(row, name) for name in copied},
        id=values["appointment"],
        patient_id=values["patient"],
        channel=values["channel_"],
        state=AppointmentState.HELD,
        hold_until=values["until"],
        created_at=values["at"],
        booked_at=None,
        checked_in_at=None,
        ended_at=None,
        cancel_reason=None,
        invoice_id=values["invoice"],
    )
    make_transient_to_detached(appointment)
    session.add(appointment)
    note_own_row(session, appointment)
    place = session.identity_map.get(identity_key(Slot, row.slot_id))
    if place is not None:
        session.expire(place)
    return appointment

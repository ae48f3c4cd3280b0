"""The waiting lists: join, offer a returned place in the transaction that returns it, answer, silence, leave.

Locks: the place (where there is one), then the line (a name), never the other way; entries that wait change only under
their line's name, entries with an offer only under their place's row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.contracts.scheduling import AppointmentHeld, HoldDue
from backend.contracts.waiting import (
    OfferLapsed,
    OfferTaken,
    PlaceOffered,
    WaitingEnded,
    WaitingJoined,
)
from backend.kernel import audit, outbox
from backend.kernel.errors import Conflict
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import claim, lock_name
from backend.kernel.uow import now, today
from backend.scheduling import rules
from backend.scheduling.errors import (
    AlreadyBooked,
    AlreadyWaiting,
    LineChanged,
    LineClosed,
    PlacesLeft,
    ScheduleNotFound,
    TooManyLines,
    WaitingNotFound,
)
from backend.scheduling.models import (
    IS_WAITING,
    Appointment,
    Schedule,
    Slot,
    WaitingEntry,
    claimable,
)
from backend.scheduling.queries import is_foreign, policy_for
from backend.scheduling.queries.explain import case_of, visits_of
from backend.scheduling.rules import (
    Channel,
    ScheduleStatus,
    SlotEventKind,
    SlotState,
    WaitingEnd,
    WaitingState,
)
from backend.scheduling.services import life


def join_line(
    session: Session, *, patient_id: Id, schedule_id: Id, channel: Channel | str
) -> WaitingEntry:
    """Stand at the end of a full session's line. Publishes WaitingJoined.

    Raises ScheduleNotFound, LineClosed (stopped, over, not yet open, or a device's), PlacesLeft (book instead),
    AlreadyWaiting, TooManyLines, and the refusals of the rules for who could not book a place either: AlreadyBooked,
    SameDayClosed, BookingSuspended, TooManyVisits.
    """
    channel = Channel(channel)
    schedule = session.get(Schedule, schedule_id)
    if schedule is None or is_foreign(session, schedule.hospital_id):
        raise ScheduleNotFound
    _enter(session, schedule_id)
    _check_can_join(session, schedule, patient_id, channel)
    entry = WaitingEntry(
        id=new_id(),
        hospital_id=schedule.hospital_id,
        schedule_id=schedule_id,
        patient_id=patient_id,
        channel=channel,
        state=WaitingState.WAITING,
        joined_at=now(session),
        queued_at=now(session),
    )
    try:
        with session.begin_nested():
            session.add(entry)
    except IntegrityError as error:
        raise AlreadyWaiting from error
    outbox.publish(
        session, WaitingJoined(entry.hospital_id, entry.id, patient_id, entry.schedule_id)
    )
    _record(session, "join_line", entry)
    return entry


def leave_line(session: Session, entry_id: Id, reason: WaitingEnd) -> None:
    """End an entry that waits; nothing changes when it has ended. Publishes WaitingEnded.

    Raises WaitingNotFound, and LineChanged for one that has an offer by now (give the place back instead).
    """
    entry = session.get(WaitingEntry, entry_id)
    if entry is None or is_foreign(session, entry.hospital_id):
        raise WaitingNotFound
    _enter(session, entry.schedule_id)
    session.refresh(entry)
    if entry.state is WaitingState.OFFERED:
        raise LineChanged
    if entry.state is WaitingState.WAITING:
        _end(session, entry, WaitingState.WITHDRAWN, reason)


def lock_lines(session: Session, schedule_ids: Iterable[Id]) -> None:
    """For who frees places of several sessions: their lines, always in the same order."""
    for schedule_id in sorted(set(schedule_ids)):
        _enter(session, schedule_id)


def pass_on(session: Session, slot: Slot) -> WaitingEntry | None:
    """Offer a free place, whose row is locked, to the first in its session's line; the entry, or None.

    In the transaction that frees the place, so that nobody overtakes. Publishes PlaceOffered.
    """
    _enter(session, slot.schedule_id)
    line = session.scalars(
        select(WaitingEntry)
        .where(WaitingEntry.schedule_id == slot.schedule_id, IS_WAITING)
        .order_by(WaitingEntry.queued_at, WaitingEntry.id)
        .execution_options(populate_existing=True)
    ).all()
    if not line:
        return None
    schedule = session.get_one(Schedule, slot.schedule_id)
    session.refresh(schedule, ["status"])
    if schedule.status is not ScheduleStatus.OPEN or slot.state is not SlotState.FREE:
        return None
    return next((entry for entry in line if _offer(session, entry, slot, schedule)), None)


def _is_kept_from(slot: Slot, entry: WaitingEntry, at: dt.datetime) -> bool:
    """The place is another channel's until its release."""
    if slot.reserved_for is None or slot.reserved_until is None:
        return False
    return slot.reserved_for is not entry.channel and slot.reserved_until > at


def take_offer(session: Session, appointment: Appointment) -> None:
    """The hold was paid; when it was an offer, its entry ends well, and with it the patient's other waits there.

    The caller holds the place's row. Publishes OfferTaken.
    """
    entry = _offered(session, appointment.id)
    if entry is None:
        return
    entry.state, entry.ended_at = WaitingState.TAKEN, now(session)
    outbox.publish(
        session, OfferTaken(entry.hospital_id, entry.id, entry.patient_id, appointment.id)
    )
    _record(session, "take_offer", entry)
    others = session.scalars(
        select(WaitingEntry)
        .join(Schedule, Schedule.id == WaitingEntry.schedule_id)
        .where(
            WaitingEntry.patient_id == entry.patient_id,
            WaitingEntry.state == WaitingState.WAITING,
            Schedule.department_id == appointment.department_id,
            Schedule.business_date == appointment.business_date,
        )
        .order_by(WaitingEntry.schedule_id)
    ).all()
    for other in others:
        _enter(session, other.schedule_id)
        session.refresh(other)
        if other.state is WaitingState.WAITING:
            _end(session, other, WaitingState.CLOSED, WaitingEnd.BOOKED_ELSEWHERE)


def end_offer(session: Session, appointment: Appointment, *, is_silent: bool) -> None:
    """The hold has ended unpaid: out of silence (``is_silent``), or because the patient gave it up.

    Does nothing for a hold that was no offer. The caller holds the place's row. Publishes OfferLapsed or WaitingEnded.
    """
    entry = _offered(session, appointment.id)
    if entry is None:
        return
    if not is_silent:
        _end(session, entry, WaitingState.WITHDRAWN, WaitingEnd.GAVE_UP)
        return
    _enter(session, entry.schedule_id)
    policy = _policy(session, appointment)
    entry.silences += 1
    state = rules.after_silence(entry.silences, policy.offer_chances)
    stays = state is WaitingState.WAITING
    if stays:
        entry.state, entry.queued_at, entry.offered_until = state, now(session), None
        _record(session, "requeue", entry)
    else:
        _end(session, entry, state, WaitingEnd.SILENT)
    lapsed = OfferLapsed(entry.hospital_id, entry.id, entry.patient_id, appointment.id, stays)
    outbox.publish(session, lapsed)
    session.flush()


def serve_line(session: Session, schedule_id: Id) -> int:
    """Offer the session's free places to its line, or close the line when the session is over.

    For places that came back without a hand of ours (a reserve released, a place added, a lost timer). How many
    entries were changed.
    """
    at = now(session)
    schedule = session.get_one(Schedule, schedule_id)
    last = session.scalar(select(func.max(Slot.ends_at)).where(Slot.schedule_id == schedule_id))
    if last is None or rules.is_line_over(last, at):
        return close_line(session, schedule_id, WaitingEnd.SESSION_OVER)
    if schedule.status is not ScheduleStatus.OPEN:
        return close_line(session, schedule_id, WaitingEnd.SESSION_STOPPED)
    free = claim(
        session,
        select(Slot)
        .where(Slot.schedule_id == schedule_id, Slot.state == SlotState.FREE, claimable(at))
        .order_by(Slot.starts_at, Slot.number),
    )
    return sum(1 for slot in free if pass_on(session, slot) is not None)


def close_line(session: Session, schedule_id: Id, reason: WaitingEnd) -> int:
    """End every wait of a session; offers run out or are given back by themselves. How many. Publishes WaitingEnded."""
    _enter(session, schedule_id)
    line = session.scalars(
        select(WaitingEntry)
        .where(WaitingEntry.schedule_id == schedule_id, IS_WAITING)
        .order_by(WaitingEntry.queued_at, WaitingEntry.id)
        .execution_options(populate_existing=True)
    ).all()
    for entry in line:
        _end(session, entry, WaitingState.CLOSED, reason)
    return len(line)


def _enter(session: Session, schedule_id: Id) -> None:
    """Changes of one line queue here; flushed first, so that what we changed is seen by what we read next."""
    session.flush()
    lock_name(session, f"scheduling-line-{schedule_id}")


def _check_can_join(session: Session, schedule: Schedule, patient_id: Id, channel: Channel) -> None:
    at = now(session)
    policy = _policy(session, schedule)
    # A place on a device is a part of an examination, which is planned and booked whole.
    if schedule.status is not ScheduleStatus.OPEN or schedule.practitioner_id is None:
        raise LineClosed
    if not rules.is_day_bookable(schedule.business_date, at, policy):
        raise LineClosed
    counted = session.execute(
        select(
            func.max(Slot.ends_at),
            func.count(Slot.id).filter(claimable(at, channel)),
        ).where(Slot.schedule_id == schedule.id)
    ).one()
    if counted[0] is None or rules.is_line_over(counted[0], at):
        raise LineClosed
    standing = session.scalars(
        select(WaitingEntry.schedule_id).where(
            WaitingEntry.patient_id == patient_id, WaitingEntry.state.in_(rules.LIVE)
        )
    ).all()
    if schedule.id in standing:
        raise AlreadyWaiting
    if len(standing) >= rules.MOST_LINES:
        raise TooManyLines(most=rules.MOST_LINES)
    line = session.scalar(
        select(func.count()).where(WaitingEntry.schedule_id == schedule.id, IS_WAITING)
    )
    if counted[1] and not line:
        raise PlacesLeft
    if (refusal := _refusal(session, schedule, patient_id, channel)) is not None:
        raise refusal


def _refusal(
    session: Session, schedule: Schedule, patient_id: Id, channel: Channel
) -> Conflict | None:
    """Why the rules of booking would not let the patient have a place of the session now; None when they would."""
    policy = _policy(session, schedule)
    visits = visits_of(session, patient_id, today(session) - rules.look_back(policy))
    return rules.first_refusal(case_of(session, schedule, channel, visits), policy)


def _offer(session: Session, entry: WaitingEntry, slot: Slot, schedule: Schedule) -> bool:
    """Hold the place in the patient's name; False when too little time is left, or the rules do not let them have it.

    The rules' refusal ends the entry: nobody else may have a place while it waits.
    """
    at = now(session)
    until = rules.offer_until(at, slot.ends_at, _policy(session, schedule).offer)
    if until is None or _is_kept_from(slot, entry, at):
        return False
    refusal = _refusal(session, schedule, entry.patient_id, entry.channel)
    if refusal is not None:
        is_there = isinstance(refusal, AlreadyBooked)
        reason = WaitingEnd.BOOKED_ELSEWHERE if is_there else WaitingEnd.NOT_ALLOWED
        _end(session, entry, WaitingState.CLOSED, reason)
        return False
    appointment = life.appointment_in(
        schedule, slot, patient_id=entry.patient_id, channel=entry.channel, until=until, at=at
    )
    try:
        with session.begin_nested():
            session.add(appointment)
    except IntegrityError as error:
        # Both databases name the columns of the violated index. Another's place is no reason to end the wait.
        if "patient_id" in str(error.orig):
            _end(session, entry, WaitingState.CLOSED, WaitingEnd.BOOKED_ELSEWHERE)
        return False
    slot.state, slot.hold_until, slot.appointment_id = SlotState.HELD, until, appointment.id
    life.note(session, slot, SlotEventKind.HELD, appointment.id, until)
    entry.state, entry.offered_until = WaitingState.OFFERED, until
    entry.appointment_id = appointment.id
    hospital_id, person = entry.hospital_id, entry.patient_id
    outbox.publish(session, AppointmentHeld(hospital_id, appointment.id, person, slot.id, until))
    outbox.publish(session, HoldDue(hospital_id, appointment.id), not_before=until)
    outbox.publish(
        session,
        PlaceOffered(hospital_id, entry.id, person, schedule.id, appointment.id, until),
    )
    life.record(session, "hold_slot", appointment, channel=entry.channel.value)
    _record(session, "offer_place", entry)
    session.flush()
    return True


def _offered(session: Session, appointment_id: Id) -> WaitingEntry | None:
    session.flush()
    return session.scalars(
        select(WaitingEntry)
        .where(
            WaitingEntry.appointment_id == appointment_id,
            WaitingEntry.state == WaitingState.OFFERED,
        )
        .execution_options(populate_existing=True)
    ).first()


def _end(session: Session, entry: WaitingEntry, state: WaitingState, reason: WaitingEnd) -> None:
    entry.state, entry.ended_at, entry.end_reason = state, now(session), reason
    outbox.publish(
        session,
        WaitingEnded(
            entry.hospital_id, entry.id, entry.patient_id, entry.schedule_id, reason.value
        ),
    )
    _record(session, "leave_line", entry, reason=reason.value)
    session.flush()


def _policy(session: Session, of: Schedule | Appointment) -> rules.BookingPolicy:
    return policy_for(
        session,
        hospital_id=of.hospital_id,
        department_id=of.department_id,
        visit_type=of.visit_type,
    )


def _record(session: Session, act: str, entry: WaitingEntry, **detail: str) -> None:
    audit.record(
        session,
        f"scheduling.{act}",
        entity="waiting_entry",
        entity_id=entry.id,
        patient_id=entry.patient_id,
        schedule_id=entry.schedule_id,
        **detail,
    )

"""The life of every slot, replayed and compared with what the tables say now.

Proves that no place was sold twice and none leaked (held or booked by nobody, or by an appointment that
has ended), and that no step of a slot's life is missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.kernel.uow import now
from backend.kernel.verify import VerifyReport
from backend.scheduling.models import Appointment, Slot, SlotEvent
from backend.scheduling.rules import (
    OCCUPYING,
    AppointmentState,
    SlotEventKind,
    SlotState,
    is_lapsed,
)

BATCH = 1000

#: What an appointment must look like after the last event that names it.
_AFTER = {
    SlotEventKind.HELD: {AppointmentState.HELD},
    SlotEventKind.RELEASED: {AppointmentState.CANCELLED},
    SlotEventKind.EXPIRED: {AppointmentState.EXPIRED},
    SlotEventKind.BOOKED: {
        AppointmentState.BOOKED,
        AppointmentState.CHECKED_IN,
    },
    SlotEventKind.CANCELLED: {AppointmentState.CANCELLED},
    SlotEventKind.FULFILLED: {AppointmentState.FULFILLED},
    SlotEventKind.NO_SHOW: {AppointmentState.NO_SHOW},
    SlotEventKind.MOVED_OUT: frozenset[AppointmentState](),
}
_AFTER[SlotEventKind.MOVED_IN] = _AFTER[SlotEventKind.BOOKED]
#: How a life begins.
_BIRTHS = frozenset({SlotEventKind.GENERATED, SlotEventKind.ADDED})
#: Steps of a place that is nobody's.
_OF_NOBODY = frozenset({SlotEventKind.CLOSED, SlotEventKind.REOPENED})
#: The state a slot must be in before an event, and the one it is in afterwards.
_STEPS = {
    SlotEventKind.HELD: (SlotState.FREE, SlotState.HELD),
    SlotEventKind.RELEASED: (SlotState.HELD, SlotState.FREE),
    SlotEventKind.EXPIRED: (SlotState.HELD, SlotState.FREE),
    SlotEventKind.BOOKED: (SlotState.HELD, SlotState.BOOKED),
    SlotEventKind.CANCELLED: (SlotState.BOOKED, SlotState.FREE),
    SlotEventKind.FULFILLED: (SlotState.BOOKED, SlotState.BOOKED),
    SlotEventKind.NO_SHOW: (SlotState.BOOKED, SlotState.BOOKED),
    SlotEventKind.MOVED_OUT: (SlotState.BOOKED, SlotState.FREE),
    SlotEventKind.MOVED_IN: (SlotState.FREE, SlotState.BOOKED),
    SlotEventKind.CLOSED: (SlotState.FREE, SlotState.CLOSED),
    SlotEventKind.REOPENED: (SlotState.CLOSED, SlotState.FREE),
}
_EMPTY = frozenset({SlotState.FREE, SlotState.CLOSED})


@dataclass(slots=True)
class Replay:
    """Where a slot stands after its events, and what was impossible on the way."""

    state: SlotState = SlotState.FREE
    holder: Id | None = None
    last_kind: dict[Id, SlotEventKind] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def replay(events: Sequence[SlotEvent]) -> Replay:
    """Live the slot's life again, in the order of its ordinals."""
    life = Replay()
    for expected, event in enumerate(events, start=1):
        if event.ordinal != expected:
            life.problems.append(f"event {expected} is missing before event row {event.id}")
            return life
        if (event.kind in _BIRTHS) != (expected == 1):
            life.problems.append(f"event row {event.id} ({event.kind}) is out of place")
            return life
        if event.kind not in _BIRTHS:
            _step(life, event, events[expected - 2])
    return life


def _step(life: Replay, event: SlotEvent, previous: SlotEvent) -> None:
    before, after = _STEPS[event.kind]
    same_holder = life.holder == (None if before in _EMPTY else event.appointment_id)
    is_named = (event.appointment_id is None) == (event.kind in _OF_NOBODY)
    if life.state is not before or not same_holder or not is_named:
        life.problems.append(
            f"event row {event.id}: {event.kind} for appointment {event.appointment_id}"
            f" while {life.state} by {life.holder}"
        )
    if event.kind is SlotEventKind.EXPIRED and not is_lapsed(previous.hold_until, event.at):
        life.problems.append(f"event row {event.id}: expired before the hold had ended")
    life.state = after
    life.holder = None if after in _EMPTY else event.appointment_id
    if event.appointment_id is not None:
        life.last_kind[event.appointment_id] = event.kind


def check_slots(report: VerifyReport, session: Session) -> None:
    """Every slot, slot event and appointment; reads only, in batches."""
    for slots in _slot_batches(session):
        ids = [slot.id for slot in slots]
        events = _events(session, ids)
        appointments = _appointments(session, ids)
        for slot in slots:
            _check_slot(report, session, slot, events[slot.id], appointments[slot.id])
        session.expunge_all()


def _slot_batches(session: Session) -> Iterator[Sequence[Slot]]:
    statement = select(Slot).order_by(Slot.id).limit(BATCH)
    slots = session.scalars(statement).all()
    while slots:
        last = slots[-1].id
        yield slots
        slots = session.scalars(statement.where(Slot.id > last)).all()


def _events(session: Session, ids: list[Id]) -> dict[Id, list[SlotEvent]]:
    found: dict[Id, list[SlotEvent]] = defaultdict(list)
    for event in session.scalars(
        select(SlotEvent).where(SlotEvent.slot_id.in_(ids)).order_by(SlotEvent.ordinal)
    ):
        found[event.slot_id].append(event)
    return found


def _appointments(session: Session, ids: list[Id]) -> dict[Id, list[Appointment]]:
    found: dict[Id, list[Appointment]] = defaultdict(list)
    for appointment in session.scalars(
        select(Appointment).where(Appointment.slot_id.in_(ids)).order_by(Appointment.id)
    ):
        found[appointment.slot_id].append(appointment)
    return found


def _check_slot(
    report: VerifyReport,
    session: Session,
    slot: Slot,
    events: list[SlotEvent],
    appointments: list[Appointment],
) -> None:
    report.count("slots")
    report.count("slot events", len(events))
    report.count("appointments", len(appointments))
    name = f"slot {slot.id} (number {slot.number} of schedule {slot.schedule_id})"
    life = replay(events)
    if events and (events[0].kind is SlotEventKind.ADDED) != slot.is_added:
        report.problem(f"{name}: was {events[0].kind}, the row says is_added = {slot.is_added}")
    if slot.is_added and slot.state is SlotState.FREE:
        report.problem(f"{name}: was added for one patient and is free for everybody")
    for problem in life.problems:
        report.problem(f"{name}: {problem}")
    if slot.life != len(events):
        report.problem(f"{name}: has lived {slot.life} events, {len(events)} are on record")
    if not life.problems and (slot.state, slot.appointment_id) != (life.state, life.holder):
        report.problem(
            f"{name}: is {slot.state} by {slot.appointment_id},"
            f" its life says {life.state} by {life.holder}"
        )
    _check_holders(report, name, slot, appointments)
    for appointment in appointments:
        _check_appointment(report, name, slot, appointment, life)
    if slot.state is SlotState.HELD and is_lapsed(slot.hold_until, now(session)):
        report.notes.append(f"{name}: the hold has lapsed and will be tidied")


def _check_holders(
    report: VerifyReport, name: str, slot: Slot, appointments: list[Appointment]
) -> None:
    occupants = [one.id for one in appointments if one.state in OCCUPYING]
    if len(occupants) > 1:
        report.problem(f"{name}: sold twice, to appointments {', '.join(map(str, occupants))}")
    elif slot.appointment_id is not None and not occupants:
        report.problem(f"{name}: leaked, {slot.state} by nobody's appointment")
    elif occupants and slot.appointment_id != occupants[0]:
        report.problem(f"{name}: appointment {occupants[0]} has no place, the slot is another's")


def _check_appointment(
    report: VerifyReport, name: str, slot: Slot, appointment: Appointment, life: Replay
) -> None:
    kind = life.last_kind.get(appointment.id)
    if kind is None:
        report.problem(f"{name}: appointment {appointment.id} never took the place")
    elif appointment.state not in _AFTER[kind]:
        report.problem(
            f"{name}: appointment {appointment.id} is {appointment.state}, its last event is {kind}"
        )
    if (appointment.schedule_id, appointment.number, appointment.starts_at) != (
        slot.schedule_id,
        slot.number,
        slot.starts_at,
    ):
        report.problem(f"{name}: appointment {appointment.id} names another place or time")

"""The statements of the hot path, built once: look at a session and a patient, then claim a place and write.

`docs/adr/0007` says why booking speaks Core and in how many round trips. What is decided lies in the rules; here is
only how it is read and written. Times and ids are bound parameters named in ``look_values`` and ``claim_values``.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from backend.kernel.chain import Chain, Columns, InsertStep, UpdateStep
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import name_key, taking_turn
from backend.scheduling.models import (
    IS_FREE,
    IS_HELD,
    Appointment,
    Schedule,
    Slot,
    SlotEvent,
    open_to,
    out_of_line,
)
from backend.scheduling.rules import (
    ACTIVE,
    OCCUPYING,
    AppointmentState,
    Channel,
    ScheduleStatus,
    SlotEventKind,
    SlotState,
)
from backend.scheduling.services.life import COPIED

_SESSIONS = cast(Table, Schedule.__table__)
_PLACES = cast(Table, Slot.__table__)
_VISITS = cast(Table, Appointment.__table__)
_LIFE = cast(Table, SlotEvent.__table__)

#: What the rules know of each of the patient's other visits.
VISIT = ("id", "practitioner_id", "business_date", "half_day", "visit_type", "state", "hold_until")


def _param(name: str, column: Any) -> Any:
    return bindparam(name, type_=column.type)


_AT = _param("at", _PLACES.c.hold_until)
_SCHEDULE = _param("schedule", _SESSIONS.c.id)
_PATIENT = _param("patient", _VISITS.c.patient_id)
_CHANNEL = _param("channel_", _VISITS.c.channel)
_SINCE = _param("since", _VISITS.c.business_date)
_DEPARTMENT = and_(
    _SESSIONS.c.department_id == _param("department", _SESSIONS.c.department_id),
    _SESSIONS.c.business_date == _param("day", _SESSIONS.c.business_date),
    _SESSIONS.c.status == ScheduleStatus.OPEN,
)


def _in_states(states: frozenset[AppointmentState]) -> ColumnElement[bool]:
    """Written out, as parameters would keep PostgreSQL from knowing how few rows that is."""
    words = ", ".join(f"'{state.value}'" for state in sorted(states))
    return literal_column(f"scheduling_appointment.state IN ({words})", Boolean)


_ONE = literal_column("1", Integer)
_VISIT_OF_PATIENT = and_(
    _VISITS.c.patient_id == _PATIENT, _VISITS.c.business_date >= _SINCE, _in_states(OCCUPYING)
)


def _lapsed_place() -> Any:
    """The earliest place of the session whose hold has ended, if there is one."""
    return (
        select(_PLACES.c.id)
        .where(
            _PLACES.c.schedule_id == _SESSIONS.c.id,
            IS_HELD,
            _PLACES.c.hold_until <= _AT,
            _PLACES.c.ends_at > _AT,
            open_to(_CHANNEL, _AT),
            out_of_line(_CHANNEL, _AT),
        )
        .order_by(_PLACES.c.starts_at, _PLACES.c.number)
        .limit(_ONE)
        .correlate(_SESSIONS)
        .scalar_subquery()
    )


def _look(where: ColumnElement[bool]) -> Select[Any]:
    """Sessions, locked against being stopped until we commit, each with the patient's visits beside it.

    One patient's claims queue here, before they touch a place: a button hit ten times must not lock ten places
    and make them look taken to everyone else.
    """
    return (
        select(
            taking_turn(bindparam("turn")).label("turn"),
            _SESSIONS,
            _lapsed_place().label("lapsed_place_id"),
            *(_VISITS.c[name].label(f"visit_{name}") for name in VISIT),
        )
        .select_from(_SESSIONS.outerjoin(_VISITS, _VISIT_OF_PATIENT))
        .where(where)
        .order_by(_SESSIONS.c.id)
        .with_for_update(read=True, of=_SESSIONS)
    )


LOOK_AT_SESSION = _look(_SESSIONS.c.id == _SCHEDULE)
LOOK_AT_DEPARTMENT = _look(_DEPARTMENT)


def look_values(
    *, patient_id: Id, channel: Channel, at: dt.datetime, since: dt.date, **where: object
) -> dict[str, object]:
    """The parameters of a look; ``where`` is ``schedule``, or ``department`` and ``day``."""
    turn = name_key(f"scheduling-patient-{patient_id}")
    return {
        "turn": turn,
        "patient": patient_id,
        "channel_": channel,
        "at": at,
        "since": since,
    } | where


def _claim(where: ColumnElement[bool], *order: ColumnElement[Any]) -> Select[Any]:
    """The first free place in ``order`` that nobody else is taking, provided the patient's visits are as seen."""
    seen = (
        select(func.count())
        .select_from(_VISITS)
        .where(_VISIT_OF_PATIENT, _in_states(ACTIVE))
        .scalar_subquery()
    )
    return (
        select(
            _PLACES.c.id.label("slot_id"),
            *(
                _PLACES.c[name]
                for name in ("schedule_id", "number", "starts_at", "ends_at", "life")
            ),
            *(_SESSIONS.c[name] for name in COPIED),
        )
        .select_from(_PLACES.join(_SESSIONS, _SESSIONS.c.id == _PLACES.c.schedule_id))
        .where(where, IS_FREE, _PLACES.c.ends_at > _AT, open_to(_CHANNEL, _AT))
        .where(out_of_line(_CHANNEL, _AT))
        .where(seen == bindparam("seen"))
        .order_by(*order)
        .limit(_ONE)
        .with_for_update(of=_PLACES, skip_locked=True)
    )


def _appointment(place: Columns) -> dict[str, Any]:
    same = ("slot_id", "schedule_id", "number", "starts_at", "ends_at", *COPIED)
    return {name: place[name] for name in same} | {
        "id": _param("appointment", _VISITS.c.id),
        "patient_id": _PATIENT,
        "channel": _CHANNEL,
        "state": AppointmentState.HELD,
        "hold_until": _param("until", _VISITS.c.hold_until),
        "created_at": _AT,
        "invoice_id": _param("invoice", _VISITS.c.invoice_id),
    }


def _taken_place(place: Columns) -> dict[str, Any]:
    return {
        "state": SlotState.HELD,
        "hold_until": _param("until", _PLACES.c.hold_until),
        "appointment_id": _param("appointment", _PLACES.c.appointment_id),
        "life": place["life"] + 1,
    }


def _step_of_life(place: Columns) -> dict[str, Any]:
    return {
        "id": _param("step", _LIFE.c.id),
        "hospital_id": place["hospital_id"],
        "slot_id": place["slot_id"],
        "ordinal": place["life"] + 1,
        "kind": SlotEventKind.HELD,
        "at": _AT,
        "appointment_id": _param("appointment", _LIFE.c.appointment_id),
        "hold_until": _param("until", _LIFE.c.hold_until),
    }


def _hold(claim: Select[Any]) -> Chain:
    return Chain(
        claim,
        InsertStep(_VISITS, _appointment),
        [UpdateStep(_PLACES, "slot_id", _taken_place), InsertStep(_LIFE, _step_of_life)],
    )


_BY_TIME = (_PLACES.c.starts_at, _PLACES.c.number)
_OTHERS = _PLACES.alias("others")
#: How many places of the session are taken: "least loaded" among doctors who are free at the same time.
_LOAD = (
    select(func.count())
    .select_from(_OTHERS)
    .where(_OTHERS.c.schedule_id == _PLACES.c.schedule_id, _OTHERS.c.state != SlotState.FREE)
    .correlate(_PLACES)
    .scalar_subquery()
)

HOLD_NEXT = _hold(_claim(_PLACES.c.schedule_id == _SCHEDULE, *_BY_TIME))
HOLD_WANTED = _hold(
    _claim(
        and_(_PLACES.c.schedule_id == _SCHEDULE, _PLACES.c.id == _param("slot", _PLACES.c.id)),
        *_BY_TIME,
    )
)
HOLD_ANY = _hold(
    _claim(
        _PLACES.c.schedule_id.in_(bindparam("schedules", expanding=True)),
        _PLACES.c.starts_at,
        _LOAD,
        _PLACES.c.number,
        _PLACES.c.id,
    )
)


def claim_values(
    look: dict[str, object], *, seen: int, until: dt.datetime, **where: object
) -> dict[str, object]:
    """The parameters of a claim that follows a look; ``where`` is ``slot`` or ``schedules``."""
    fresh = {"seen": seen, "until": until, "appointment": new_id(), "step": new_id()}
    return look | fresh | where


def lapsed_place(schedule_id: Id, at: dt.datetime, channel: Channel) -> Select[Slot]:
    """Places of a session whose holds have ended, earliest first; to be claimed and ended."""
    return (
        select(Slot)
        .where(Slot.schedule_id == schedule_id, IS_HELD, Slot.hold_until <= at, Slot.ends_at > at)
        .where(open_to(channel, at), out_of_line(channel, at))
        .order_by(Slot.starts_at, Slot.number)
        .limit(1)
    )


def before_every_free_place(slot_id: Id, at: dt.datetime, channel: Channel) -> ColumnElement[bool]:
    """The place ``slot_id``, unless the channel could have an earlier one of the same session that is free."""
    earlier = aliased(Slot)
    is_earlier = or_(
        earlier.starts_at < Slot.starts_at,
        and_(earlier.starts_at == Slot.starts_at, earlier.number < Slot.number),
    )
    free = exists().where(
        earlier.schedule_id == Slot.schedule_id,
        earlier.state == SlotState.FREE,
        earlier.ends_at > at,
        is_earlier,
        open_to(channel, at, earlier),
    )
    return and_(Slot.id == slot_id, ~free)

"""Editing the weekly template: an entry is added, changed from a day on, or ended; what was stays on record.

A change ends the entry on the day before and begins a new one, so that who sat when can always be read. Sessions that
are generated already stay as they are: they may be booked.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.kernel.locks import lock_name, lock_row
from backend.kernel.permissions import Permission, require
from backend.kernel.uow import actor, today
from backend.scheduling import rules
from backend.scheduling.errors import TemplateEnded, TemplateInvalid, TemplateUnknown
from backend.scheduling.models import TemplateEntry
from backend.scheduling.queries import is_foreign
from backend.scheduling.rules import VisitType
from backend.scheduling.services.templates import add_template_entry


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """What a weekly session is: the fee in fen, ``starts_minute`` from midnight (None = the half-day's usual begin)."""

    practitioner_id: Id
    department_id: Id
    location_id: Id
    weekday: int
    half_day: HalfDay
    visit_type: VisitType
    price_item_code: str
    fee_fen: int
    capacity: int
    slot_minutes: int
    starts_minute: int | None = None


def add_entry(
    session: Session,
    *,
    hospital_id: Id,
    facts: EntryFacts,
    effective_from: dt.date,
    effective_until: dt.date | None = None,
) -> Id:
    """Let a practitioner sit every week from ``effective_from`` (today or later) on; the entry.

    Raises TemplateInvalid with each faulty field (also when the half-day is taken), Forbidden.
    """
    _may_edit(session, hospital_id, facts.department_id)
    _lock_week(session, facts)
    _check(session, facts, effective_from, effective_until, but=None)
    if (never := _never_begun(session, facts, effective_from)) is not None:
        _overwrite(never, facts, effective_from, effective_until)
        _record(session, "change_template_entry", never)
        return never.id
    return add_template_entry(
        session,
        hospital_id=hospital_id,
        practitioner_id=facts.practitioner_id,
        department_id=facts.department_id,
        location_id=facts.location_id,
        weekday=facts.weekday,
        half_day=facts.half_day,
        visit_type=facts.visit_type,
        price_item_code=facts.price_item_code,
        fee_fen=facts.fee_fen,
        capacity=facts.capacity,
        slot_minutes=facts.slot_minutes,
        starts_minute=facts.starts_minute,
        effective_from=effective_from,
        effective_until=effective_until,
    ).id


def change_entry(
    session: Session,
    entry_id: Id,
    *,
    facts: EntryFacts,
    effective_from: dt.date,
    effective_until: dt.date | None = None,
) -> Id:
    """From ``effective_from`` on the session is as ``facts`` say; the entry that then holds.

    An entry that has not begun by then never was in force, and is changed in place. Whose session it is, on which
    weekday and half-day, stays the entry's, whatever ``facts`` say of it. Raises TemplateUnknown (also for a
    device's), TemplateEnded, TemplateInvalid, Forbidden.
    """
    entry = _locked(session, entry_id)
    if entry.practitioner_id is None:
        raise TemplateUnknown
    facts = replace(
        facts,
        practitioner_id=entry.practitioner_id,
        weekday=entry.weekday,
        half_day=entry.half_day,
    )
    _may_edit(session, entry.hospital_id, facts.department_id)
    _lock_week(session, facts)
    if entry.effective_until is not None and entry.effective_until < effective_from:
        raise TemplateEnded(until=entry.effective_until.isoformat())
    _check(session, facts, effective_from, effective_until, but=entry.id)
    if entry.effective_from >= effective_from:
        never = _never_begun(session, facts, effective_from)
        if never is not None and never is not entry:
            # The two would begin on one day: the one that was never to be takes this one's part.
            _end_before_begin(session, entry)
            entry = never
        _overwrite(entry, facts, effective_from, effective_until)
        _record(session, "change_template_entry", entry)
        return entry.id
    entry.effective_until = effective_from - dt.timedelta(days=1)
    _record(session, "end_template_entry", entry)
    session.flush()
    return add_entry(
        session,
        hospital_id=entry.hospital_id,
        facts=facts,
        effective_from=effective_from,
        effective_until=effective_until,
    )


def end_entry(session: Session, entry_id: Id, last_day: dt.date) -> None:
    """The session takes place for the last time on or before ``last_day``; one that has not begun never does.

    Raises TemplateUnknown, TemplateEnded when it ends earlier already, TemplateInvalid for a past day, Forbidden.
    """
    entry = _locked(session, entry_id)
    if last_day < today(session) - dt.timedelta(days=1):
        raise TemplateInvalid(fields={"last_day": TemplateInvalid.past_words})
    if entry.effective_until is not None and entry.effective_until <= last_day:
        raise TemplateEnded(until=entry.effective_until.isoformat())
    if last_day < entry.effective_from:
        _end_before_begin(session, entry)
        return
    entry.effective_until = last_day
    _record(session, "end_template_entry", entry)


def _end_before_begin(session: Session, entry: TemplateEntry) -> None:
    """It is never in force; the row stays, so that the record shows it was planned."""
    entry.effective_until = entry.effective_from - dt.timedelta(days=1)
    _record(session, "end_template_entry", entry)


def _never_begun(session: Session, facts: EntryFacts, first: dt.date) -> TemplateEntry | None:
    """The entry that was to begin on ``first`` too and was ended before: no second one may begin there."""
    return session.scalar(
        select(TemplateEntry).where(
            TemplateEntry.practitioner_id == facts.practitioner_id,
            TemplateEntry.weekday == facts.weekday,
            TemplateEntry.half_day == facts.half_day,
            TemplateEntry.effective_from == first,
            TemplateEntry.effective_until < first,
        )
    )


def _locked(session: Session, entry_id: Id) -> TemplateEntry:
    entry = lock_row(session, TemplateEntry, entry_id)
    if entry is None or is_foreign(session, entry.hospital_id):
        raise TemplateUnknown
    _may_edit(session, entry.hospital_id, entry.department_id)
    return entry


def _may_edit(session: Session, hospital_id: Id, department_id: Id) -> None:
    require(
        actor(session), Permission.SCHEDULING_SCHEDULE_MANAGE,
        hospital_id=hospital_id, department_id=department_id,
    )  # fmt: skip


def _lock_week(session: Session, facts: EntryFacts) -> None:
    """One practitioner's week is edited by one person at a time, so that two entries cannot overlap."""
    lock_name(session, f"scheduling-template-{facts.practitioner_id}")


def _check(
    session: Session,
    facts: EntryFacts,
    effective_from: dt.date,
    effective_until: dt.date | None,
    *,
    but: Id | None,
) -> None:
    fields = rules.entry_faults(
        facts.half_day, facts.capacity, facts.slot_minutes, facts.starts_minute
    )
    if effective_from < today(session):
        fields["effective_from"] = TemplateInvalid.past_words
    if effective_until is not None and effective_until < effective_from:
        fields["effective_until"] = TemplateInvalid.order_words
    if not fields and (other := _overlapping(session, facts, effective_from, effective_until, but)):
        fields["effective_from"] = TemplateInvalid.taken_words
        raise TemplateInvalid(fields=fields, entry_id=str(other))
    if fields:
        raise TemplateInvalid(fields=fields)


def _overlapping(
    session: Session,
    facts: EntryFacts,
    first: dt.date,
    last: dt.date | None,
    but: Id | None,
) -> Id | None:
    statement = select(TemplateEntry.id).where(
        TemplateEntry.practitioner_id == facts.practitioner_id,
        TemplateEntry.weekday == facts.weekday,
        TemplateEntry.half_day == facts.half_day,
        or_(TemplateEntry.effective_until.is_(None), TemplateEntry.effective_until >= first),
    )
    if last is not None:
        statement = statement.where(TemplateEntry.effective_from <= last)
    if but is not None:
        statement = statement.where(TemplateEntry.id != but)
    # An entry that was ended before it began holds on no day.
    lives = or_(
        TemplateEntry.effective_until.is_(None),
        TemplateEntry.effective_until >= TemplateEntry.effective_from,
    )
    return session.scalar(statement.where(lives).limit(1))


def _overwrite(
    entry: TemplateEntry, facts: EntryFacts, first: dt.date, last: dt.date | None
) -> None:
    entry.department_id, entry.location_id = facts.department_id, facts.location_id
    entry.visit_type = facts.visit_type
    entry.price_item_code, entry.fee_fen = facts.price_item_code, facts.fee_fen
    entry.capacity, entry.slot_minutes = facts.capacity, facts.slot_minutes
    entry.starts_minute = facts.starts_minute
    entry.effective_from, entry.effective_until = first, last


def _record(session: Session, act: str, entry: TemplateEntry) -> None:
    audit.record(
        session,
        f"scheduling.{act}",
        entity="template_entry",
        entity_id=entry.id,
        practitioner_id=entry.practitioner_id,
        effective_from=entry.effective_from,
        effective_until=entry.effective_until,
        capacity=entry.capacity,
        fee_fen=entry.fee_fen,
    )

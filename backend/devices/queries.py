"""Reads of the fleet and of print jobs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.devices import rules
from backend.devices.errors import KioskUnknown
from backend.devices.models import Kiosk, KioskPulse, PrintJob
from backend.devices.rules import PrintState
from backend.devices.views import KioskView, PrintJobView
from backend.kernel.clock import day_bounds
from backend.kernel.ids import Id
from backend.kernel.uow import now, today
from backend.organization import queries as organization
from backend.queueing import queries as queues

AMBIGUOUS_SHOWN = 50


def list_kiosks(session: Session, hospital_id: Id) -> list[KioskView]:
    """The fleet, by code, in four queries."""
    kiosks = session.scalars(
        select(Kiosk).where(Kiosk.hospital_id == hospital_id).order_by(Kiosk.code)
    ).all()
    return _views(session, kiosks, hospital_id)


def get_kiosk(session: Session, kiosk_id: Id, *, hospital_id: Id) -> KioskView:
    """One kiosk; KioskUnknown (404), also for another hospital's."""
    kiosk = session.get(Kiosk, kiosk_id)
    if kiosk is None or kiosk.hospital_id != hospital_id:
        raise KioskUnknown
    return _views(session, [kiosk], hospital_id)[0]


def get_kiosk_row(session: Session, kiosk_id: Id) -> Kiosk:
    """The kiosk itself; KioskUnknown (404)."""
    kiosk = session.get(Kiosk, kiosk_id)
    if kiosk is None:
        raise KioskUnknown
    return kiosk


def count_prints(session: Session, hospital_id: Id, first: dt.datetime, after: dt.datetime) -> int:
    """Papers that the hospital's kiosks printed in that time."""
    done = select(func.count()).where(
        PrintJob.hospital_id == hospital_id,
        PrintJob.state == PrintState.PRINTED,
        PrintJob.requested_at >= first,
        PrintJob.requested_at < after,
    )
    return session.scalar(done) or 0


def list_ambiguous_prints(session: Session, hospital_id: Id) -> list[PrintJobView]:
    """Print jobs nobody knows the outcome of, oldest first, at most fifty."""
    jobs = session.scalars(
        select(PrintJob)
        .where(PrintJob.hospital_id == hospital_id, PrintJob.state == PrintState.AMBIGUOUS)
        .order_by(PrintJob.requested_at)
        .limit(AMBIGUOUS_SHOWN)
    ).all()
    return _print_views(session, jobs)


def list_places(session: Session, hospital_id: Id) -> list[tuple[Id, str]]:
    """Where a kiosk may be put, in words from the building down; no place that is out of use."""
    paths = organization.location_path_names(session, hospital_id=hospital_id)
    places = organization.list_locations(session, hospital_id=hospital_id, is_in_use=True)
    return sorted(((one.id, paths[one.id]) for one in places if paths[one.id]), key=lambda p: p[1])


def list_prints_of_kiosk(session: Session, kiosk_id: Id, limit: int = 20) -> list[PrintJobView]:
    """A kiosk's latest print jobs, newest first."""
    jobs = session.scalars(
        select(PrintJob)
        .where(PrintJob.kiosk_id == kiosk_id)
        .order_by(PrintJob.job_no.desc())
        .limit(limit)
    ).all()
    return _print_views(session, jobs)


def _views(session: Session, kiosks: Sequence[Kiosk], hospital_id: Id) -> list[KioskView]:
    ids = [kiosk.id for kiosk in kiosks]
    pulses = {
        pulse.kiosk_id: pulse
        for pulse in session.scalars(select(KioskPulse).where(KioskPulse.kiosk_id.in_(ids)))
    }
    begin, end = day_bounds(today(session))
    counts: dict[tuple[Id, PrintState], int] = {}
    is_ambiguous = and_(PrintJob.hospital_id == hospital_id, PrintJob.state == PrintState.AMBIGUOUS)
    is_of_today = and_(PrintJob.requested_at >= begin, PrintJob.requested_at < end)
    for kiosk_id, state, number in session.execute(
        select(PrintJob.kiosk_id, PrintJob.state, func.count())
        .where(PrintJob.kiosk_id.in_(ids), or_(is_ambiguous, is_of_today))
        .group_by(PrintJob.kiosk_id, PrintJob.state)
    ):
        counts[kiosk_id, state] = number
    places = organization.location_path_names(session, hospital_id=hospital_id)
    return [_view(kiosk, pulses.get(kiosk.id), counts, places, now(session)) for kiosk in kiosks]


def _view(
    kiosk: Kiosk,
    pulse: KioskPulse | None,
    counts: dict[tuple[Id, PrintState], int],
    places: dict[Id, str],
    at: dt.datetime,
) -> KioskView:
    state = rules.kiosk_state(
        is_enrolled=kiosk.credential_hash is not None,
        is_revoked=kiosk.revoked_at is not None,
        beat_at=pulse.at if pulse else None,
        at=at,
    )
    return KioskView(
        id=kiosk.id,
        code=kiosk.code,
        name=kiosk.name,
        place=places.get(kiosk.location_id, ""),
        state=state,
        beat_at=pulse.at if pulse else None,
        version=pulse.version if pulse else "",
        clock_offset_ms=pulse.clock_offset_ms if pulse else 0,
        devices=pulse.devices if pulse else {},
        open_journal=pulse.open_journal if pulse else 0,
        ambiguous_count=counts.get((kiosk.id, PrintState.AMBIGUOUS), 0),
        printed_count=counts.get((kiosk.id, PrintState.PRINTED), 0),
        enrolled_at=kiosk.enrolled_at,
    )


def _print_views(session: Session, jobs: Sequence[PrintJob]) -> list[PrintJobView]:
    if not jobs:
        return []
    kiosks = {
        kiosk.id: kiosk.name
        for kiosk in session.scalars(
            select(Kiosk).where(Kiosk.id.in_({job.kiosk_id for job in jobs}))
        )
    }
    numbers = queues.ticket_numbers(session, [job.ticket_id for job in jobs if job.ticket_id])
    bill_numbers = bills.invoice_numbers(session, [j.invoice_id for j in jobs if j.invoice_id])
    references = numbers | bill_numbers
    return [
        PrintJobView(
            id=job.id,
            kiosk_id=job.kiosk_id,
            kiosk_name=kiosks[job.kiosk_id],
            job_no=job.job_no,
            kind=job.kind,
            state=job.state,
            code=job.code,
            requested_at=job.requested_at,
            ended_at=job.ended_at,
            reference=references.get(job.ticket_id or job.invoice_id or job.id, ""),
        )
        for job in jobs
    ]

"""Periodic work: tidy lapsed holds whose timer was lost, and keep the booking window filled."""

from __future__ import annotations

from sqlalchemy import select

from backend.kernel.jobs import PeriodicJob
from backend.kernel.permissions import system_actor
from backend.kernel.uow import Database, now, today
from backend.scheduling import rules, service
from backend.scheduling.models import TemplateEntry
from backend.scheduling.queries import lines_to_look_at, policies


def sweep_expired_holds(database: Database) -> None:
    """End lapsed holds in small transactions until none is left."""
    actor = system_actor("scheduling.sweep")
    swept = service.SWEEP_BATCH
    while swept == service.SWEEP_BATCH:
        with database.write(actor, housekeeping=True) as session:
            swept = service.sweep_expired_holds(session)


def mark_missed(database: Database) -> None:
    """Mark the visits of past days that nobody came to, in small transactions until none is left."""
    actor = system_actor("scheduling.mark_missed")
    marked = 1
    while marked:
        with database.write(actor) as session:
            marked = service.mark_missed(session)


def generate_ahead(database: Database) -> None:
    """Generate, for every hospital with a template, up to the last bookable day."""
    with database.read() as session:
        hospitals = list(session.scalars(select(TemplateEntry.hospital_id).distinct()))
    for hospital_id in sorted(hospitals):
        actor = system_actor("scheduling.generate_ahead", hospital_id)
        with database.write(actor, housekeeping=True) as session:
            service.generate_schedules(
                session,
                hospital_id=hospital_id,
                first=today(session),
                last=rules.last_bookable_day(now(session), policies(session).furthest),
            )


def serve_waiting_lists(database: Database) -> None:
    """Offer what came back unseen, and close the lines of sessions that are over; one unit of work a line."""
    with database.read() as session:
        lines = lines_to_look_at(session)
    for hospital_id, schedule_id in lines:
        actor = system_actor("scheduling.waiting", hospital_id)
        with database.write(actor, housekeeping=True) as session:
            service.serve_line(session, schedule_id)


def find_forgotten_visits(database: Database) -> None:
    """Look after live visits of stopped sessions that no disruption knows; the locks leave none, this proves it."""
    with database.write(system_actor("scheduling.find_forgotten"), housekeeping=True) as session:
        service.find_forgotten(session)


JOBS = (
    PeriodicJob("scheduling.serve_waiting_lists", serve_waiting_lists, minutes=1),
    PeriodicJob("scheduling.sweep_expired_holds", sweep_expired_holds, minutes=1),
    PeriodicJob("scheduling.mark_missed", mark_missed, minutes=30),
    PeriodicJob("scheduling.find_forgotten", find_forgotten_visits, minutes=10),
    PeriodicJob("scheduling.generate_ahead", generate_ahead, minutes=30),
)

"""Periodic work: forget who stood before a kiosk, and who tried codes, once nobody needs to know."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete

from backend.devices import rules
from backend.devices.models import EnrolmentWindow, PatientSession
from backend.kernel.jobs import PeriodicJob
from backend.kernel.permissions import system_actor
from backend.kernel.uow import Database, now

SESSIONS_KEPT = dt.timedelta(days=1)


def forget_old(database: Database) -> None:
    """Delete sessions that ended more than a day ago and counts of tries in windows that are over."""
    with database.write(system_actor("devices.forget_old"), housekeeping=True) as session:
        at = now(session)
        session.execute(delete(PatientSession).where(PatientSession.ends_at < at - SESSIONS_KEPT))
        window = rules.try_window(at)
        session.execute(
            delete(EnrolmentWindow).where(EnrolmentWindow.begins_at < window - rules.TRY_WINDOW)
        )


JOBS = (PeriodicJob("devices.forget_old", forget_old, minutes=30),)

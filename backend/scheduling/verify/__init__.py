"""`xinglin slots verify`: replays what happened to every place, session and visit, and names what does not fit."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.kernel.verify import VerifyReport
from backend.scheduling.queries import waiting_problems
from backend.scheduling.verify.sessions import check_sessions
from backend.scheduling.verify.slots import check_slots, replay

__all__ = ["replay", "verify_slots"]


def verify_slots(session: Session) -> VerifyReport:
    """Check every schedule, slot, slot event, appointment, stop, disrupted visit and waiting list; reads only."""
    report = VerifyReport()
    check_slots(report, session)
    check_sessions(report, session)
    for words in waiting_problems(session):
        report.problem(words)
    return report

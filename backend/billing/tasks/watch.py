"""Periodic work of billing: cases for what has been silent too long, receipts that a lost worker left out."""

from __future__ import annotations

import datetime as dt

from backend.billing import service
from backend.kernel.jobs import PeriodicJob
from backend.kernel.permissions import system_actor
from backend.kernel.uow import Database

ACTOR = system_actor("billing")
BATCH = 200


def report_silence(database: Database, silence: dt.timedelta) -> int:
    """Open a case for every payment and refund the far end has said nothing final about for ``silence``; how many."""
    with database.write(ACTOR, housekeeping=True) as session:
        return service.report_silence(session, silence=silence, limit=BATCH)


def issue_missing_receipts(database: Database) -> int:
    """Number what moved without a receipt, oldest first, in small transactions; how many."""
    issued, total = BATCH, 0
    while issued == BATCH:
        with database.write(ACTOR, housekeeping=True) as session:
            issued = service.issue_missing_receipts(session, limit=BATCH)
            total += issued
    return total


def jobs(silence: dt.timedelta) -> list[PeriodicJob]:
    """Billing's periodic jobs; ``silence`` is how long an outcome may stay unknown before a person has to ask."""

    def silent(database: Database) -> None:
        report_silence(database, silence)

    def receipts(database: Database) -> None:
        issue_missing_receipts(database)

    return [
        PeriodicJob("billing.report_silence", silent, minutes=10),
        PeriodicJob("billing.issue_missing_receipts", receipts, minutes=5),
    ]

"""Where a visit stands from door to done, told from what the domains know. Reads only.

A visit is done when its encounter is finished and no bill of it is open: not when the doctor is, and not when the
money is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.clinical import queries as records
from backend.clinical.rules import EncounterState
from backend.kernel.ids import Id
from backend.kernel.uow import today
from backend.queueing import queries as queues
from backend.queueing.rules import TicketState
from backend.scheduling import queries as appointments
from backend.scheduling.rules import AppointmentState
from backend.scheduling.views import AppointmentView


class Stage(StrEnum):
    """The steps of a visit, in their order, then the ways it can end early."""

    TO_PAY = "to_pay"
    BOOKED = "booked"
    WAITING = "waiting"
    CALLED = "called"
    MISSED = "missed"
    LEFT = "left"
    IN_ROOM = "in_room"
    TO_SETTLE = "to_settle"
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no_show"


STAGE_WORDS = {
    Stage.TO_PAY: _("待支付"),
    Stage.BOOKED: _("已挂号，待报到"),
    Stage.WAITING: _("候诊中"),
    Stage.CALLED: _("已叫号"),
    Stage.MISSED: _("已过号"),
    Stage.LEFT: _("已离开队列，需重新报到"),
    Stage.IN_ROOM: _("就诊中"),
    Stage.TO_SETTLE: _("看完，待缴费"),
    Stage.DONE: _("已完成"),
    Stage.CANCELLED: _("已退号"),
    Stage.EXPIRED: _("未支付，已失效"),
    Stage.NO_SHOW: _("未到诊"),
}

#: Colour helps the words: ok, warn, info, idle.
STAGE_TONES = {
    Stage.TO_PAY: "warn",
    Stage.BOOKED: "info",
    Stage.WAITING: "info",
    Stage.CALLED: "ok",
    Stage.MISSED: "warn",
    Stage.LEFT: "warn",
    Stage.IN_ROOM: "info",
    Stage.TO_SETTLE: "warn",
    Stage.DONE: "ok",
}

_ENDED = {
    AppointmentState.CANCELLED: Stage.CANCELLED,
    AppointmentState.EXPIRED: Stage.EXPIRED,
    AppointmentState.NO_SHOW: Stage.NO_SHOW,
}
_BY_TICKET = {
    TicketState.CALLED: Stage.CALLED,
    TicketState.LEFT: Stage.LEFT,
    TicketState.MISSED: Stage.MISSED,
    TicketState.SERVING: Stage.IN_ROOM,
}


@dataclass(frozen=True, slots=True)
class VisitStatus:
    """One visit: its appointment, how far it has come, and its ticket once it has one."""

    appointment: AppointmentView
    stage: Stage
    ticket_id: Id | None
    ticket_number: str

    @property
    def words(self) -> str:
        """The stage in the patient's words."""
        return str(STAGE_WORDS[self.stage])

    @property
    def tone(self) -> str:
        """The tone of the stage's mark."""
        return STAGE_TONES.get(self.stage, "idle")

    @property
    def is_done(self) -> bool:
        """True when nothing is left to do for anybody."""
        return self.stage is Stage.DONE


def stage_of(
    appointment: AppointmentState,
    *,
    is_lapsed: bool = False,
    ticket: TicketState | None = None,
    encounter: EncounterState | None = None,
    is_bill_open: bool = False,
) -> Stage:
    """The stage that these states together mean; pure."""
    if appointment in _ENDED:
        return _ENDED[appointment]
    if appointment is AppointmentState.HELD:
        return Stage.EXPIRED if is_lapsed else Stage.TO_PAY
    if encounter is EncounterState.FINISHED:
        return Stage.TO_SETTLE if is_bill_open else Stage.DONE
    if encounter is EncounterState.IN_PROGRESS:
        return Stage.IN_ROOM
    if appointment is AppointmentState.FULFILLED:
        return Stage.TO_SETTLE if is_bill_open else Stage.DONE
    if appointment is AppointmentState.BOOKED:
        return Stage.BOOKED
    return _BY_TICKET.get(ticket, Stage.WAITING) if ticket else Stage.WAITING


def visit_statuses(
    session: Session, visits: Sequence[AppointmentView], *, open_bills: Collection[Id]
) -> list[VisitStatus]:
    """How far each of ``visits`` has come, in two queries; ``open_bills``: the patient's open invoices."""
    ids = [visit.id for visit in visits]
    if not ids:
        return []
    encounters = records.encounters_of_appointments(session, ids)
    tickets = queues.tickets_of_appointments(session, ids)
    found = []
    for visit in visits:
        encounter, bill = encounters.get(visit.id, (None, None))
        ticket_id, number, ticket = tickets.get(visit.id, (None, "", None))
        stage = stage_of(
            visit.state,
            is_lapsed=visit.is_lapsed,
            ticket=ticket,
            encounter=encounter,
            is_bill_open=bill in open_bills or visit.invoice_id in open_bills,
        )
        found.append(VisitStatus(visit, stage, ticket_id, number))
    return found


def get_visit_status(
    session: Session, *, patient_id: Id, day: dt.date | None = None
) -> list[VisitStatus]:
    """A patient's visits of a day (default today) with their stages; seven queries."""
    visits = appointments.list_appointments(
        session, patient_id=patient_id, day=day or today(session)
    )
    due = bills.list_open_invoices(session, patient_id)
    return visit_statuses(session, visits, open_bills={invoice.id for invoice in due})

"""What becomes of visits the hospital cannot keep: an equivalent, the money back unasked, or the visit after all.

One unit of work a patient, started by the event that told them, so that one that fails holds up nobody. Locks: the
disruption, then the bill, then the place, then the queue.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.billing.views import RefundView
from backend.contracts.scheduling import ChoiceDue, VisitDisrupted
from backend.journeys import refunds
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.scheduling import queries as visits
from backend.scheduling import service as scheduling
from backend.scheduling.errors import NotEquivalent
from backend.scheduling.rules import (
    ACTIVE,
    AppointmentState,
    DisruptionKind,
    DisruptionState,
)
from backend.scheduling.views import AppointmentView

STOP_REASON = "医院停诊"
SUBSTITUTE_REASON = "医院更换出诊医生"
UNANSWERED_REASON = "停诊后未选择改约，自动退款"


def subscribe(subscriptions: Subscriptions) -> None:
    """Each disrupted visit is looked after at once, and again when its choice ends."""
    subscriptions.on(VisitDisrupted, "journeys.settle_disruption", settle_after_event)
    subscriptions.on(ChoiceDue, "journeys.end_choice", end_choice)


def settle_after_event(session: Session, event: VisitDisrupted) -> None:
    """See ``settle_disruption``."""
    settle_disruption(session, event.disruption_id)


def settle_disruption(session: Session, disruption_id: Id) -> DisruptionState:
    """Take the first step for a disrupted visit, where it still stands as found; what it is now. Idempotent.

    An unpaid hold ends with its bill. Who waits in the hall already, or has nothing equivalent to go to, gets the money
    back at once. Who has been before the doctor keeps the visit. Everybody else may choose.
    """
    row = scheduling.lock_disruption(session, disruption_id)
    if row.state is not DisruptionState.FOUND:
        return row.state
    visit = visits.get_appointment(session, row.appointment_id)
    if visit.state not in ACTIVE:
        return _end(session, disruption_id, _outcome_of_ended(visit))
    if visit.state is AppointmentState.HELD:
        refunds.refund_visit(session, appointment_id=visit.id, reason=STOP_REASON)
        return _end(session, disruption_id, DisruptionState.RELEASED)
    is_here = visit.state is AppointmentState.CHECKED_IN
    is_doubled = row.kind is DisruptionKind.SUBSTITUTE
    if is_here or is_doubled or not visits.list_equivalents(session, disruption_id):
        reason = SUBSTITUTE_REASON if is_doubled else STOP_REASON
        return _refund_or_keep(session, disruption_id, visit.id, reason)
    scheduling.offer_choice(session, disruption_id)
    return DisruptionState.OFFERED


def accept_equivalent(session: Session, *, disruption_id: Id, schedule_id: Id) -> AppointmentView:
    """The patient takes one of the offered sessions; the bill stays paid. The visit as it is now.

    Errors: DisruptionOver, NotEquivalent, SlotGone (choose another), AlreadyBooked.
    """
    row = scheduling.lock_disruption(session, disruption_id)
    offered = {view.schedule_id for view in visits.list_equivalents(session, disruption_id)}
    if row.state is DisruptionState.OFFERED and schedule_id not in offered:
        raise NotEquivalent
    scheduling.end_disruption(session, disruption_id, DisruptionState.MOVED)
    scheduling.move_appointment(session, row.appointment_id, schedule_id)
    session.flush()
    return visits.get_appointment(session, row.appointment_id)


def decline(session: Session, *, disruption_id: Id) -> tuple[RefundView, ...]:
    """The patient wants the money back instead: the visit is cancelled in full, whatever the cut-off.

    The refunds, one a payment; none when nothing had been paid. Errors: DisruptionOver, VisitBegun.
    """
    row = scheduling.lock_disruption(session, disruption_id)
    is_stop = row.kind is DisruptionKind.STOP
    reason = STOP_REASON if is_stop else SUBSTITUTE_REASON
    cancelled = _cancel(session, disruption_id, row.appointment_id, reason)
    return cancelled.refunds


def keep(session: Session, *, disruption_id: Id) -> None:
    """The patient is content with the substitute. Errors: DisruptionOver."""
    scheduling.end_disruption(session, disruption_id, DisruptionState.KEPT)


def end_choice(session: Session, event: ChoiceDue) -> None:
    """Nobody chose in time: the money goes back unasked. Nothing when it has been decided."""
    row = scheduling.lock_disruption(session, event.disruption_id)
    if row.state is DisruptionState.OFFERED:
        _refund_or_keep(session, row.id, row.appointment_id, UNANSWERED_REASON)


def _cancel(
    session: Session, disruption_id: Id, appointment_id: Id, reason: str
) -> refunds.CancelledVisit:
    """Money, place and queue first: they need the disruption open; its end is written last, in the same unit.

    The caller holds the disruption's lock.
    """
    visit = visits.get_appointment(session, appointment_id)
    if not visits.get_disruption(session, disruption_id).is_open or visit.state not in ACTIVE:
        scheduling.end_disruption(session, disruption_id, _outcome_of_ended(visit))
        session.flush()
        return refunds.CancelledVisit(visit)
    cancelled = refunds.refund_visit(
        session, appointment_id=appointment_id, reason=reason, excused=True
    )
    scheduling.end_disruption(session, disruption_id, DisruptionState.REFUNDED)
    session.flush()
    return cancelled


def _refund_or_keep(
    session: Session, disruption_id: Id, appointment_id: Id, reason: str
) -> DisruptionState:
    """Cancel in full; but a visit that has begun is earned, and kept.

    VisitBegun comes out of here only when the doctor calls in this very moment: the event is then delivered again.
    """
    if refunds.has_begun(session, appointment_id):
        return _end(session, disruption_id, DisruptionState.KEPT)
    _cancel(session, disruption_id, appointment_id, reason)
    return DisruptionState.REFUNDED


def _outcome_of_ended(visit: AppointmentView) -> DisruptionState:
    """The visit ended by itself while the hospital was looking: by its hold, by its patient, or by taking place."""
    if visit.state is AppointmentState.EXPIRED:
        return DisruptionState.RELEASED
    if visit.state is AppointmentState.CANCELLED:
        return DisruptionState.REFUNDED
    return DisruptionState.KEPT


def _end(session: Session, disruption_id: Id, outcome: DisruptionState) -> DisruptionState:
    scheduling.end_disruption(session, disruption_id, outcome)
    session.flush()
    return outcome

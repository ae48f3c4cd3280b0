"""The disrupted visit: opened when a session is stopped or taken over, then one decision, once.

Every command here locks the disruption first; money and queue are the business of `backend.journeys.disruptions`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.contracts.scheduling import ChoiceDue, DisruptionEnded, VisitDisrupted, VisitOffered
from backend.kernel import audit, outbox
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row, lock_rows
from backend.kernel.uow import actor, now
from backend.scheduling import rules
from backend.scheduling.errors import DisruptionUnknown
from backend.scheduling.models import Appointment, Disruption
from backend.scheduling.queries import is_foreign
from backend.scheduling.rules import (
    OPEN_DISRUPTIONS,
    UNSETTLED,
    DisruptionKind,
    DisruptionState,
)


def open_all(
    session: Session,
    visits: Iterable[Appointment],
    kind: DisruptionKind,
    reason: str,
    *,
    stop_id: Id | None = None,
    state: DisruptionState = DisruptionState.FOUND,
) -> None:
    """One disruption and one VisitDisrupted a visit; a visit that is being settled already gets none.

    A visit that was only told of a substitute stands, so it is kept as it was and disrupted anew. The caller has
    locked those of its sessions (``lock_told``) before any place.
    """
    rows = list(visits)
    standing = _standing(session, [visit.id for visit in rows])
    for visit in rows:
        before = standing.get(visit.id)
        if before is not None and before.state in UNSETTLED:
            continue
        if before is not None:
            end(session, before, DisruptionState.KEPT)
            session.flush()  # before the new one: a visit has one open disruption at most
        row = Disruption(
            id=new_id(),
            hospital_id=visit.hospital_id,
            appointment_id=visit.id,
            patient_id=visit.patient_id,
            kind=kind,
            state=state,
            stop_id=stop_id,
            reason=reason,
            schedule_id=visit.schedule_id,
            practitioner_id=visit.practitioner_id,
            starts_at=visit.starts_at,
            created_at=now(session),
        )
        session.add(row)
        outbox.publish(
            session,
            VisitDisrupted(visit.hospital_id, row.id, visit.id, visit.patient_id, kind.value),
        )
        _record(session, "disrupt_visit", row)
    session.flush()


def lock_told(session: Session, schedule_ids: Iterable[Id]) -> None:
    """Lock what the visits in these sessions were told of a substitute: who declines locks that before the place."""
    told = session.scalars(
        select(Disruption.id)
        .join(Appointment, Appointment.id == Disruption.appointment_id)
        .where(
            Appointment.schedule_id.in_(list(schedule_ids)),
            Disruption.state == DisruptionState.TOLD,
        )
    ).all()
    lock_rows(session, Disruption, told)


def _standing(session: Session, appointment_ids: Iterable[Id]) -> dict[Id, Disruption]:
    """The undecided disruption of each appointment that has one, locked and read afresh."""
    ids = session.scalars(
        select(Disruption.id).where(
            Disruption.appointment_id.in_(list(appointment_ids)),
            Disruption.state.in_(OPEN_DISRUPTIONS),
        )
    ).all()
    rows = lock_rows(session, Disruption, ids)
    return {row.appointment_id: row for row in rows if row.state in OPEN_DISRUPTIONS}


def lock_disruption(session: Session, disruption_id: Id) -> Disruption:
    """The disruption, locked and read afresh. Raises DisruptionUnknown (also for another hospital's)."""
    row = lock_row(session, Disruption, disruption_id)
    if row is None or is_foreign(session, row.hospital_id):
        raise DisruptionUnknown
    return row


def offer_choice(session: Session, disruption_id: Id) -> dt.datetime:
    """Let the patient choose; until when. Publishes VisitOffered, and ChoiceDue for the end of the choice.

    Raises DisruptionOver once it is decided.
    """
    row = lock_disruption(session, disruption_id)
    rules.check_step(row.state, DisruptionState.OFFERED)
    row.state = DisruptionState.OFFERED
    row.decide_by = rules.choice_ends(now(session), row.starts_at)
    outbox.publish(
        session,
        VisitOffered(row.hospital_id, row.id, row.appointment_id, row.patient_id, row.decide_by),
    )
    outbox.publish(session, ChoiceDue(row.hospital_id, row.id), not_before=row.decide_by)
    _record(session, "offer_choice", row)
    return row.decide_by


def end_disruption(
    session: Session, disruption_id: Id, outcome: DisruptionState | str
) -> Disruption:
    """Write down what became of the visit. Raises DisruptionOver when that is decided already."""
    row = lock_disruption(session, disruption_id)
    end(session, row, DisruptionState(outcome))
    return row


def end(session: Session, row: Disruption, outcome: DisruptionState) -> None:
    """Decide a locked disruption and tell."""
    rules.check_step(row.state, outcome)
    row.state, row.decided_at = outcome, now(session)
    row.decided_by = actor(session).label or "program"
    outbox.publish(
        session,
        DisruptionEnded(row.hospital_id, row.id, row.appointment_id, row.patient_id, outcome.value),
    )
    _record(session, "end_disruption", row)


def _record(session: Session, act: str, row: Disruption) -> None:
    audit.record(
        session,
        f"scheduling.{act}",
        entity="disruption",
        entity_id=row.id,
        patient_id=row.patient_id,
        appointment_id=row.appointment_id,
        state=row.state.value,
    )

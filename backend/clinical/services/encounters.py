"""The encounter itself: start it, write its note, finish it."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import ChargeState
from backend.clinical import queries
from backend.clinical.errors import DiagnosisMissing, EncounterFinished
from backend.clinical.models import Diagnosis, Encounter, Order
from backend.clinical.rules import NOTE_LENGTHS, EncounterState, OrderState
from backend.clinical.services import access
from backend.clinical.views import PastEncounter
from backend.contracts import clinical as events
from backend.kernel import audit, outbox
from backend.kernel.db import check_version
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import now


def start_encounter(
    session: Session,
    *,
    hospital_id: Id,
    patient_id: Id,
    practitioner_id: Id,
    department_id: Id,
    appointment_id: Id | None = None,
    ticket_id: Id | None = None,
) -> Encounter:
    """Begin (or go on with) the encounter of a ticket; a ticket has one encounter, ever."""
    access.require_practitioner(session, practitioner_id)
    if ticket_id is not None:
        present = session.scalar(select(Encounter).where(Encounter.ticket_id == ticket_id))
        if present is not None:
            access.require_practitioner(session, present.practitioner_id)
            return present
    encounter = Encounter(
        id=new_id(),
        hospital_id=hospital_id,
        patient_id=patient_id,
        appointment_id=appointment_id,
        ticket_id=ticket_id,
        practitioner_id=practitioner_id,
        department_id=department_id,
        state=EncounterState.IN_PROGRESS,
        started_at=now(session),
    )
    session.add(encounter)
    session.flush()
    outbox.publish(
        session,
        events.EncounterStarted(hospital_id, encounter.id, patient_id, appointment_id),
    )
    access.record(session, "start_encounter", encounter)
    return encounter


def record_note(
    session: Session,
    *,
    encounter_id: Id,
    version: int,
    complaint: str,
    history: str,
    examination: str,
) -> Encounter:
    """Replace the note; the same words again change nothing.

    StaleVersion (409) when it was changed since the form was opened; InvalidInput (422) when too long.
    """
    encounter = access.writable(session, encounter_id)
    check_version(encounter, version)
    note = {"complaint": complaint, "history": history, "examination": examination}
    for field, words in note.items():
        most = NOTE_LENGTHS[field]
        if len(words.strip()) > most:
            raise InvalidInput(fields={field: _("最多 %(n)s 个字", n=most)})
    changed = [field for field, words in note.items() if getattr(encounter, field) != words.strip()]
    if not changed:
        return encounter
    for field in changed:
        setattr(encounter, field, note[field].strip())
    access.record(session, "record_note", encounter, fields=changed)
    session.flush()
    return encounter


def finish_encounter(session: Session, encounter_id: Id) -> Encounter:
    """Close the encounter and open one bill over its pending orders. Repeating changes nothing.

    DiagnosisMissing (409) without a diagnosis.
    """
    encounter = access.own(session, encounter_id)
    if encounter.state is EncounterState.FINISHED:
        return encounter
    if encounter.state is not EncounterState.IN_PROGRESS:
        raise EncounterFinished
    count = session.scalar(
        select(func.count()).select_from(Diagnosis).where(Diagnosis.encounter_id == encounter_id)
    )
    if not count:
        raise DiagnosisMissing
    charge_ids = session.scalars(
        select(Order.charge_id).where(
            Order.encounter_id == encounter_id, Order.state == OrderState.ACTIVE
        )
    ).all()
    lines = bills.lines_by_id(session, charge_ids)
    pending = [key for key, line in lines.items() if line.state is ChargeState.PENDING]
    if pending:
        invoice = billing.open_invoice(session, patient_id=encounter.patient_id, charge_ids=pending)
        encounter.invoice_id = invoice.id
    encounter.state, encounter.finished_at = EncounterState.FINISHED, now(session)
    outbox.publish(
        session,
        events.EncounterFinished(
            encounter.hospital_id,
            encounter.id,
            encounter.patient_id,
            encounter.appointment_id,
            encounter.invoice_id,
        ),
    )
    access.record(session, "finish_encounter", encounter)
    session.flush()
    return encounter


def read_past(session: Session, encounter_id: Id) -> list[PastEncounter]:
    """The patient's earlier encounters, for the practitioner in charge while the encounter is open; written down."""
    encounter = access.writable(session, encounter_id)
    access.record(session, "read_past", encounter)
    return queries.list_past(session, encounter.patient_id, but_not=encounter_id)


def note_reading(session: Session, encounter_id: Id, patient_id: Id) -> None:
    """Remember that somebody opened this encounter's record."""
    audit.record(
        session,
        "clinical.read_encounter",
        entity="encounter",
        entity_id=encounter_id,
        patient_id=patient_id,
    )

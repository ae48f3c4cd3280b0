"""What every command asks first: is the encounter there, is it this practitioner's, is it still open."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.clinical.errors import EncounterFinished, EncounterUnknown, NotYourEncounter
from backend.clinical.models import Encounter
from backend.clinical.rules import EncounterState
from backend.kernel import audit
from backend.kernel.ids import Id
from backend.kernel.locks import lock_row
from backend.kernel.permissions import ActorKind
from backend.kernel.uow import actor


def locked(session: Session, encounter_id: Id) -> Encounter:
    """The encounter, locked; EncounterUnknown (404), also for another hospital's."""
    encounter = lock_row(session, Encounter, encounter_id)
    if encounter is None or actor(session).hospital_id not in (None, encounter.hospital_id):
        raise EncounterUnknown
    return encounter


def own(session: Session, encounter_id: Id) -> Encounter:
    """The encounter, locked; NotYourEncounter (403) unless the actor is its practitioner."""
    encounter = locked(session, encounter_id)
    require_practitioner(session, encounter.practitioner_id)
    return encounter


def writable(session: Session, encounter_id: Id) -> Encounter:
    """The encounter, locked, own and open; EncounterFinished (409) when it is over."""
    encounter = own(session, encounter_id)
    if encounter.state is not EncounterState.IN_PROGRESS:
        raise EncounterFinished
    return encounter


def require_practitioner(session: Session, practitioner_id: Id | None) -> None:
    """NotYourEncounter (403) when a member of staff is another practitioner."""
    who = actor(session)
    if who.kind is ActorKind.STAFF and who.practitioner_id != practitioner_id:
        raise NotYourEncounter


def record(session: Session, act: str, encounter: Encounter, **detail: object) -> None:
    """The audit row of one act in an encounter."""
    audit.record(
        session,
        f"clinical.{act}",
        entity="encounter",
        entity_id=encounter.id,
        patient_id=encounter.patient_id,
        **detail,
    )

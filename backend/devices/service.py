"""Commands of the fleet: create, enrol, revoke, beat; patients' sessions; print jobs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.devices import rules
from backend.devices.errors import (
    CredentialRefused,
    EnrolmentCodeUnknown,
    KioskCodeTaken,
    KioskNotEnrolled,
    KioskUnknown,
    PatientSessionEnded,
    PrintEnded,
    PrintUnknown,
    TooManyEnrolmentTries,
)
from backend.devices.models import EnrolmentWindow, Kiosk, KioskPulse, PatientSession, PrintJob
from backend.devices.rules import PrintKind, PrintState
from backend.kernel import audit
from backend.kernel.errors import NotFound
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.permissions import Actor, ActorKind, Permission
from backend.kernel.uow import Database, actor, now
from backend.organization import queries as organization
from backend.queueing import service as queueing

_SESSIONS = cast(Table, PatientSession.__table__)
#: These two are part of everything a kiosk asks: made once, so that SQLAlchemy need not look at them anew each time.
_TOUCH = (
    update(_SESSIONS)
    .where(
        _SESSIONS.c.token_hash == bindparam("token"),
        _SESSIONS.c.kiosk_id == bindparam("kiosk"),
        _SESSIONS.c.ends_at > bindparam("at"),
    )
    .values(ends_at=bindparam("until"))
    .returning(_SESSIONS.c.patient_id)
)
_WHO = select(Kiosk.id, Kiosk.hospital_id, Kiosk.code, Kiosk.revoked_at).where(
    Kiosk.credential_hash == bindparam("credential")
)


@dataclass(frozen=True, slots=True)
class EnrolledKiosk:
    """What a kiosk is told once: its credential is stored nowhere else."""

    kiosk_id: Id
    hospital_id: Id
    name: str
    location_id: Id
    credential: str


def add_kiosk(
    session: Session, *, hospital_id: Id, code: str, name: str, location_id: Id
) -> tuple[Kiosk, str]:
    """A new kiosk and its one-time enrolment code, which is shown once.

    KioskCodeTaken (422) when the hospital has a kiosk of that code; NotFound for another hospital's place and for one
    that is out of use.
    """
    place = organization.get_location(session, location_id)
    if place.hospital_id != hospital_id or not place.is_active:
        raise NotFound
    kiosk = Kiosk(
        id=new_id(), hospital_id=hospital_id, code=code, name=name, location_id=location_id
    )
    try:
        with session.begin_nested():
            session.add(kiosk)
    except IntegrityError as error:
        raise KioskCodeTaken(fields={"code": KioskCodeTaken.default_message}) from error
    audit.record(session, "devices.add_kiosk", entity="kiosk", entity_id=kiosk.id, code=code)
    return kiosk, issue_code(session, kiosk.id)


def issue_code(session: Session, kiosk_id: Id) -> str:
    """A fresh one-time code for a kiosk, valid for a day; it replaces the one before."""
    kiosk = _locked(session, kiosk_id)
    code = rules.new_code()
    kiosk.enrolment_hash = rules.digest(code)
    kiosk.enrolment_ends_at = now(session) + rules.CODE_LIFE
    audit.record(session, "devices.issue_code", entity="kiosk", entity_id=kiosk.id)
    session.flush()
    return code


def count_enrolment_try(session: Session, address: str) -> None:
    """One more code is tried from ``address``; TooManyEnrolmentTries (429) past ten in a quarter of an hour.

    In a unit of work of its own, before the code is looked at, so that a refused code counts. Housekeeping.
    """
    window = rules.try_window(now(session))
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    tries = session.scalar(
        insert(EnrolmentWindow)
        .values(address_hash=rules.digest(address), begins_at=window, tries=1)
        .on_conflict_do_update(
            index_elements=["address_hash", "begins_at"],
            set_={"tries": EnrolmentWindow.tries + 1},
        )
        .returning(EnrolmentWindow.tries)
    )
    session.execute(
        delete(EnrolmentWindow).where(EnrolmentWindow.begins_at < window - rules.TRY_WINDOW)
    )
    if tries is not None and tries > rules.TRIES_A_WINDOW:
        raise TooManyEnrolmentTries


def enrol(session: Session, code: str) -> EnrolledKiosk:
    """Trade a one-time code for a credential; an older credential of the kiosk ends.

    EnrolmentCodeUnknown (422) for a code that was used, has run out or never was.
    """
    kiosk = session.scalar(
        select(Kiosk)
        .where(Kiosk.enrolment_hash == rules.digest(rules.normal_code(code)))
        .with_for_update()
    )
    if kiosk is None or kiosk.enrolment_ends_at is None or kiosk.enrolment_ends_at <= now(session):
        raise EnrolmentCodeUnknown
    credential = rules.new_credential()
    kiosk.credential_hash = rules.digest(credential)
    kiosk.enrolled_at, kiosk.revoked_at = now(session), None
    kiosk.enrolment_hash = kiosk.enrolment_ends_at = None
    audit.record(session, "devices.enrol", entity="kiosk", entity_id=kiosk.id)
    return EnrolledKiosk(kiosk.id, kiosk.hospital_id, kiosk.name, kiosk.location_id, credential)


def revoke(session: Session, kiosk_id: Id, *, hospital_id: Id) -> None:
    """From now on the kiosk's credential opens nothing. Repeating changes nothing."""
    kiosk = _locked(session, kiosk_id)
    if kiosk.hospital_id != hospital_id:
        raise KioskUnknown
    if kiosk.revoked_at is None:
        kiosk.revoked_at = now(session)
        kiosk.enrolment_hash = kiosk.enrolment_ends_at = None
        audit.record(session, "devices.revoke", entity="kiosk", entity_id=kiosk.id)


def reinstate(session: Session, kiosk_id: Id, *, hospital_id: Id) -> None:
    """A revoked kiosk may work again with the credential it has. KioskNotEnrolled (409) without one."""
    kiosk = _locked(session, kiosk_id)
    if kiosk.hospital_id != hospital_id:
        raise KioskUnknown
    if kiosk.credential_hash is None:
        raise KioskNotEnrolled
    if kiosk.revoked_at is not None:
        kiosk.revoked_at = None
        audit.record(session, "devices.reinstate", entity="kiosk", entity_id=kiosk.id)


def actor_of_credential(database: Database, credential: str) -> Actor:
    """The kiosk as an actor, allowed only what kiosks may do; CredentialRefused (401)."""
    kiosk = database.look_up(_WHO, {"credential": rules.digest(credential)})
    if kiosk is None or kiosk.revoked_at is not None:
        raise CredentialRefused
    return Actor(
        ActorKind.DEVICE,
        id=kiosk.id,
        hospital_id=kiosk.hospital_id,
        label=kiosk.code,
        grants={Permission.DEVICES_KIOSK_USE: None},
    )


def beat(
    session: Session,
    *,
    kiosk_id: Id,
    version: str,
    clock: dt.datetime | None,
    devices: dict[str, Any],
    open_journal: int,
) -> None:
    """Remember that the kiosk lives and how its devices are. Housekeeping: changes nothing that is audited."""
    pulse = session.get(KioskPulse, kiosk_id)
    if pulse is None:
        pulse = KioskPulse(kiosk_id=kiosk_id)
        session.add(pulse)
    pulse.at, pulse.version, pulse.devices = now(session), version, devices
    offset = (clock - now(session)).total_seconds() * 1000 if clock else 0
    pulse.clock_offset_ms, pulse.open_journal = int(offset), open_journal


def begin_session(session: Session, *, kiosk_id: Id, patient_id: Id) -> tuple[str, dt.datetime]:
    """A patient stands before the kiosk: the token of their session and when it ends. Earlier ones end."""
    session.execute(
        update(PatientSession)
        .where(PatientSession.kiosk_id == kiosk_id, PatientSession.ends_at > now(session))
        .values(ends_at=now(session))
    )
    token = rules.new_credential()
    ends_at = now(session) + rules.SESSION_LIFE
    session.add(
        PatientSession(
            id=new_id(),
            hospital_id=actor(session).hospital_id,
            kiosk_id=kiosk_id,
            patient_id=patient_id,
            token_hash=rules.digest(token),
            began_at=now(session),
            ends_at=ends_at,
        )
    )
    audit.record(
        session,
        "devices.begin_session",
        entity="kiosk",
        entity_id=kiosk_id,
        patient_id=patient_id,
    )
    return token, ends_at


def touch_session(session: Session, *, kiosk_id: Id, token: str) -> Id:
    """Whose session this is; acting gives three more minutes.

    PatientSessionEnded (410) when it has ended, is another kiosk's or never was.
    """
    patient_id: Id | None = (
        session.connection()
        .execute(
            _TOUCH,
            {
                "token": rules.digest(token),
                "kiosk": kiosk_id,
                "at": now(session),
                "until": now(session) + rules.SESSION_LIFE,
            },
        )
        .scalar()
    )
    if patient_id is None:
        raise PatientSessionEnded
    return patient_id


def end_session(session: Session, *, kiosk_id: Id, token: str) -> None:
    """The screen was wiped. Repeating changes nothing."""
    session.execute(
        update(PatientSession)
        .where(
            PatientSession.token_hash == rules.digest(token),
            PatientSession.kiosk_id == kiosk_id,
            PatientSession.ends_at > now(session),
        )
        .values(ends_at=now(session))
    )


def request_print(
    session: Session,
    *,
    kiosk_id: Id,
    patient_id: Id,
    kind: PrintKind,
    ticket_id: Id | None,
    invoice_id: Id | None,
    is_reprint: bool,
) -> PrintJob:
    """Store the intent to print; the kiosk prints after this transaction and reports the outcome."""
    kiosk = _locked(session, kiosk_id)
    kiosk.last_print_no = kiosk.last_print_no % (2**32 - 1) + 1
    job = PrintJob(
        id=new_id(),
        hospital_id=kiosk.hospital_id,
        kiosk_id=kiosk_id,
        job_no=kiosk.last_print_no,
        patient_id=patient_id,
        kind=kind,
        ticket_id=ticket_id,
        invoice_id=invoice_id,
        is_reprint=is_reprint,
        state=PrintState.REQUESTED,
        requested_at=now(session),
    )
    session.add(job)
    session.flush()
    _record(session, "request_print", job)
    return job


def report_print(
    session: Session, *, kiosk_id: Id, print_id: Id, outcome: PrintState, code: str
) -> PrintJob:
    """What became of a print; the same report again changes nothing, a different end is PrintEnded (409).

    Only a printed ticket counts as given.
    """
    job = lock_row(session, PrintJob, print_id)
    if job is None or job.kiosk_id != kiosk_id:
        raise PrintUnknown
    return _settle(session, job, outcome, code)


def resolve_print(
    session: Session, *, print_id: Id, hospital_id: Id, outcome: PrintState
) -> PrintJob:
    """A person looked at the paper: printed or not."""
    job = lock_row(session, PrintJob, print_id)
    if job is None or job.hospital_id != hospital_id:
        raise PrintUnknown
    return _settle(session, job, outcome, job.code)


def _settle(session: Session, job: PrintJob, outcome: PrintState, code: str) -> PrintJob:
    if job.state is outcome:
        return job
    if outcome not in rules.PRINT_MOVES[job.state]:
        raise PrintEnded(state=job.state.value)
    job.state, job.code, job.ended_at = outcome, code[:40], now(session)
    if outcome is PrintState.PRINTED and job.ticket_id is not None:
        queueing.mark_printed(session, job.ticket_id)
    _record(session, "report_print", job)
    return job


def _locked(session: Session, kiosk_id: Id) -> Kiosk:
    kiosk = lock_row(session, Kiosk, kiosk_id)
    if kiosk is None:
        raise KioskUnknown
    return kiosk


def _record(session: Session, act: str, job: PrintJob) -> None:
    audit.record(
        session,
        f"devices.{act}",
        entity="print_job",
        entity_id=job.id,
        patient_id=job.patient_id,
        kind=job.kind.value,
        state=job.state.value,
        code=job.code,
    )

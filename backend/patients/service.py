"""Commands of the patient index: register, change contact, give and invalidate numbers, reveal."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.db import check_version
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.masking import mask_card, mask_id_number, mask_name, mask_phone
from backend.kernel.permissions import Permission, require
from backend.kernel.uow import actor, keys, now, today
from backend.patients import queries, rules
from backend.patients.errors import (
    IdentifierTaken,
    IdentityDiffers,
    IdNumberInvalid,
    PatientNotFound,
    PhoneInvalid,
)
from backend.patients.models import (
    IdentifierStatus,
    IdentifierSystem,
    Patient,
    PatientIdentifier,
)

ADDRESS = "patients_patient.address"
VALUE = "patients_patient_identifier.value"


class Field(StrEnum):
    """The sealed fields that may be revealed."""

    ID_NUMBER = "id_number"
    PHONE = "phone"
    ADDRESS = "address"


def register_patient(
    session: Session,
    *,
    hospital_id: Id,
    name: str,
    sex: int,
    birth_date: dt.date,
    id_kind: str,
    id_number: str,
    phone: str | None = None,
    address: str | None = None,
    ethnic_group: str | None = None,
    card_number: str | None = None,
    allergies: str = "",
) -> tuple[Patient, bool]:
    """The patient with this document and whether the record is new; never two records for one document.

    Errors: IdNumberInvalid, PhoneInvalid, IdentityDiffers when the document is known under another name.
    """
    name, id_number = name.strip(), id_number.strip().upper()
    _check(name, sex, birth_date, id_kind, id_number, phone, today(session))
    found = queries.find_row_by_id_number(
        session, hospital_id=hospital_id, id_kind=id_kind, id_number=id_number
    )
    if found is None:
        ring = keys(session)
        pinyin, initials = rules.pinyin_of(name)
        patient = Patient(
            id=new_id(),
            hospital_id=hospital_id,
            name=name,
            pinyin=pinyin,
            pinyin_initials=initials,
            sex=sex,
            birth_date=birth_date,
            ethnic_group=ethnic_group,
            id_kind=id_kind,
            id_number_sealed=ring.seal(id_number, queries.ID_NUMBER),
            id_number_index=ring.blind_index(id_number, queries.ID_NUMBER),
            id_number_masked=mask_id_number(id_number),
            allergies=allergies,
            registered_at=now(session),
        )
        _set_contact(session, patient, phone, address)
        try:
            with session.begin_nested():
                session.add(patient)
        except IntegrityError:
            # Somebody registered the same document in this moment: theirs is the record.
            found = queries.find_row_by_id_number(
                session, hospital_id=hospital_id, id_kind=id_kind, id_number=id_number
            )
            if found is None:
                raise
        else:
            audit.record(
                session,
                "patients.register_patient",
                entity="patient",
                entity_id=patient.id,
                patient_id=patient.id,
                person=mask_name(name),
            )
            if card_number:
                add_identifier(
                    session,
                    patient_id=patient.id,
                    system=IdentifierSystem.HOSPITAL_CARD,
                    value=card_number,
                )
            return patient, True
    if not rules.same_name(found.name, name):
        raise IdentityDiffers
    return found, False


def _check(
    name: str,
    sex: int,
    birth_date: dt.date,
    id_kind: str,
    id_number: str,
    phone: str | None,
    day: dt.date,
) -> None:
    if not name or len(name) > 60:
        raise IdNumberInvalid(
            _("请填写证件上的姓名"), code="name_invalid", fields={"name": _("请填写证件上的姓名")}
        )
    if not rules.is_id_number_sound(id_kind, id_number, day):
        raise IdNumberInvalid(fields={"id_number": IdNumberInvalid.default_message})
    facts = rules.read_id_number(id_number, day) if id_kind == rules.IdKind.RESIDENT_CARD else None
    if facts is not None and facts.birth_date != birth_date:
        raise IdNumberInvalid(
            _("出生日期与证件号码不一致"), fields={"birth_date": _("与证件号码不一致")}
        )
    if birth_date > day or sex not in rules.SEXES:
        raise IdNumberInvalid(_("出生日期或性别有误"), fields={"birth_date": _("请核对")})
    if phone and not rules.is_phone(phone):
        raise PhoneInvalid(fields={"phone": PhoneInvalid.default_message})


def _set_contact(
    session: Session, patient: Patient, phone: str | None, address: str | None
) -> None:
    ring = keys(session)
    phone = phone.strip() if phone else None
    patient.phone_sealed = ring.seal(phone, queries.PHONE) if phone else None
    patient.phone_index = ring.blind_index(phone, queries.PHONE) if phone else None
    patient.phone_masked = mask_phone(phone) if phone else None
    patient.address_sealed = ring.seal(address, ADDRESS) if address else None


def set_unchecked_phone(session: Session, patient: Patient, phone: str) -> None:
    """Give a record a number that no network assigns: for invented people, whom no message may reach."""
    patient.phone_sealed = keys(session).seal(phone, queries.PHONE)
    patient.phone_index = keys(session).blind_index(phone, queries.PHONE)
    patient.phone_masked = mask_phone(phone)


def update_contact(
    session: Session, *, patient_id: Id, version: int, phone: str | None, address: str | None
) -> Patient:
    """Change phone and address; StaleVersion when somebody was faster."""
    if phone and not rules.is_phone(phone):
        raise PhoneInvalid(fields={"phone": PhoneInvalid.default_message})
    patient = _locked(session, patient_id)
    check_version(patient, version)
    _set_contact(session, patient, phone, address)
    audit.record(
        session,
        "patients.update_contact",
        entity="patient",
        entity_id=patient.id,
        patient_id=patient.id,
        phone=patient.phone_masked,
    )
    return patient


def add_identifier(
    session: Session, *, patient_id: Id, system: IdentifierSystem, value: str
) -> PatientIdentifier:
    """Give the patient a number; the same again changes nothing; IdentifierTaken when another carries it."""
    patient = _locked(session, patient_id)
    index = keys(session).blind_index(value, queries.identifier_purpose(system))
    held = session.scalar(
        select(PatientIdentifier).where(
            PatientIdentifier.hospital_id == patient.hospital_id,
            PatientIdentifier.system == system,
            PatientIdentifier.value_index == index,
            PatientIdentifier.status == IdentifierStatus.ACTIVE,
        )
    )
    if held is not None:
        if held.patient_id != patient_id:
            raise IdentifierTaken
        return held
    identifier = PatientIdentifier(
        id=new_id(),
        hospital_id=patient.hospital_id,
        patient_id=patient_id,
        system=system,
        value_sealed=keys(session).seal(value, VALUE),
        value_index=index,
        value_masked=mask_card(value),
        issued_at=now(session),
    )
    session.add(identifier)
    audit.record(
        session,
        "patients.add_identifier",
        entity="patient_identifier",
        entity_id=identifier.id,
        patient_id=patient_id,
        system=system.value,
    )
    return identifier


def invalidate_identifier(session: Session, *, identifier_id: Id, status: IdentifierStatus) -> None:
    """A lost or replaced card stops opening the record; the row stays."""
    identifier = lock_row(session, PatientIdentifier, identifier_id)
    if identifier is None:
        raise PatientNotFound
    if identifier.status is not IdentifierStatus.ACTIVE:
        return
    identifier.status = status
    identifier.ended_at = now(session)
    audit.record(
        session,
        "patients.invalidate_identifier",
        entity="patient_identifier",
        entity_id=identifier.id,
        patient_id=identifier.patient_id,
        status=status.value,
    )


def reveal_patient(session: Session, *, patient_id: Id, field: Field) -> str:
    """The whole value of a sealed field, for those who may see it; remembered in the audit log."""
    patient = session.get(Patient, patient_id)
    if patient is None:
        raise PatientNotFound
    require(actor(session), Permission.PATIENTS_PATIENT_REVEAL, hospital_id=patient.hospital_id)
    sealed = {
        Field.ID_NUMBER: (patient.id_number_sealed, queries.ID_NUMBER),
        Field.PHONE: (patient.phone_sealed, queries.PHONE),
        Field.ADDRESS: (patient.address_sealed, ADDRESS),
    }[field]
    audit.record(
        session,
        "patients.reveal_patient",
        entity="patient",
        entity_id=patient_id,
        patient_id=patient_id,
        field=field.value,
    )
    blob, purpose = sealed
    return keys(session).open(blob, purpose) if blob else ""


def note_reading(session: Session, *, patient_id: Id, what: str) -> None:
    """Remember that somebody opened a patient's record."""
    audit.record(session, "patients.read", entity=what, entity_id=patient_id, patient_id=patient_id)


def _locked(session: Session, patient_id: Id) -> Patient:
    patient = lock_row(session, Patient, patient_id)
    if patient is None:
        raise PatientNotFound
    return patient

"""Commands of the encounter: start, write, diagnose, order, finish. Only its own practitioner may write."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import ChargeState
from backend.clinical import rules
from backend.clinical.errors import (
    CatalogueItemUnknown,
    DiagnosisMissing,
    EncounterFinished,
    EncounterUnknown,
    NotYourEncounter,
    OrderNotCancellable,
    OrderUnknown,
)
from backend.clinical.models import (
    Diagnosis,
    Drug,
    Encounter,
    IcdCode,
    LaboratoryPanel,
    Order,
)
from backend.clinical.rules import EncounterState, OrderKind, OrderState
from backend.contracts import clinical as events
from backend.kernel import audit, outbox
from backend.kernel.db import check_version
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.permissions import ActorKind
from backend.kernel.uow import actor, now

ORDER = "order"


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
    if ticket_id is not None:
        present = session.scalar(select(Encounter).where(Encounter.ticket_id == ticket_id))
        if present is not None:
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
    _require_own(session, encounter)
    session.add(encounter)
    session.flush()
    outbox.publish(
        session,
        events.EncounterStarted(hospital_id, encounter.id, patient_id, appointment_id),
    )
    _record(session, "start_encounter", encounter)
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
    """Replace the note; StaleVersion (409) when it was changed since the form was opened."""
    encounter = _writable(session, encounter_id)
    check_version(encounter, version)
    for field, words, most in (
        ("complaint", complaint, 2000),
        ("history", history, 4000),
        ("examination", examination, 4000),
    ):
        if len(words) > most:
            raise InvalidInput(fields={field: _("最多 %(n)s 个字", n=most)})
    encounter.complaint, encounter.history = complaint.strip(), history.strip()
    encounter.examination = examination.strip()
    _record(session, "record_note", encounter)
    session.flush()
    return encounter


def add_diagnosis(session: Session, *, encounter_id: Id, code: str) -> Diagnosis:
    """Add a coded diagnosis; the first is primary; the same again changes nothing."""
    encounter = _writable(session, encounter_id)
    entry = session.get(IcdCode, code)
    if entry is None:
        raise CatalogueItemUnknown(item=code)
    present = session.scalars(select(Diagnosis).where(Diagnosis.encounter_id == encounter_id)).all()
    for diagnosis in present:
        if diagnosis.code == code:
            return diagnosis
    diagnosis = Diagnosis(
        id=new_id(),
        hospital_id=encounter.hospital_id,
        encounter_id=encounter_id,
        code=entry.code,
        name=entry.name,
        is_primary=not present,
        added_at=now(session),
    )
    session.add(diagnosis)
    _record(session, "add_diagnosis", encounter, code=code)
    session.flush()
    return diagnosis


def remove_diagnosis(session: Session, *, encounter_id: Id, diagnosis_id: Id) -> None:
    """Take a diagnosis out of an open encounter; the next one becomes primary."""
    encounter = _writable(session, encounter_id)
    rows = session.scalars(
        select(Diagnosis).where(Diagnosis.encounter_id == encounter_id).order_by(Diagnosis.added_at)
    ).all()
    doomed = [row for row in rows if row.id == diagnosis_id]
    if not doomed:
        return
    session.delete(doomed[0])
    rest = [row for row in rows if row.id != diagnosis_id]
    if rest and not any(row.is_primary for row in rest):
        rest[0].is_primary = True
    _record(session, "remove_diagnosis", encounter, code=doomed[0].code)
    session.flush()


def place_drug_order(
    session: Session,
    *,
    encounter_id: Id,
    code: str,
    quantity: int,
    dose: str = "",
    route: str = "",
    frequency: str = "",
) -> Order:
    """Order ``quantity`` packages of a drug; what is left empty takes the formulary's usual words."""
    encounter = _writable(session, encounter_id)
    drug = session.scalar(
        select(Drug).where(Drug.hospital_id == encounter.hospital_id, Drug.code == code)
    )
    if drug is None:
        raise CatalogueItemUnknown(item=code)
    return _place(
        session,
        encounter,
        Order(
            kind=OrderKind.DRUG,
            item_code=drug.code,
            name=drug.name,
            specification=f"{drug.form} {drug.strength}",
            unit=drug.unit,
            quantity=quantity,
            dose=dose or drug.dose,
            route=route or drug.route,
            frequency=frequency or drug.frequency,
        ),
        price_item_code=drug.code,
    )


def place_laboratory_order(
    session: Session, *, encounter_id: Id, code: str, quantity: int = 1
) -> Order:
    """Order a laboratory examination."""
    encounter = _writable(session, encounter_id)
    panel = session.scalar(
        select(LaboratoryPanel).where(
            LaboratoryPanel.hospital_id == encounter.hospital_id, LaboratoryPanel.code == code
        )
    )
    if panel is None:
        raise CatalogueItemUnknown(item=code)
    return _place(
        session,
        encounter,
        Order(
            kind=OrderKind.LABORATORY,
            item_code=panel.code,
            name=panel.name,
            specification=f"{panel.specimen} · {panel.container}",
            unit="次",
            quantity=quantity,
        ),
        price_item_code=panel.price_item_code,
    )


def cancel_order(session: Session, *, encounter_id: Id, order_id: Id) -> Order:
    """Take back an order that is on no bill yet; its charge is cancelled with it."""
    encounter = _writable(session, encounter_id)
    order = lock_row(session, Order, order_id)
    if order is None or order.encounter_id != encounter_id:
        raise OrderUnknown
    if order.state is OrderState.CANCELLED:
        return order
    line = bills.lines_by_id(session, [order.charge_id])[order.charge_id]
    if line.state is not ChargeState.PENDING:
        raise OrderNotCancellable
    billing.cancel_charge(session, order.charge_id)
    order.state, order.ended_at = OrderState.CANCELLED, now(session)
    _record(session, "cancel_order", encounter, order_id=order_id)
    session.flush()
    return order


def finish_encounter(session: Session, encounter_id: Id) -> Encounter:
    """Close the encounter and open one bill over its pending orders. Repeating changes nothing.

    DiagnosisMissing (409) without a diagnosis.
    """
    encounter = _locked(session, encounter_id)
    _require_own(session, encounter)
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
    _record(session, "finish_encounter", encounter)
    session.flush()
    return encounter


def add_icd_code(session: Session, *, code: str, name: str) -> None:
    """Put an entry into the ICD-10 catalogue in use."""
    session.add(IcdCode(code=code, name=name, initials=rules.initials_of(name)))
    audit.record(session, "clinical.add_icd_code", entity="icd_code", entity_id=code)


def add_drug(session: Session, *, hospital_id: Id, code: str, name: str, **facts: object) -> None:
    """Put a drug into the formulary; ``facts`` are the other columns of ``Drug``."""
    session.add(
        Drug(
            hospital_id=hospital_id, code=code, name=name, initials=rules.initials_of(name), **facts
        )
    )
    audit.record(session, "clinical.add_drug", entity="drug", entity_id=code)


def add_laboratory_panel(
    session: Session, *, hospital_id: Id, code: str, name: str, **facts: object
) -> None:
    """Put an examination into the laboratory's catalogue; ``facts`` are the other columns."""
    session.add(
        LaboratoryPanel(
            hospital_id=hospital_id, code=code, name=name, initials=rules.initials_of(name), **facts
        )
    )
    audit.record(session, "clinical.add_panel", entity="laboratory_panel", entity_id=code)


def note_reading(session: Session, encounter_id: Id, patient_id: Id) -> None:
    """Remember that somebody opened this encounter's record."""
    audit.record(
        session,
        "clinical.read_encounter",
        entity="encounter",
        entity_id=encounter_id,
        patient_id=patient_id,
    )


def _place(session: Session, encounter: Encounter, order: Order, *, price_item_code: str) -> Order:
    if not 1 <= order.quantity <= rules.MOST_PACKAGES:
        raise InvalidInput(
            _("数量有误"), fields={"quantity": _("请填 1 到 %(n)s", n=rules.MOST_PACKAGES)}
        )
    order.id = new_id()
    order.hospital_id, order.patient_id = encounter.hospital_id, encounter.patient_id
    order.encounter_id, order.ordered_at = encounter.id, now(session)
    order.state = OrderState.ACTIVE
    charge = billing.raise_charge(
        session,
        hospital_id=encounter.hospital_id,
        patient_id=encounter.patient_id,
        price_item_code=price_item_code,
        quantity=order.quantity,
        source_kind=ORDER,
        source_id=order.id,
    )
    session.flush()
    order.charge_id = charge.id
    session.add(order)
    session.flush()
    outbox.publish(
        session,
        events.OrderPlaced(
            encounter.hospital_id, encounter.id, order.id, order.patient_id, order.kind.value
        ),
    )
    _record(session, "place_order", encounter, order_id=order.id, item=order.item_code)
    return order


def _locked(session: Session, encounter_id: Id) -> Encounter:
    encounter = lock_row(session, Encounter, encounter_id)
    if encounter is None or actor(session).hospital_id not in (None, encounter.hospital_id):
        raise EncounterUnknown
    return encounter


def _writable(session: Session, encounter_id: Id) -> Encounter:
    encounter = _locked(session, encounter_id)
    _require_own(session, encounter)
    if encounter.state is not EncounterState.IN_PROGRESS:
        raise EncounterFinished
    return encounter


def _require_own(session: Session, encounter: Encounter) -> None:
    who = actor(session)
    if who.kind is ActorKind.STAFF and who.practitioner_id != encounter.practitioner_id:
        raise NotYourEncounter


def _record(session: Session, act: str, encounter: Encounter, **detail: object) -> None:
    audit.record(
        session,
        f"clinical.{act}",
        entity="encounter",
        entity_id=encounter.id,
        patient_id=encounter.patient_id,
        **detail,
    )

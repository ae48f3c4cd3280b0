"""Reads of clinical: catalogues as doctors type, encounters whole, a patient's past visits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.clinical import rules
from backend.clinical.errors import EncounterUnknown
from backend.clinical.models import (
    Diagnosis,
    Drug,
    Encounter,
    IcdCode,
    LaboratoryPanel,
    Order,
)
from backend.clinical.rules import EncounterState, SearchKind
from backend.clinical.views import CatalogueEntry, DiagnosisView, EncounterView, OrderView
from backend.kernel.db import has_prefix
from backend.kernel.ids import Id
from backend.kernel.uow import today
from backend.organization import queries as organization

LIMIT = 12
HISTORY = 10


def search_icd(session: Session, text: str) -> list[CatalogueEntry]:
    """ICD-10 entries by code, name or initials; one query, twelve at most."""
    condition = _condition(IcdCode, text)
    if condition is None:
        return []
    rows = session.scalars(
        select(IcdCode).where(condition).order_by(*_best_first(IcdCode, text)).limit(LIMIT)
    )
    return [CatalogueEntry(row.code, row.name, row.code) for row in rows]


def search_drugs(session: Session, *, hospital_id: Id, text: str) -> list[CatalogueEntry]:
    """Drugs of the formulary with today's price; two queries."""
    condition = _condition(Drug, text)
    if condition is None:
        return []
    rows = session.scalars(
        select(Drug)
        .where(Drug.hospital_id == hospital_id, condition)
        .order_by(*_best_first(Drug, text))
        .limit(LIMIT)
    ).all()
    prices = bills.get_prices(session, hospital_id, [row.code for row in rows], today(session))
    return [
        CatalogueEntry(
            code=row.code,
            name=row.name,
            detail=f"{row.form} {row.strength}",
            price_fen=prices[row.code].price_fen if row.code in prices else None,
            dose=row.dose,
            route=row.route,
            frequency=row.frequency,
            unit=row.unit,
        )
        for row in rows
    ]


def search_laboratory(session: Session, *, hospital_id: Id, text: str) -> list[CatalogueEntry]:
    """Laboratory examinations with today's price; two queries."""
    condition = _condition(LaboratoryPanel, text)
    if condition is None:
        return []
    rows = session.scalars(
        select(LaboratoryPanel)
        .where(LaboratoryPanel.hospital_id == hospital_id, condition)
        .order_by(*_best_first(LaboratoryPanel, text))
        .limit(LIMIT)
    ).all()
    codes = [row.price_item_code for row in rows]
    prices = bills.get_prices(session, hospital_id, codes, today(session))
    return [
        CatalogueEntry(
            code=row.code,
            name=row.name,
            detail=f"{row.specimen} · {row.container}",
            price_fen=(
                prices[row.price_item_code].price_fen if row.price_item_code in prices else None
            ),
            unit="次",
        )
        for row in rows
    ]


def get_encounter(
    session: Session, encounter_id: Id, *, hospital_id: Id | None = None
) -> EncounterView:
    """The encounter with diagnoses and orders; EncounterUnknown (404), also for another hospital's."""
    row = session.get(Encounter, encounter_id)
    if row is None or hospital_id not in (None, row.hospital_id):
        raise EncounterUnknown
    return _views(session, [row])[0]


def find_encounter_of_ticket(session: Session, ticket_id: Id) -> EncounterView | None:
    """The encounter that a called ticket led to."""
    row = session.scalar(select(Encounter).where(Encounter.ticket_id == ticket_id))
    return _views(session, [row])[0] if row else None


def encounters_of_appointments(
    session: Session, appointment_ids: Iterable[Id]
) -> dict[Id, tuple[EncounterState, Id | None]]:
    """How the visit of each appointment stands and the bill it led to, in one query; the latest counts."""
    rows = session.execute(
        select(Encounter.appointment_id, Encounter.state, Encounter.invoice_id)
        .where(Encounter.appointment_id.in_(set(appointment_ids)))
        .order_by(Encounter.started_at)
    )
    return {row.appointment_id: (row.state, row.invoice_id) for row in rows}


def encounters_of_tickets(session: Session, ticket_ids: Iterable[Id]) -> dict[Id, Id]:
    """ticket → its encounter, for those that led to one; one query."""
    rows = session.execute(
        select(Encounter.ticket_id, Encounter.id).where(Encounter.ticket_id.in_(set(ticket_ids)))
    )
    return {row.ticket_id: row.id for row in rows if row.ticket_id is not None}


def list_unfinished(session: Session, practitioner_id: Id) -> list[EncounterView]:
    """What a practitioner has begun and not finished, the oldest first, at most ten."""
    rows = session.scalars(
        select(Encounter)
        .where(
            Encounter.practitioner_id == practitioner_id,
            Encounter.state == EncounterState.IN_PROGRESS,
        )
        .order_by(Encounter.started_at)
        .limit(HISTORY)
    ).all()
    return _views(session, rows)


def encounter_history(
    session: Session, patient_id: Id, *, but_not: Id | None = None
) -> list[EncounterView]:
    """A patient's last encounters, newest first, at most ten."""
    rows = session.scalars(
        select(Encounter)
        .where(Encounter.patient_id == patient_id, Encounter.id != but_not)
        .order_by(Encounter.started_at.desc())
        .limit(HISTORY)
    ).all()
    return _views(session, rows)


def list_open_encounters(session: Session, patient_id: Id) -> list[EncounterView]:
    """Encounters of a patient that have not been finished."""
    rows = session.scalars(
        select(Encounter).where(
            Encounter.patient_id == patient_id, Encounter.state == EncounterState.IN_PROGRESS
        )
    ).all()
    return _views(session, rows)


def _condition(table: Any, text: str) -> ColumnElement[bool] | None:
    """Code and initials by their beginning; names by any part, because doctors type the organ first or last."""
    kind = rules.search_kind(text)
    text = text.strip()
    if kind is SearchKind.CODE:
        return or_(has_prefix(table.code, text.upper()), has_prefix(table.name, text))
    if kind is SearchKind.NAME:
        found: ColumnElement[bool] = table.name.contains(text, autoescape=True)
        return found
    if kind is SearchKind.INITIALS:
        return or_(has_prefix(table.initials, text.lower()), has_prefix(table.code, text.upper()))
    return None


def _best_first(table: Any, text: str) -> tuple[ColumnElement[Any], ...]:
    """Names that begin with what was typed, then the plainest (shortest) names, then by code."""
    starts = case((has_prefix(table.name, text.strip()), 0), else_=1)
    return starts, func.length(table.name), table.code


def _views(session: Session, rows: Sequence[Encounter]) -> list[EncounterView]:
    if not rows:
        return []
    ids = [row.id for row in rows]
    diagnoses = session.scalars(
        select(Diagnosis)
        .where(Diagnosis.encounter_id.in_(ids))
        .order_by(Diagnosis.added_at, Diagnosis.id)
    ).all()
    orders = session.scalars(
        select(Order).where(Order.encounter_id.in_(ids)).order_by(Order.ordered_at, Order.id)
    ).all()
    lines = bills.lines_by_id(session, [order.charge_id for order in orders])
    doctors = organization.practitioners_by_id(session, [row.practitioner_id for row in rows])
    departments = organization.departments_by_id(session, [row.department_id for row in rows])
    return [
        EncounterView(
            id=row.id,
            hospital_id=row.hospital_id,
            patient_id=row.patient_id,
            appointment_id=row.appointment_id,
            ticket_id=row.ticket_id,
            practitioner_id=row.practitioner_id,
            practitioner_name=doctors[row.practitioner_id].name,
            department_id=row.department_id,
            department_name=departments[row.department_id].name,
            state=row.state,
            started_at=row.started_at,
            finished_at=row.finished_at,
            invoice_id=row.invoice_id,
            complaint=row.complaint,
            history=row.history,
            examination=row.examination,
            version=row.version,
            diagnoses=tuple(
                DiagnosisView(d.id, d.code, d.name, d.is_primary)
                for d in diagnoses
                if d.encounter_id == row.id
            ),
            orders=tuple(
                OrderView(
                    id=o.id,
                    kind=o.kind,
                    state=o.state,
                    item_code=o.item_code,
                    name=o.name,
                    specification=o.specification,
                    unit=o.unit,
                    quantity=o.quantity,
                    dose=o.dose,
                    route=o.route,
                    frequency=o.frequency,
                    amount_fen=lines[o.charge_id].amount_fen,
                    is_billed=lines[o.charge_id].invoice_id is not None,
                )
                for o in orders
                if o.encounter_id == row.id
            ),
        )
        for row in rows
    ]

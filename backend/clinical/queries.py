"""Reads of clinical: catalogues as doctors type, encounters whole, a patient's past visits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from backend.billing import queries as bills
from backend.billing.queries import Charge
from backend.billing.rules import ChargeState
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
from backend.clinical.rules import EncounterState, OrderKind, OrderState, SearchKind
from backend.clinical.views import (
    CatalogueEntry,
    DiagnosisView,
    EncounterInLine,
    EncounterView,
    ExaminationOrder,
    OrderView,
    PastEncounter,
)
from backend.kernel.db import has_prefix
from backend.kernel.ids import Id
from backend.kernel.uow import now, today
from backend.organization.queries import Department, Practitioner
from backend.queueing.queries import Ticket
from backend.scheduling.queries import examinations as schedules
from backend.scheduling.rules import MODALITY_WORDS

LIMIT = 12
#: Orders older than this are not planned any more.
EXAMINATION_ORDERS = dt.timedelta(days=30)
LABORATORY_ORDERS = dt.timedelta(days=3)
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


def search_examinations(session: Session, *, hospital_id: Id, text: str) -> list[CatalogueEntry]:
    """Examinations on devices with today's price; two queries."""
    rows = schedules.search_examination_types(session, hospital_id=hospital_id, text=text)
    codes = [row.price_item_code for row in rows]
    prices = bills.get_prices(session, hospital_id, codes, today(session))
    return [
        CatalogueEntry(
            code=row.code,
            name=row.name,
            detail=str(MODALITY_WORDS[row.modality]),
            price_fen=(
                prices[row.price_item_code].price_fen if row.price_item_code in prices else None
            ),
            unit="次",
        )
        for row in rows
    ]


def list_examination_orders(
    session: Session, *, patient_id: Id, hospital_id: Id
) -> list[ExaminationOrder]:
    """A patient's open orders that a device or a blood-drawing desk carries out, oldest first; one query.

    Examinations of the last 30 days, laboratory orders of the last 3; none that was taken back or refunded.
    """
    at = now(session)
    is_recent = or_(
        and_(Order.kind == OrderKind.EXAMINATION, Order.ordered_at > at - EXAMINATION_ORDERS),
        and_(Order.kind == OrderKind.LABORATORY, Order.ordered_at > at - LABORATORY_ORDERS),
    )
    rows = session.execute(
        select(Order, Charge.state, LaboratoryPanel.price_item_code)
        .join(Charge, Charge.id == Order.charge_id)
        .outerjoin(
            LaboratoryPanel,
            and_(
                Order.kind == OrderKind.LABORATORY,
                LaboratoryPanel.hospital_id == Order.hospital_id,
                LaboratoryPanel.code == Order.item_code,
            ),
        )
        .where(
            Order.patient_id == patient_id,
            Order.hospital_id == hospital_id,
            Order.state == OrderState.ACTIVE,
            Charge.state != ChargeState.CANCELLED,
            # Counted from the moment a refund is asked for: a far end may take days, or fail.
            or_(Charge.amount_fen == 0, Charge.refunded_fen < Charge.amount_fen),
            is_recent,
        )
        .order_by(Order.ordered_at, Order.id)
    )
    return [
        ExaminationOrder(
            id=order.id,
            type_code=panel_code or order.item_code,
            name=order.name,
            is_paid=state is ChargeState.PAID,
            ordered_at=order.ordered_at,
        )
        for order, state, panel_code in rows
    ]


def get_encounter(
    session: Session, encounter_id: Id, *, hospital_id: Id | None = None
) -> EncounterView:
    """The encounter with diagnoses and orders, in two queries; EncounterUnknown (404), also for another hospital's."""
    earlier = aliased(Encounter)
    past_count = (
        select(func.count())
        .where(earlier.patient_id == Encounter.patient_id, earlier.id != Encounter.id)
        .correlate(Encounter)
        .scalar_subquery()
    )
    rows = session.execute(
        _with_names(Encounter, Ticket.number, past_count)
        .outerjoin(Ticket, Ticket.id == Encounter.ticket_id)
        .where(Encounter.id == encounter_id)
    ).all()
    if not rows or hospital_id not in (None, rows[0].Encounter.hospital_id):
        raise EncounterUnknown
    encounter, number, past, practitioner_name, department_name, _diagnosis = rows[0]
    return EncounterView(
        id=encounter.id,
        hospital_id=encounter.hospital_id,
        patient_id=encounter.patient_id,
        appointment_id=encounter.appointment_id,
        ticket_id=encounter.ticket_id,
        ticket_number=number or "",
        practitioner_id=encounter.practitioner_id,
        practitioner_name=practitioner_name,
        department_id=encounter.department_id,
        department_name=department_name,
        state=encounter.state,
        started_at=encounter.started_at,
        finished_at=encounter.finished_at,
        invoice_id=encounter.invoice_id,
        complaint=encounter.complaint,
        history=encounter.history,
        examination=encounter.examination,
        version=encounter.version,
        diagnoses=tuple(
            DiagnosisView(d.id, d.code, d.name, d.is_primary) for *_, d in rows if d is not None
        ),
        orders=_orders(session, encounter_id),
        past_count=past,
    )


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


def encounters_in_line(
    session: Session, practitioner_id: Id, ticket_ids: Iterable[Id]
) -> list[EncounterInLine]:
    """Those that these tickets led to, and what the practitioner has not finished, the oldest first; one query."""
    is_unfinished = and_(
        Encounter.practitioner_id == practitioner_id, Encounter.state == EncounterState.IN_PROGRESS
    )
    rows = session.execute(
        select(Encounter.id, Encounter.ticket_id, Encounter.started_at, is_unfinished)
        .where(or_(Encounter.ticket_id.in_(set(ticket_ids)), is_unfinished))
        .order_by(Encounter.started_at)
    )
    return [EncounterInLine(*row) for row in rows]


def list_past(session: Session, patient_id: Id, *, but_not: Id) -> list[PastEncounter]:
    """A patient's last encounters in short, newest first, at most ten; one query."""
    last = (
        select(Encounter.id)
        .where(Encounter.patient_id == patient_id, Encounter.id != but_not)
        .order_by(Encounter.started_at.desc())
        .limit(HISTORY)
    )
    rows = session.execute(
        _with_names(Encounter.id, Encounter.started_at, Encounter.complaint)
        .where(Encounter.id.in_(last.scalar_subquery()))
        .order_by(None)
        .order_by(Encounter.started_at.desc(), Diagnosis.added_at, Diagnosis.id)
    )
    found: dict[Id, PastEncounter] = {}
    for encounter_id, started_at, complaint, practitioner_name, department_name, diagnosis in rows:
        past = found.setdefault(
            encounter_id, PastEncounter(started_at, practitioner_name, department_name, complaint)
        )
        if diagnosis is not None:
            past.diagnoses.append(diagnosis.name)
    return list(found.values())


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


def _with_names(*columns: Any) -> Select[Any]:
    """``columns`` of encounters, then practitioner's and department's names and a diagnosis (a row each, or None)."""
    return (
        select(*columns, Practitioner.name, Department.name, Diagnosis)
        .select_from(Encounter)
        .join(Practitioner, Practitioner.id == Encounter.practitioner_id)
        .join(Department, Department.id == Encounter.department_id)
        .outerjoin(Diagnosis, Diagnosis.encounter_id == Encounter.id)
        .order_by(Diagnosis.added_at, Diagnosis.id)
    )


def _orders(session: Session, encounter_id: Id) -> tuple[OrderView, ...]:
    rows = session.execute(
        select(Order, Charge.amount_fen, Charge.invoice_id)
        .join(Charge, Charge.id == Order.charge_id)
        .where(Order.encounter_id == encounter_id)
        .order_by(Order.ordered_at, Order.id)
    )
    return tuple(
        OrderView(
            id=order.id,
            kind=order.kind,
            state=order.state,
            item_code=order.item_code,
            name=order.name,
            specification=order.specification,
            unit=order.unit,
            quantity=order.quantity,
            dose=order.dose,
            route=order.route,
            frequency=order.frequency,
            amount_fen=amount_fen,
            is_billed=invoice_id is not None,
        )
        for order, amount_fen, invoice_id in rows
    )

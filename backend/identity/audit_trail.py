"""Reads of the audit log for its viewer: filtered pages, newest first, and the state of the hash chain."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from backend.identity.views import AuditFilter, AuditPage, AuditRow, ChainState
from backend.kernel.audit import AuditEvent
from backend.kernel.ids import Id

PAGE = 50


def list_audit(
    session: Session, wanted: AuditFilter, *, hospital_id: Id | None, most: int = PAGE
) -> AuditPage:
    """One page of what ``wanted`` asks for: rows of the hospital and of the program itself, in one query.

    Pages continue behind the last row's (time, id), so that rows written meanwhile neither shift nor repeat any.
    """
    statement = _filtered(wanted)
    if hospital_id is not None:
        of_program = AuditEvent.hospital_id.is_(None)
        statement = statement.where(or_(AuditEvent.hospital_id == hospital_id, of_program))
    rows = session.scalars(
        statement.order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(most + 1)
    ).all()
    shown = rows[:most]
    older = write_cursor(shown[-1].at, shown[-1].id) if len(rows) > most else ""
    return AuditPage(tuple(_row(event) for event in shown), older)


def _filtered(wanted: AuditFilter) -> Select[AuditEvent]:
    event = AuditEvent
    statement = select(event)
    if wanted.begin is not None:
        statement = statement.where(event.at >= wanted.begin)
    if wanted.end is not None:
        statement = statement.where(event.at < wanted.end)
    if wanted.actor:
        statement = statement.where(event.actor_label == wanted.actor)
    if wanted.action:
        statement = statement.where(event.action.startswith(wanted.action, autoescape=True))
    if wanted.patient_id is not None:
        statement = statement.where(event.patient_id == wanted.patient_id)
    if wanted.entity:
        statement = statement.where(event.entity == wanted.entity)
    if wanted.entity_id:
        statement = statement.where(event.entity_id == wanted.entity_id)
    if wanted.request_id:
        statement = statement.where(event.request_id == wanted.request_id)
    if wanted.before is not None:
        at, number = wanted.before
        earlier = or_(event.at < at, and_(event.at == at, event.id < number))
        statement = statement.where(event.at <= at, earlier)
    return statement


def _row(event: AuditEvent) -> AuditRow:
    return AuditRow(
        id=event.id,
        at=event.at,
        actor_kind=event.actor_kind,
        actor_label=event.actor_label,
        action=event.action,
        entity=event.entity,
        entity_id=event.entity_id,
        patient_id=event.patient_id,
        detail=event.detail,
        request_id=event.request_id,
        seal_no=event.seal_no,
        seal_head=event.seal_hash.hex() if event.seal_hash else "",
    )


def get_chain_state(session: Session) -> ChainState:
    """How far the chain reaches and what still waits for its seal, in one query over the index of seal numbers."""
    event = AuditEvent
    last = select(func.max(event.seal_no)).scalar_subquery()
    waiting = event.seal_no.is_(None)
    row = session.execute(
        select(
            select(event.seal_no).where(event.seal_no == last).scalar_subquery(),
            select(event.seal_hash).where(event.seal_no == last).scalar_subquery(),
            select(func.count()).select_from(event).where(waiting).scalar_subquery(),
            select(event.at).where(waiting).order_by(event.id).limit(1).scalar_subquery(),
        )
    ).one()
    sealed, head, unsealed, oldest = row
    return ChainState(sealed or 0, head.hex() if head else "", unsealed, oldest)


def write_cursor(at: dt.datetime, number: int) -> str:
    """The place behind which the next page begins, for an address."""
    return f"{at.isoformat()}_{number}"


def read_cursor(text: str) -> tuple[dt.datetime, int] | None:
    """The place written by ``write_cursor``; None for anything else."""
    moment, _, number = text.partition("_")
    try:
        at = dt.datetime.fromisoformat(moment)
    except ValueError:
        return None
    is_sound = at.tzinfo is not None and number.isascii() and number.isdigit()
    return (at, int(number)) if is_sound and len(number) < 19 else None

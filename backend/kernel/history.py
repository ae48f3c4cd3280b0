"""What happened to one row that people edit: written with each change, read back on the row's own page.

It stands in the audit log, which can only grow. A change names the fields with their old and new words, and the
version it made, so that whoever comes with a stale form can be told what the other changed. Personal data is masked by
the domain before it comes here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.audit import AuditEvent
from backend.kernel.ids import Id
from backend.kernel.uow import context

Changes = Mapping[str, tuple[str, str]]
MOST = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: when, by whom (a staff code or a program), what, and each field's old and new words."""

    at: dt.datetime
    actor: str
    action: str
    changes: Changes
    detail: Mapping[str, Any]


def changes_between(before: Mapping[str, object], after: Mapping[str, object]) -> Changes:
    """The fields of ``after`` that differ from ``before``, old and new, as text."""
    return {
        name: (_text(before.get(name)), _text(value))
        for name, value in after.items()
        if _text(before.get(name)) != _text(value)
    }


def record(
    session: Session,
    action: str,
    *,
    entity: str,
    entity_id: Id,
    version: int,
    changes: Changes,
    **detail: object,
) -> None:
    """Write the audit row of a change that made ``version`` of the row."""
    audit.record(
        session,
        action,
        entity=entity,
        entity_id=entity_id,
        version=version,
        changes={name: list(pair) for name, pair in changes.items()},
        **detail,  # type: ignore[arg-type]  # keywords of the audit row's detail
    )


def list_entries(
    session: Session,
    entity: str,
    entity_id: Id,
    *,
    most: int = MOST,
    actions: Collection[str] = (),
) -> list[Entry]:
    """What happened to the row, the latest first, in this hospital; only ``actions`` where some are named."""
    statement = (
        select(AuditEvent)
        .where(AuditEvent.entity == entity, AuditEvent.entity_id == str(entity_id))
        .order_by(AuditEvent.id.desc())
        .limit(most)
    )
    if actions:
        statement = statement.where(AuditEvent.action.in_(actions))
    hospital_id = context(session).actor.hospital_id
    if hospital_id is not None:
        statement = statement.where(
            (AuditEvent.hospital_id == hospital_id) | AuditEvent.hospital_id.is_(None)
        )
    return [_entry(row) for row in session.scalars(statement)]


def list_since(session: Session, entity: str, entity_id: Id, version: int) -> list[Entry]:
    """What others changed after ``version``, the latest first; for the answer to a stale form."""
    entries = list_entries(session, entity, entity_id)
    return [entry for entry in entries if entry.detail.get("version", 0) > version]


def _entry(row: AuditEvent) -> Entry:
    detail = dict(row.detail)
    changes = {
        name: (str(pair[0]), str(pair[1])) for name, pair in detail.pop("changes", {}).items()
    }
    return Entry(row.at, row.actor_label, row.action, changes, detail)


def _text(value: object) -> str:
    return "" if value is None else str(value)

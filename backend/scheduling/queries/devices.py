"""Reads of examination devices that the stop-clinic wizard needs: their names, and others of a kind."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.scheduling import rules
from backend.scheduling.models import Device, Schedule
from backend.scheduling.queries.examinations import DESK
from backend.scheduling.queries.sessions import schedule_views
from backend.scheduling.rules import ScheduleStatus, StopScope
from backend.scheduling.views import ScheduleView


def device_names(session: Session, ids: Collection[Id]) -> dict[Id, str]:
    """What these devices are called; one query, none without ids."""
    if not ids:
        return {}
    rows = session.execute(select(Device.id, Device.name).where(Device.id.in_(ids)))
    return {row.id: row.name for row in rows}


def list_devices(session: Session, *, hospital_id: Id, department_id: Id) -> dict[Id, str]:
    """The devices of a department by code, with what they are; one query."""
    rows = session.scalars(
        select(Device)
        .where(Device.hospital_id == hospital_id, Device.department_id == department_id)
        .order_by(Device.code)
    )
    return {row.id: f"{row.name} {rules.MODALITY_WORDS[row.modality]}" for row in rows}


def sessions_of_the_kind(session: Session, scope: StopScope) -> list[ScheduleView]:
    """Where the examinations of a stopped device could go: sessions of others of its kind with room; two queries."""
    stopped = session.get_one(Device, scope.device_id)
    others = select(Device.id).where(
        Device.hospital_id == stopped.hospital_id,
        Device.modality == stopped.modality,
        Device.id != stopped.id,
        Device.is_active,
    )
    views = schedule_views(
        session,
        Schedule.device_id.in_(others),
        Schedule.status == ScheduleStatus.OPEN,
        Schedule.business_date.between(scope.first, scope.last),
        channel=DESK,
    )
    return [view for view in views if view.free_count]

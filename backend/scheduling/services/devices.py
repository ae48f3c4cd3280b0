"""Examination equipment: adding a device, whose calendar then comes from template entries like a practitioner's."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.ids import Id, new_id
from backend.scheduling.models import Device
from backend.scheduling.rules import Modality


def add_device(
    session: Session,
    *,
    hospital_id: Id,
    code: str,
    name: str,
    modality: Modality | str,
    department_id: Id,
    location_id: Id,
) -> Device:
    """Add a device of ``modality`` at a place; nothing can be booked on it before it has a template."""
    device = Device(
        id=new_id(),
        hospital_id=hospital_id,
        code=code,
        name=name,
        modality=Modality(modality),
        department_id=department_id,
        location_id=location_id,
    )
    session.add(device)
    audit.record(
        session, "scheduling.add_device", entity="device", entity_id=device.id, code=device.code
    )
    return device

"""The demo's examination devices with their weeks, and what booking needs to know of each examination."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.orm import Session

from backend.clinical import service as clinical
from backend.demo import dataset
from backend.demo.records import ExaminationRow
from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.scheduling import service as scheduling
from backend.scheduling.rules import Modality, VisitType
from backend.scheduling.rules.examinations import Contrast, Examination, Tracer

#: The flags of the file, and the facts they set.
FLAGS = {
    "abdominal": "is_abdominal",
    "barium": "has_barium",
    "bowel_cleansing": "has_bowel_cleansing",
    "dry": "is_dry",
    "full_bladder": "full_bladder",
    "iodine_sensitive": "is_iodine_sensitive",
    "renal": "gives_renal_function",
    "sedation": "has_sedation",
}


def load_examinations(session: Session, hospital_id: Id) -> None:
    """Put every examination into the catalogue, under the name and code of its price item."""
    names = {item.code: item.name for item in dataset.load().price_items}
    for row in dataset.load().examinations:
        clinical.add_examination(
            session,
            hospital_id=hospital_id,
            examination=examination_of(row, names[row.code]),
            price_item_code=row.code,
        )


def examination_of(row: ExaminationRow, name: str) -> Examination:
    """The examination one row of the file describes."""
    return Examination(
        code=row.code,
        name=name,
        modality=Modality(row.modality),
        minutes=row.minutes,
        fasting_hours=row.fasting_hours,
        contrast=Contrast(row.contrast) if row.contrast else None,
        tracer=Tracer(row.tracer) if row.tracer else None,
        joint_group=row.joint_group,
        joint_minutes=row.joint_minutes,
        instruction=row.instruction,
        **{FLAGS[flag]: True for flag in row.flags},
    )


def load_devices(
    session: Session,
    hospital_id: Id,
    departments: Mapping[str, Id],
    locations: Mapping[str, Id],
    *,
    from_day: dt.date,
) -> None:
    """Add the devices and their weekly sessions, which hold from ``from_day`` on."""
    for row in dataset.load().imaging_devices:
        device = scheduling.add_device(
            session,
            hospital_id=hospital_id,
            code=row.code,
            name=row.name,
            modality=row.modality,
            department_id=departments[row.department_code],
            location_id=locations[row.location_code],
        )
        session.flush()
        sessions = (
            (HalfDay.AM, row.am_capacity, row.starts_minute),
            (HalfDay.PM, row.pm_capacity, None),
        )
        for weekday in map(int, row.weekdays):
            for half_day, capacity, starts_minute in sessions:
                if capacity:
                    scheduling.add_template_entry(
                        session,
                        hospital_id=hospital_id,
                        device_id=device.id,
                        department_id=device.department_id,
                        location_id=device.location_id,
                        weekday=weekday,
                        half_day=half_day,
                        visit_type=VisitType.EXAMINATION,
                        price_item_code="",
                        fee_fen=0,
                        capacity=capacity,
                        slot_minutes=row.slot_minutes,
                        starts_minute=starts_minute,
                        effective_from=from_day,
                    )

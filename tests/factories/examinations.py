"""Examinations, places and planning problems for tests: plain values."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from backend.kernel.clock import at_local, business_date
from backend.scheduling.rules.examinations import Contrast, Examination, Ordered, Tracer, Visit
from backend.scheduling.rules.planning import Availability, Fixed, Option, Problem, usable
from backend.scheduling.rules.safety import PatientFacts
from backend.scheduling.rules.states import Modality

MONDAY = dt.date(2026, 11, 23)
NOW = at_local(MONDAY, dt.time(6, 0))
#: Somebody whom nothing forbids anything.
FIT = PatientFacts(
    age=45,
    sex=1,
    has_pacemaker=False,
    has_metal=False,
    has_iodinated_allergy=False,
    has_gadolinium_allergy=False,
    has_kidney_risk=False,
    egfr=95,
    is_pregnant=False,
    has_obstruction=False,
)

CT = Examination("CT", "胸部CT平扫", Modality.CT, 15, joint_group="ct", joint_minutes=10)
CT_C = Examination(
    "CT-C", "腹部CT增强", Modality.CT, 30, fasting_hours=4, contrast=Contrast.IODINATED,
    is_abdominal=True, joint_group="ct-c", joint_minutes=10,
)  # fmt: skip
MR = Examination("MR", "头颅磁共振平扫", Modality.MR, 30)
MR_C = Examination("MR-C", "肝脏磁共振增强", Modality.MR, 30, fasting_hours=4,
                   contrast=Contrast.GADOLINIUM, is_abdominal=True)  # fmt: skip
US_ABD = Examination(
    "US-ABD", "腹部超声", Modality.ULTRASOUND, 15, fasting_hours=8, is_abdominal=True
)
US_URO = Examination("US-URO", "泌尿系超声", Modality.ULTRASOUND, 15, full_bladder=True)
GASTRO = Examination(
    "GASTRO",
    "电子胃镜检查",
    Modality.ENDOSCOPY,
    30,
    fasting_hours=8,
    is_dry=True,
    is_abdominal=True,
)
COLON = Examination("COLON", "无痛肠镜检查", Modality.ENDOSCOPY, 30, fasting_hours=8, is_dry=True, is_abdominal=True,
                    has_sedation=True, has_bowel_cleansing=True)  # fmt: skip
BARIUM = Examination("BARIUM", "上消化道钡餐造影", Modality.RADIOGRAPHY, 30, fasting_hours=8, is_dry=True,
                     has_barium=True, is_abdominal=True)  # fmt: skip
BONE = Examination("BONE", "全身骨显像", Modality.NUCLEAR, 30, tracer=Tracer.TECHNETIUM)
THYROID = Examination("THYROID", "甲状腺静态显像", Modality.NUCLEAR, 30, tracer=Tracer.TECHNETIUM,
                      is_iodine_sensitive=True)  # fmt: skip
BLOOD = Examination(
    "BLOOD", "肝功能十二项", Modality.LABORATORY, 5, fasting_hours=8, joint_group="blood"
)
RENAL = Examination("RENAL", "肾功能四项", Modality.LABORATORY, 5, fasting_hours=8, joint_group="blood",
                    gives_renal_function=True)  # fmt: skip
EVERYTHING = (
    CT,
    CT_C,
    MR,
    MR_C,
    US_ABD,
    US_URO,
    GASTRO,
    COLON,
    BARIUM,
    BONE,
    THYROID,
    BLOOD,
    RENAL,
)


def visit_of(*examinations: Examination, key: str = "") -> Visit:
    """One visit for all of them."""
    orders = [Ordered(key or e.code, e) for e in examinations]
    return Visit(orders[0].order_id, tuple(orders))


def option(
    day: int, hour: int, minute: int = 0, *, minutes: int = 30, building: str = "医技楼"
) -> Option:
    """A place ``day`` days after Monday."""
    begin = at_local(MONDAY + dt.timedelta(days=day), dt.time(hour, minute))
    name = f"{building}{day}{hour}{minute}"
    return Option(
        uuid.uuid5(uuid.NAMESPACE_OID, building),
        building,
        begin,
        begin + dt.timedelta(minutes=minutes),
        (uuid.uuid5(uuid.NAMESPACE_OID, name),),
    )


def problem_of(
    visits: Iterable[Visit],
    options: dict[str, list[Option]],
    *,
    fixed: tuple[Fixed, ...] = (),
    patient: PatientFacts = FIT,
    now: dt.datetime = NOW,
    availability: Availability | None = None,
) -> Problem:
    """The problem of these visits, their options filtered as the service does."""
    visits = tuple(visits)
    first = business_date(now)
    free = availability or Availability(first, first + dt.timedelta(days=14))
    kept = {
        visit.key: usable(
            visit, options[visit.key], availability=free, fixed=fixed, patient=patient, now=now
        )
        for visit in visits
    }
    return Problem(visits, kept, fixed, patient, now)

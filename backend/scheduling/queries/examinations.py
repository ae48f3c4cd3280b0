"""Reads of examinations: the catalogue, answers of safety, what is booked, and the problem a planner solves."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.kernel.clock import day_bounds
from backend.kernel.db import has_prefix
from backend.kernel.ids import Id
from backend.kernel.uow import now, today
from backend.organization import queries as organization
from backend.scheduling import rules
from backend.scheduling.models import (
    Appointment,
    BookedExamination,
    Device,
    ExaminationItem,
    ExaminationScreening,
    ExaminationType,
    Schedule,
    Slot,
    claimable,
)
from backend.scheduling.queries.policies import policy_for
from backend.scheduling.queries.sessions import departments_with_devices
from backend.scheduling.rules import ACTIVE, Channel, Modality, ScheduleStatus, VisitType
from backend.scheduling.rules.examinations import (
    Examination,
    ExaminationState,
    Ordered,
    Visit,
    group_visits,
)
from backend.scheduling.rules.planning import (
    Availability,
    Fixed,
    Option,
    Problem,
    consecutive_runs,
    split_refused,
    usable,
)
from backend.scheduling.rules.safety import SCREENING_DAYS, PatientFacts, Refusal
from backend.scheduling.views import BookedExaminationView, DeviceView

LIMIT = 12
#: Examinations are planned with the patient at a desk.
DESK = Channel.COUNTER
#: What was done so long ago matters to nothing any more (the longest interval is two months).
HISTORY = dt.timedelta(days=62)
ANSWERS = (
    "has_pacemaker",
    "has_metal",
    "has_iodinated_allergy",
    "has_gadolinium_allergy",
    "has_kidney_risk",
    "egfr",
    "is_pregnant",
    "has_obstruction",
)


def examination_of(row: ExaminationType) -> Examination:
    """The catalogue's row as the rules see it."""
    return Examination(
        code=row.code,
        name=row.name,
        modality=row.modality,
        minutes=row.minutes,
        fasting_hours=row.fasting_hours,
        is_dry=row.is_dry,
        full_bladder=row.full_bladder,
        contrast=row.contrast,
        has_barium=row.has_barium,
        tracer=row.tracer,
        has_sedation=row.has_sedation,
        has_bowel_cleansing=row.has_bowel_cleansing,
        is_abdominal=row.is_abdominal,
        is_iodine_sensitive=row.is_iodine_sensitive,
        gives_renal_function=row.gives_renal_function,
        joint_group=row.joint_group,
        joint_minutes=row.joint_minutes,
        instruction=row.instruction,
    )


def examinations_by_code(
    session: Session, *, hospital_id: Id, codes: Iterable[str]
) -> dict[str, Examination]:
    """Those of ``codes`` that are in the catalogue, in one query."""
    rows = session.scalars(
        select(ExaminationType).where(
            ExaminationType.hospital_id == hospital_id, ExaminationType.code.in_(set(codes))
        )
    )
    return {row.code: examination_of(row) for row in rows}


def find_examination_type(
    session: Session, *, hospital_id: Id, code: str
) -> ExaminationType | None:
    """One entry of the catalogue; None when there is none."""
    return session.scalar(
        select(ExaminationType).where(
            ExaminationType.hospital_id == hospital_id, ExaminationType.code == code
        )
    )


def search_examination_types(
    session: Session, *, hospital_id: Id, text: str
) -> Sequence[ExaminationType]:
    """Orderable examinations (not what the laboratory draws) by code, words in the name or initials; one query."""
    wanted = text.strip()
    if not wanted:
        return []
    return session.scalars(
        select(ExaminationType)
        .where(
            ExaminationType.hospital_id == hospital_id,
            ExaminationType.modality != Modality.LABORATORY,
            or_(
                ExaminationType.name.contains(wanted, autoescape=True),
                has_prefix(ExaminationType.initials, wanted.lower()),
                has_prefix(ExaminationType.code, wanted.upper()),
            ),
        )
        .order_by(ExaminationType.name)
        .limit(LIMIT)
    ).all()


def get_screening(session: Session, patient_id: Id) -> dict[str, bool | int | None]:
    """The patient's newest answers by field, at most 30 days old; empty when nobody asked. One query."""
    row = session.scalars(
        select(ExaminationScreening)
        .where(
            ExaminationScreening.patient_id == patient_id,
            ExaminationScreening.answered_at > now(session) - dt.timedelta(days=SCREENING_DAYS),
        )
        .order_by(ExaminationScreening.answered_at.desc(), ExaminationScreening.id.desc())
        .limit(1)
    ).first()
    return {name: getattr(row, name) for name in ANSWERS} if row is not None else {}


def list_booked_examinations(
    session: Session,
    *,
    patient_id: Id,
    hospital_id: Id,
    first: dt.datetime | None = None,
    devices: Mapping[Id, DeviceView] | None = None,
) -> list[BookedExaminationView]:
    """A patient's booked examinations from ``first`` (today) on, by time; five queries at most.

    ``devices``: those of the hospital, where the caller has read them already.
    """
    since = first if first is not None else day_bounds(today(session))[0]
    rows = session.scalars(
        select(BookedExamination)
        .where(
            BookedExamination.patient_id == patient_id,
            BookedExamination.hospital_id == hospital_id,
            BookedExamination.state == ExaminationState.BOOKED,
            BookedExamination.starts_at >= since,
        )
        .order_by(BookedExamination.starts_at)
    ).all()
    if not rows:
        return []
    items: dict[Id, list[ExaminationItem]] = defaultdict(list)
    for item in session.scalars(
        select(ExaminationItem)
        .where(
            ExaminationItem.examination_id.in_([row.id for row in rows]), ExaminationItem.is_active
        )
        .order_by(ExaminationItem.id)
    ):
        items[item.examination_id].append(item)
    types = examinations_by_code(
        session,
        hospital_id=hospital_id,
        codes={i.type_code for found in items.values() for i in found},
    )
    known = devices_by_id(session, hospital_id=hospital_id) if devices is None else devices
    return [
        BookedExaminationView(
            id=row.id,
            device=known[row.device_id],
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            ordered=tuple(
                Ordered(str(item.order_id), types[item.type_code])
                for item in items[row.id]
                if item.type_code in types
            ),
        )
        for row in rows
    ]


def devices_by_id(session: Session, *, hospital_id: Id) -> dict[Id, DeviceView]:
    """The hospital's devices with where they are; three queries."""
    paths = organization.location_path_names(session, hospital_id=hospital_id)
    buildings = _buildings(session, hospital_id)
    return {
        row.id: DeviceView(
            id=row.id,
            name=row.name,
            modality=row.modality,
            place=paths.get(row.location_id, ""),
            building=buildings[row.location_id],
            is_active=row.is_active,
        )
        for row in session.scalars(
            select(Device).where(Device.hospital_id == hospital_id).order_by(Device.code)
        )
    }


def _buildings(session: Session, hospital_id: Id) -> dict[Id, str]:
    """In which building each place is (where there is none: its topmost place), by name; one query."""
    places = {p.id: p for p in organization.list_locations(session, hospital_id=hospital_id)}
    found = {}
    for place in places.values():
        at = place
        while at.kind is not organization.LocationKind.BUILDING and at.parent_id:
            at = places[at.parent_id]
        found[place.id] = at.name
    return found


def last_plannable_day(session: Session, *, hospital_id: Id) -> dt.date:
    """The furthest day on which some examination of the hospital may be booked now, by the policies of examinations."""
    departments = departments_with_devices(session, hospital_id=hospital_id)
    policies = _policies(session, hospital_id, departments).values()
    days = [rules.last_bookable_day(now(session), policy) for policy in policies]
    return max(days, default=today(session))


def _policies(
    session: Session, hospital_id: Id, departments: Iterable[Id]
) -> dict[Id, rules.BookingPolicy]:
    """The policy of examinations in each of these departments."""
    return {
        department_id: policy_for(
            session,
            hospital_id=hospital_id,
            department_id=department_id,
            visit_type=VisitType.EXAMINATION,
        )
        for department_id in departments
    }


def free_slots(
    session: Session,
    *,
    hospital_id: Id,
    modalities: Iterable[Modality],
    first: dt.date,
    last: dt.date,
) -> dict[Id, list[tuple[Id, dt.datetime, dt.datetime]]]:
    """The places of the active devices of these kinds that a desk may book now, by device and time."""
    at = now(session)
    rows = session.execute(
        select(
            Schedule.device_id,
            Schedule.department_id,
            Schedule.business_date,
            Slot.id,
            Slot.starts_at,
            Slot.ends_at,
        )
        .join(Slot, Slot.schedule_id == Schedule.id)
        .join(Device, Device.id == Schedule.device_id)
        .where(
            Schedule.hospital_id == hospital_id,
            Schedule.business_date.between(first, last),
            Schedule.status == ScheduleStatus.OPEN,
            Device.is_active,
            Device.modality.in_(set(modalities)),
            claimable(at, DESK),
        )
        .order_by(Device.code, Slot.starts_at)
    ).all()
    policies = _policies(session, hospital_id, {row.department_id for row in rows})
    found: dict[Id, list[tuple[Id, dt.datetime, dt.datetime]]] = defaultdict(list)
    for device_id, department_id, day, slot_id, starts_at, ends_at in rows:
        if device_id is not None and rules.is_day_open(day, DESK, at, policies[department_id]):
            found[device_id].append((slot_id, starts_at, ends_at))
    return found


def build_problem(
    session: Session,
    *,
    hospital_id: Id,
    patient_id: Id,
    patient: PatientFacts,
    ordered: Iterable[Ordered],
    availability: Availability,
    devices: Mapping[Id, DeviceView],
    booked: Sequence[BookedExaminationView],
) -> tuple[Problem, dict[str, Refusal]]:
    """What the planner solves for a patient's open orders, and why some orders are not planned; some ten queries.

    Everything that stands already counts: visits to doctors to come, and ``booked``, the examinations of the last two
    months (``HISTORY``) and to come, without the one that is to be moved.
    """
    visits, refused = split_refused(group_visits(ordered), patient)
    fixed = _fixed(session, hospital_id, patient_id, booked)
    slots = free_slots(
        session,
        hospital_id=hospital_id,
        modalities={visit.modality for visit in visits},
        first=availability.first,
        last=availability.last,
    )
    options = {
        visit.key: usable(
            visit,
            _options(visit, slots, devices),
            availability=availability,
            fixed=fixed,
            patient=patient,
            now=now(session),
        )
        for visit in visits
    }
    return Problem(tuple(visits), options, fixed, patient, now(session)), refused


def _options(
    visit: Visit,
    slots: Mapping[Id, list[tuple[Id, dt.datetime, dt.datetime]]],
    devices: Mapping[Id, DeviceView],
) -> list[Option]:
    return [
        Option(device_id, devices[device_id].building, begin, end, ids)
        for device_id, free in slots.items()
        if devices[device_id].modality is visit.modality
        for begin, end, ids in consecutive_runs(free, visit.minutes)
    ]


def _fixed(
    session: Session,
    hospital_id: Id,
    patient_id: Id,
    booked: Sequence[BookedExaminationView],
) -> tuple[Fixed, ...]:
    found = [
        Fixed(
            tuple(one.examination for one in view.ordered),
            view.device.building,
            view.starts_at,
            view.ends_at,
            view.name,
        )
        for view in booked
    ]
    visits = session.scalars(
        select(Appointment).where(
            Appointment.patient_id == patient_id,
            Appointment.device_id.is_(None),
            Appointment.business_date >= today(session),
            Appointment.state.in_(ACTIVE),
        )
    ).all()
    if visits:
        buildings = _buildings(session, hospital_id)
        # A visit in another hospital of the group is in none of these buildings.
        found += [
            Fixed((), buildings.get(v.location_id, ""), v.starts_at, v.ends_at) for v in visits
        ]
    return tuple(sorted(found, key=lambda one: one.starts_at))

"""Loads the demo hospital into an empty database, through the same services the hospital works with.

One transaction: a load that is cut leaves nothing. The clock of the unit of work travels, so that thirty days of
visits are booked, paid, seen and finished, and the coming days booked, in the order in which it would have happened.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from backend.billing import service as billing
from backend.billing.rules import PriceCategory
from backend.clinical import service as clinical
from backend.demo import dataset, imaging, people
from backend.demo.ahead import ahead
from backend.demo.dataset import DEMO_PASSWORD, VISIT_FEES
from backend.demo.history import history
from backend.demo.people import PersonSpec
from backend.devices import service as devices
from backend.identity import service as identity
from backend.identity.passwords import hash_password
from backend.identity.rules import Role
from backend.kernel.clock import at_local
from backend.kernel.ids import Id
from backend.kernel.permissions import system_actor
from backend.kernel.uow import Database, context, write_rest
from backend.organization import queries as organization_queries
from backend.organization import service as organization
from backend.organization.queries import DepartmentKind, LocationKind
from backend.patients import service as patients
from backend.queueing import service as queueing
from backend.scheduling import service as scheduling

HISTORY_DAYS = 31
AHEAD_DAYS = 14
SEX = {"M": 1, "F": 2}
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Loaded:
    """Ids by the codes of the data set."""

    hospital_id: Id
    locations: dict[str, Id] = field(default_factory=dict)
    departments: dict[str, Id] = field(default_factory=dict)
    staff: dict[str, Id] = field(default_factory=dict)
    department_of_staff: dict[str, str] = field(default_factory=dict)
    patients: dict[str, Id] = field(default_factory=dict)


def is_loaded(database: Database) -> bool:
    """True when the demo hospital is there."""
    with database.read() as session:
        return find_hospital_id(session) is not None


def find_hospital_id(session: Session) -> Id | None:
    """The demo hospital's id; None when it was never loaded."""
    code = next(row.code for row in dataset.load().hospitals if row.kind == "main")
    found = [h for h in organization_queries.list_hospitals(session) if h.code == code]
    return found[0].id if found else None


def load(database: Database, day: dt.date, progress: Progress, *, count: int = 2000) -> None:
    """Load everything as of ``day``, with ``count`` patients; does nothing when it is there."""
    from backend.demo import history_loader

    if is_loaded(database):
        return
    quiet = database.without_subscribers()
    with _no_garbage_collection(), quiet.write(system_actor("xinglin-demo")) as session:
        travel(session, at_local(day - dt.timedelta(days=HISTORY_DAYS + 13), dt.time(6)))
        loaded = _load_organization(session)
        progress("院区、科室、员工 organization", 1, 1)
        _load_catalogues(session, loaded, day)
        _load_schedules(session, loaded, day)
        progress("价格、药品、排班 catalogues and schedules", 1, 1)
        _load_patients(session, loaded, people.patients(day, count), progress)
        write_rest(session)
        session.expunge_all()
        history_loader.load_history(
            session, loaded, history(day, count), ahead(day, count), progress
        )


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Hundreds of thousands of rows live briefly; looking for cycles among them takes a fifth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def travel(session: Session, moment: dt.datetime) -> None:
    """Let the unit of work stand at ``moment``; only the demo's past is written this way."""
    context(session).moment = moment


def _load_organization(session: Session) -> Loaded:
    data = dataset.load()
    rows = [
        organization.add_hospital(session, code=row.code, name=row.name)
        for row in sorted(data.hospitals, key=lambda row: row.kind != "main")
    ]
    loaded = Loaded(rows[0].id)
    for place in data.locations:
        loaded.locations[place.code] = organization.add_location(
            session,
            hospital_id=loaded.hospital_id,
            code=place.code,
            name=place.name,
            kind=LocationKind(place.kind),
            parent_id=loaded.locations.get(place.parent_code),
        ).id
        session.flush()
    for row in data.departments:
        loaded.departments[row.code] = organization.add_department(
            session,
            hospital_id=loaded.hospital_id,
            code=row.code,
            name=row.name,
            kind=DepartmentKind(row.kind),
            location_id=loaded.locations.get(row.location_code),
        ).id
    session.flush()
    for person in data.staff:
        loaded.department_of_staff[person.code] = person.department_code
        loaded.staff[person.code] = organization.add_practitioner(
            session,
            hospital_id=loaded.hospital_id,
            code=person.code,
            name=person.name,
            sex=SEX[person.sex],
            title=person.title,
            department_id=loaded.departments[person.department_code],
            specialty=person.specialty,
        ).id
    session.flush()
    password = hash_password(DEMO_PASSWORD)
    for account in data.accounts:
        identity.create_account(
            session,
            hospital_id=loaded.hospital_id,
            username=account.username,
            password=password,
            practitioner_id=loaded.staff[account.staff_code],
            roles=[Role(account.role)],
            is_demo=True,
        )
    _load_queues_and_kiosks(session, loaded)
    return loaded


def _load_queues_and_kiosks(session: Session, loaded: Loaded) -> None:
    data = dataset.load()
    halls = {row.code: row.location_code for row in data.halls}
    for row in data.queues:
        queueing.add_queue(
            session,
            hospital_id=loaded.hospital_id,
            code=row.code,
            name=row.name,
            prefix=row.prefix,
            department_id=loaded.departments[row.department_code],
            hall_location_id=loaded.locations[halls[row.hall_code]],
            room_ids=[
                loaded.locations[room.location_code]
                for room in data.queue_rooms
                if room.queue_code == row.code
            ],
        )
    for kiosk in data.kiosks:
        devices.add_kiosk(
            session,
            hospital_id=loaded.hospital_id,
            code=kiosk.code,
            name=kiosk.name,
            location_id=loaded.locations[kiosk.location_code],
        )
    session.flush()


def _load_catalogues(session: Session, loaded: Loaded, day: dt.date) -> None:
    data = dataset.load()
    for item in data.sellable_items:
        billing.set_price(
            session,
            hospital_id=loaded.hospital_id,
            code=item.code,
            name=item.name,
            unit=item.unit,
            category=PriceCategory(item.category),
            price_fen=item.price_fen,
            effective_from=dt.date(day.year - 1, 1, 1),
        )
    for diagnosis in data.icd10:
        clinical.add_icd_code(session, code=diagnosis.code, name=diagnosis.name)
    for drug in data.drugs:
        clinical.add_drug(
            session,
            hospital_id=loaded.hospital_id,
            code=drug.code,
            name=drug.name,
            form=drug.form,
            strength=drug.strength,
            unit=drug.package_unit,
            route=drug.route,
            dose=drug.dose,
            frequency=drug.frequency,
            is_cytotoxic=drug.is_cytotoxic,
        )
    for panel in data.laboratory:
        clinical.add_laboratory_panel(
            session,
            hospital_id=loaded.hospital_id,
            code=panel.code,
            name=panel.name,
            price_item_code=panel.price_item_code,
            specimen=panel.specimen,
            container=panel.container,
            turnaround_minutes=panel.turnaround_minutes,
        )
    imaging.load_examinations(session, loaded.hospital_id)
    session.flush()


def _load_schedules(session: Session, loaded: Loaded, day: dt.date) -> None:
    data = dataset.load()
    fees = {item.code: item.price_fen for item in data.price_items}
    first = day - dt.timedelta(days=HISTORY_DAYS)
    for entry in data.templates:
        code = VISIT_FEES[entry.visit_type]
        scheduling.add_template_entry(
            session,
            hospital_id=loaded.hospital_id,
            practitioner_id=loaded.staff[entry.staff_code],
            department_id=loaded.departments[loaded.department_of_staff[entry.staff_code]],
            location_id=loaded.locations[entry.room_code],
            weekday=entry.weekday,
            half_day=entry.half_day,
            visit_type=entry.visit_type,
            price_item_code=code,
            fee_fen=fees[code],
            capacity=entry.capacity,
            slot_minutes=entry.slot_minutes,
            effective_from=first,
            starts_minute=entry.starts_minute,
        )
    session.flush()
    imaging.load_devices(
        session, loaded.hospital_id, loaded.departments, loaded.locations, from_day=day
    )
    session.flush()
    last = day + dt.timedelta(days=AHEAD_DAYS)
    while first <= last:
        until = min(first + dt.timedelta(days=13), last)
        scheduling.generate_schedules(
            session, hospital_id=loaded.hospital_id, first=first, last=until
        )
        first = until + dt.timedelta(days=1)


def _load_patients(
    session: Session, loaded: Loaded, crowd: Sequence[PersonSpec], progress: Progress
) -> None:
    for count, person in enumerate(crowd, start=1):
        patient, _created = patients.register_patient(
            session,
            hospital_id=loaded.hospital_id,
            name=person.name,
            sex=SEX[person.sex],
            birth_date=person.birth_date,
            id_kind=person.id_kind,
            id_number=person.id_number,
            # The demo's numbers begin with a prefix nobody is given, so they skip the check of a form.
            phone=None,
            address=person.address,
            ethnic_group=person.ethnic_group or None,
            card_number=person.card_number,
            allergies="、".join(person.allergies),
        )
        patients.set_unchecked_phone(session, patient, person.phone)
        loaded.patients[person.card_number] = patient.id
        if count % 200 == 0:
            write_rest(session)
            progress("患者 patients", count, len(crowd))

"""What one row of each file under ``data/`` means: frozen records, nothing else.

Field names are the column names of the CSV files. Money is integer fen, times are minutes,
weekdays are ISO (1 = Monday … 7 = Sunday). References are codes, checked by ``validation``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HospitalRow:
    """A hospital: ``kind`` is ``main`` (this one) or ``partner``."""

    code: str
    name: str
    short_name: str
    kind: str
    address: str
    phone: str


@dataclass(frozen=True, slots=True)
class LocationRow:
    """A place: ``kind`` is campus, building, floor, area, room or window."""

    code: str
    parent_code: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class DepartmentRow:
    """A department: ``kind`` is clinical, technical or administrative."""

    code: str
    name: str
    kind: str
    location_code: str
    ticket_prefix: str


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A member of staff; ``sex`` is M or F, ``roles`` the roles of the job (may be empty)."""

    code: str
    name: str
    sex: str
    title: str
    department_code: str
    specialty: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A demo login; ``is_listed`` accounts are the few that ``make run`` prints."""

    username: str
    staff_code: str
    role: str
    is_listed: bool


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One weekly session: a practitioner, a room, a half-day (am, pm, evening).

    ``starts_minute`` counts from midnight; None is when the half-day usually begins.
    """

    staff_code: str
    weekday: int
    half_day: str
    visit_type: str
    room_code: str
    capacity: int
    slot_minutes: int
    starts_minute: int | None


@dataclass(frozen=True, slots=True)
class PriceItemRow:
    """A priced service or good; ``department_code`` is who performs it."""

    code: str
    name: str
    unit: str
    category: str
    price_fen: int
    department_code: str


@dataclass(frozen=True, slots=True)
class DrugRow:
    """A drug by generic name, priced by package (``package_unit``)."""

    code: str
    name: str
    form: str
    strength: str
    package_unit: str
    price_fen: int
    route: str
    dose: str
    frequency: str
    drug_class: str
    is_prescription: bool
    is_cytotoxic: bool


@dataclass(frozen=True, slots=True)
class LaboratoryRow:
    """An orderable laboratory panel, charged through ``price_item_code``."""

    code: str
    name: str
    price_item_code: str
    specimen: str
    container: str
    turnaround_minutes: int


@dataclass(frozen=True, slots=True)
class ImagingDeviceRow:
    """An examination device and its week: the same places on each of ``weekdays`` (digits, 1 = Monday)."""

    code: str
    name: str
    modality: str
    department_code: str
    location_code: str
    slot_minutes: int
    starts_minute: int
    am_capacity: int
    pm_capacity: int
    weekdays: str


@dataclass(frozen=True, slots=True)
class ExaminationRow:
    """What booking needs to know of the price item ``code``; ``flags`` are its yes-or-no facts."""

    code: str
    modality: str
    minutes: int
    fasting_hours: int
    contrast: str
    tracer: str
    flags: tuple[str, ...]
    joint_group: str
    joint_minutes: int
    instruction: str


@dataclass(frozen=True, slots=True)
class DiagnosisRow:
    """An ICD-10 code (three or four characters) with our wording of its name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class HallRow:
    """A hall screen and the area it hangs in."""

    code: str
    location_code: str
    name: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue: ``kind`` is clinic, laboratory, pharmacy, imaging, cashier or triage."""

    code: str
    name: str
    kind: str
    department_code: str
    prefix: str
    hall_code: str


@dataclass(frozen=True, slots=True)
class QueueRoomRow:
    """A room or window that calls from a queue."""

    queue_code: str
    location_code: str


@dataclass(frozen=True, slots=True)
class KioskRow:
    """A self-service kiosk and where it stands."""

    code: str
    name: str
    location_code: str


@dataclass(frozen=True, slots=True)
class CareRow:
    """A typical visit of a department, from complaint to orders, for patients of ``min_age`` and over.

    Codes are separated by spaces in the file; an empty ``sex`` serves both.
    """

    code: str
    department_code: str
    sex: str
    min_age: int
    weight: int
    diagnosis_codes: tuple[str, ...]
    complaint: str
    history: str
    examination: str
    laboratory_codes: tuple[str, ...]
    item_codes: tuple[str, ...]
    drug_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A county of GB/T 2260: the first six digits of a resident ID number."""

    code: str
    province: str
    city: str
    county: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """The whole demo hospital, in file order."""

    hospitals: tuple[HospitalRow, ...]
    locations: tuple[LocationRow, ...]
    departments: tuple[DepartmentRow, ...]
    staff: tuple[StaffRow, ...]
    accounts: tuple[AccountRow, ...]
    templates: tuple[TemplateRow, ...]
    price_items: tuple[PriceItemRow, ...]
    drugs: tuple[DrugRow, ...]
    laboratory: tuple[LaboratoryRow, ...]
    imaging_devices: tuple[ImagingDeviceRow, ...]
    examinations: tuple[ExaminationRow, ...]
    icd10: tuple[DiagnosisRow, ...]
    halls: tuple[HallRow, ...]
    queues: tuple[QueueRow, ...]
    queue_rooms: tuple[QueueRoomRow, ...]
    kiosks: tuple[KioskRow, ...]
    care: tuple[CareRow, ...]
    areas: tuple[AreaRow, ...]

    @property
    def sellable_items(self) -> tuple[PriceItemRow, ...]:
        """The price list with every drug as an item of category ``drug`` under its own code."""
        drugs = (
            PriceItemRow(
                code=drug.code,
                name=f"{drug.name} {drug.strength}",
                unit=drug.package_unit,
                category="drug",
                price_fen=drug.price_fen,
                department_code="PHARM",
            )
            for drug in self.drugs
        )
        return (*self.price_items, *drugs)

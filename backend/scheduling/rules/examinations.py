"""What an examination is, as far as booking goes: facts as data, and the visits that several orders make together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from backend.scheduling.rules.states import Modality


class Contrast(StrEnum):
    """The contrast medium that is injected."""

    IODINATED = "iodinated"
    GADOLINIUM = "gadolinium"


class Tracer(StrEnum):
    """The radionuclide that is given; how long it matters follows from its half-life."""

    TECHNETIUM = "technetium_99m"
    FLUORINE = "fluorine_18"
    IODINE = "iodine_131"


class ExaminationState(StrEnum):
    """Where a booked examination stands."""

    BOOKED = "booked"
    CANCELLED = "cancelled"


#: Kinds of equipment that irradiate.
IONISING = frozenset(
    {Modality.CT, Modality.RADIOGRAPHY, Modality.MAMMOGRAPHY, Modality.NUCLEAR, Modality.PET}
)


@dataclass(frozen=True, slots=True)
class Examination:
    """One kind of examination: how long it takes, what it needs, what it leaves behind in the body.

    ``fasting_hours`` without food; ``is_dry``: without water either. ``is_abdominal``: gas or barium in the
    bowel spoils it. Examinations of one ``joint_group`` are done in one visit: the longest counts whole, each
    further one ``joint_minutes``.
    """

    code: str
    name: str
    modality: Modality
    minutes: int
    fasting_hours: int = 0
    is_dry: bool = False
    full_bladder: bool = False
    contrast: Contrast | None = None
    has_barium: bool = False
    tracer: Tracer | None = None
    has_sedation: bool = False
    has_bowel_cleansing: bool = False
    is_abdominal: bool = False
    is_iodine_sensitive: bool = False
    gives_renal_function: bool = False
    joint_group: str = ""
    joint_minutes: int = 0
    instruction: str = ""

    @property
    def is_ionising(self) -> bool:
        """True when the patient is irradiated."""
        return self.modality in IONISING

    @property
    def is_morning_only(self) -> bool:
        """Who fasts is examined in the morning: nobody goes without food until the afternoon."""
        return self.fasting_hours > 0

    @property
    def lead_minutes(self) -> int:
        """How long before the examination its preparation must begin."""
        if self.has_bowel_cleansing:
            return 24 * 60
        return max(self.fasting_hours * 60, BLADDER_MINUTES if self.full_bladder else 0, 30)


#: From drinking to a full bladder.
BLADDER_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Ordered:
    """One order that asks for an examination."""

    order_id: str
    examination: Examination


@dataclass(frozen=True, slots=True)
class Visit:
    """What is done at one device in one go: one order, or several of one joint group. ``key`` is stable."""

    key: str
    ordered: tuple[Ordered, ...]

    @property
    def examinations(self) -> tuple[Examination, ...]:
        """The examinations of the visit, in order."""
        return tuple(one.examination for one in self.ordered)

    @property
    def modality(self) -> Modality:
        """The kind of device it needs."""
        return self.ordered[0].examination.modality

    @property
    def minutes(self) -> int:
        """How long the device is taken."""
        longest = max(self.examinations, key=lambda e: e.minutes)
        rest = list(self.examinations)
        rest.remove(longest)
        return longest.minutes + sum(e.joint_minutes for e in rest)

    @property
    def name(self) -> str:
        """What the visit is called."""
        return "、".join(e.name for e in self.examinations)

    @property
    def lead_minutes(self) -> int:
        """How long before the visit its preparation must begin."""
        return max(e.lead_minutes for e in self.examinations)

    @property
    def is_morning_only(self) -> bool:
        """True when any of its examinations is."""
        return any(e.is_morning_only for e in self.examinations)


def group_visits(ordered: Iterable[Ordered]) -> list[Visit]:
    """The visits that those orders make, in the order of their first order: a joint group shares one."""
    groups: dict[tuple[Modality, str], list[Ordered]] = {}
    for one in ordered:
        exam = one.examination
        groups.setdefault((exam.modality, exam.joint_group or one.order_id), []).append(one)
    return [Visit(_key(orders), tuple(orders)) for orders in groups.values()]


def _key(orders: Sequence[Ordered]) -> str:
    return min(one.order_id for one in orders)

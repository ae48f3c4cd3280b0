"""Stop-clinic as shown: whom a stop would hit, notices, and visits that could not be kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from backend.kernel.ids import Id
from backend.scheduling.rules import (
    DISRUPTION_WORDS,
    EXAMINATION_GIVEN_UP,
    OPEN_DISRUPTIONS,
    AppointmentState,
    DisruptionKind,
    DisruptionState,
    StopScope,
    StopState,
)
from backend.scheduling.views.core import AppointmentView, ScheduleView


@dataclass(frozen=True, slots=True)
class AffectedVisit:
    """A visit that a stop would disrupt, and whose (masked)."""

    visit: AppointmentView
    masked_name: str

    @property
    def is_paid(self) -> bool:
        """Paid, or free of charge and booked: the hospital owes an equivalent or the money."""
        return self.visit.state is not AppointmentState.HELD


@dataclass(frozen=True, slots=True)
class StopPreview:
    """What a stop would do: the sessions it ends and the visits in them; of a device, where its kind has room."""

    sessions: tuple[ScheduleView, ...]
    visits: tuple[AffectedVisit, ...]
    others: tuple[ScheduleView, ...] = ()

    @property
    def patient_count(self) -> int:
        """People; who has several places, for one examination or for two visits, is told of each but is one."""
        return len({one.visit.patient_id for one in self.visits})

    @property
    def paid_count(self) -> int:
        """Visits that will be offered an equivalent or refunded."""
        return sum(one.is_paid for one in self.visits)

    @property
    def paid_fen(self) -> int:
        """The most that can have to be given back, in fen."""
        return sum(one.visit.fee_fen for one in self.visits if one.is_paid)

    @property
    def held_count(self) -> int:
        """Unpaid holds, which end with their bills."""
        return len(self.visits) - self.paid_count

    @property
    def free_count(self) -> int:
        """Places that nobody has taken."""
        return sum(view.free_count for view in self.sessions)


@dataclass(frozen=True, slots=True)
class StopView:
    """A stop-clinic notice with its sessions and visits counted."""

    id: Id
    practitioner_name: str
    device_name: str
    department_name: str
    scope: StopScope
    reason: str
    state: StopState
    created_at: dt.datetime
    created_by: str
    session_count: int
    can_resume: bool
    visits: dict[DisruptionState, int]

    @property
    def whom(self) -> str:
        """Whose sessions, in words."""
        names = (self.practitioner_name, self.device_name, self.department_name)
        return " · ".join(filter(None, names))

    @property
    def visit_count(self) -> int:
        """All visits it disrupted."""
        return sum(self.visits.values())

    @property
    def open_count(self) -> int:
        """Visits that are not decided yet."""
        return sum(count for state, count in self.visits.items() if state in OPEN_DISRUPTIONS)


@dataclass(frozen=True, slots=True)
class DisruptionView:
    """A visit that could not be kept: ``starts_at`` and ``practitioner_name`` as booked, ``visit`` as it is now."""

    id: Id
    kind: DisruptionKind
    state: DisruptionState
    reason: str
    patient_id: Id
    masked_name: str
    visit: AppointmentView
    schedule_id: Id
    practitioner_name: str
    starts_at: dt.datetime
    decide_by: dt.datetime | None
    decided_at: dt.datetime | None
    decided_by: str

    @property
    def is_open(self) -> bool:
        """Not decided yet."""
        return self.state in OPEN_DISRUPTIONS

    @property
    def can_choose(self) -> bool:
        """The patient may take an equivalent now."""
        return self.state is DisruptionState.OFFERED

    @property
    def can_decline(self) -> bool:
        """The patient may have the money back now."""
        return self.state in (DisruptionState.OFFERED, DisruptionState.TOLD)

    @property
    def is_examination(self) -> bool:
        """A place on a device: its examination is given up whole, and its orders wait to be planned anew."""
        return self.visit.device_id is not None

    @property
    def state_words(self) -> str:
        """What became of it, in words; nothing has been paid for a place on a device, so nothing goes back."""
        if self.is_examination and self.state is DisruptionState.REFUNDED:
            return str(EXAMINATION_GIVEN_UP)
        return str(DISRUPTION_WORDS[self.state])

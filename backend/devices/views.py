"""What the fleet page and other programs see of kiosks and print jobs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from backend.devices.rules import PRINT_WORDS, KioskState, PrintKind, PrintState
from backend.kernel.ids import Id


@dataclass(frozen=True, slots=True)
class KioskView:
    """One kiosk with its last heartbeat."""

    id: Id
    code: str
    name: str
    place: str
    state: KioskState
    beat_at: dt.datetime | None
    version: str
    clock_offset_ms: int
    devices: dict[str, Any]
    open_journal: int
    ambiguous_count: int
    printed_count: int
    enrolled_at: dt.datetime | None

    @property
    def paper(self) -> str:
        """The printer's paper: ``ok``, ``near_end``, ``out`` or empty when unknown."""
        return str(self.devices.get("printer", {}).get("paper", ""))


@dataclass(frozen=True, slots=True)
class PrintJobView:
    """One print job."""

    id: Id
    kiosk_id: Id
    kiosk_name: str
    job_no: int
    kind: PrintKind
    state: PrintState
    code: str
    requested_at: dt.datetime
    ended_at: dt.datetime | None
    reference: str

    @property
    def state_words(self) -> str:
        """The state in words."""
        return str(PRINT_WORDS[self.state])

"""What the fleet page and other programs see of kiosks and print jobs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from backend.devices import rules
from backend.devices.rules import KioskState, PrintKind, PrintState
from backend.kernel.ids import Id

CLOCK_TOLERANCE_MS = 30_000


@dataclass(frozen=True, slots=True)
class DeviceView:
    """One device of a kiosk: its name, what is the matter (empty: nothing) and the tone."""

    words: str
    trouble: str
    tone: str


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
    def state_words(self) -> str:
        """The state in words."""
        return str(rules.STATE_WORDS[self.state])

    @property
    def tone(self) -> str:
        """The state's tone."""
        return rules.STATE_TONES[self.state]

    @property
    def paper(self) -> str:
        """The printer's paper: ``ok``, ``near_end``, ``out`` or empty when unknown."""
        return str(self.devices.get("printer", {}).get("paper", ""))

    @property
    def device_views(self) -> tuple[DeviceView, ...]:
        """Every device as it was at the last heartbeat; none while the kiosk is not heard."""
        if self.state is not KioskState.ONLINE:
            return ()
        return tuple(
            DeviceView(str(rules.DEVICE_WORDS[name]), *rules.trouble_of(name, self.devices[name]))
            for name in rules.DEVICES
            if name in self.devices
        )

    @property
    def is_clock_off(self) -> bool:
        """Whether its clock differs from ours by more than half a minute."""
        return abs(self.clock_offset_ms) > CLOCK_TOLERANCE_MS


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
    def kind_words(self) -> str:
        """What it is in words."""
        return str(rules.PRINT_KIND_WORDS[self.kind])

    @property
    def tone(self) -> str:
        """The state's tone."""
        return rules.PRINT_TONES[self.state]

    @property
    def code_words(self) -> str:
        """Why it failed, in words; empty when the printer said nothing."""
        return str(rules.TROUBLE_WORDS.get(self.code, self.code))

    @property
    def state_words(self) -> str:
        """The state in words."""
        return str(rules.PRINT_WORDS[self.state])

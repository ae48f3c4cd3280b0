"""The engine: holds the one state, applies events one at a time, numbers the screens.

Each drawn screen has a number; a touch must carry the number of the screen it was made on, so ten
hits on one button act once. The numbers begin at a random place, so that a page left over from an
earlier run of the program never matches.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from kiosk_agent.clock import HospitalClock
from kiosk_agent.errors import StaleScreen, UnknownAction
from kiosk_agent.flows.common import Instant
from kiosk_agent.flows.events import Active, Effect, Event, Ticked, Touched
from kiosk_agent.flows.machine import advance
from kiosk_agent.flows.offers import offers
from kiosk_agent.flows.state import State
from kiosk_agent.screens.document import draw

TICK_SECONDS = 0.25


class EffectRunner(Protocol):
    """Carries effects out somewhere else and posts their results back."""

    def start(self, epoch: int, effects: tuple[Effect, ...]) -> None:
        """Begin `effects` of person `epoch`, one after the other; never blocks."""

    def release_due(self) -> None:
        """Begin delayed effects whose time has come."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is on the glass: the numbered document, and the state it was drawn from."""

    no: int
    document: dict[str, Any]
    state: State


class Engine:
    """Thread-safe: devices, web requests, heartbeat and effects all post into it."""

    def __init__(
        self,
        clock: HospitalClock,
        ticks: Callable[[], float],
        state: State,
        *,
        first_no: int | None = None,
    ) -> None:
        self._clock = clock
        self._ticks = ticks
        self._runner: EffectRunner | None = None
        self._changed = threading.Condition()
        self._state = state
        self._no = secrets.randbelow(1_000_000) * 1000 + 1 if first_no is None else first_no
        self._document = draw(state, self._clock.now())
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None

    def connect(self, runner: EffectRunner) -> None:
        """Say who carries effects out (once, before the first event)."""
        self._runner = runner

    # -- events in --------------------------------------------------------------------------
    def post(self, event: Event) -> None:
        """Apply `event`; its effects begin after the new screen is set."""
        with self._changed:
            # Effects that wipe a person belong to that person, not to the next one.
            epoch = self._state.epoch
            effects = self._apply(event)
        self._begin(effects, epoch)

    def touch(self, no: int, action: str, value: str) -> Shown:
        """Apply a touch made on screen `no`.

        Raises StaleScreen when another screen is shown by now, UnknownAction when the screen has
        no such button.
        """
        with self._changed:
            if no != self._no:
                raise StaleScreen
            if not any(
                offer.action == action and offer.value == value for offer in offers(self._state)
            ):
                raise UnknownAction(action)
            epoch = self._state.epoch
            effects = self._apply(Touched(action, value), renumber=True)
            shown = self._shown()
        self._begin(effects, epoch)
        return shown

    def note_activity(self) -> Shown:
        """Somebody touched the glass without choosing."""
        self.post(Active())
        return self.shown()

    # -- screens out ------------------------------------------------------------------------
    def shown(self) -> Shown:
        """The current screen."""
        with self._changed:
            return self._shown()

    def wait_for_change(self, after: int, seconds: float) -> Shown:
        """The current screen once its number is not `after`, or after `seconds` at the latest."""
        with self._changed:
            self._changed.wait_for(lambda: self._no != after or self._stop.is_set(), seconds)
            return self._shown()

    def _shown(self) -> Shown:
        deadline = self._state.deadline
        left = None if deadline is None else max(0, round(deadline - self._ticks()))
        document = {"no": self._no, **self._document, "seconds_left": left}
        return Shown(self._no, document, self._state)

    def _apply(self, event: Event, *, renumber: bool = False) -> tuple[Effect, ...]:
        now = Instant(self._ticks(), self._clock.now())
        self._state, effects = advance(self._state, event, now)
        document = draw(self._state, now.time)
        if renumber or document != self._document:
            self._document = document
            self._no += 1
            self._changed.notify_all()
        return effects

    def _begin(self, effects: tuple[Effect, ...], epoch: int) -> None:
        if self._runner is not None and effects:
            self._runner.start(epoch, effects)

    # -- time -------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin to tick."""
        self._ticker = threading.Thread(target=self._tick, name="ticker", daemon=True)
        self._ticker.start()

    def _tick(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            self.post(Ticked())
            if self._runner is not None:
                self._runner.release_due()

    def stop(self) -> None:
        """End the ticking; waiting readers return at once."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._ticker is not None:
            self._ticker.join()

"""Carries the flows' effects out: backend calls and prints on worker threads, results as events.

Personal data passes through here in memory only; logs name the effect and the outcome's code.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import structlog

from kiosk_agent.client import BackendClient
from kiosk_agent.errors import BackendAway, BackendRefused
from kiosk_agent.flows.events import (
    Answered,
    Book,
    CancelBooking,
    CancelPayment,
    CheckIn,
    Effect,
    EndSession,
    Event,
    Identify,
    LeavePayment,
    LoadDepartments,
    LoadHome,
    LoadSchedules,
    PollPayment,
    Print,
    Refused,
    SettlePayment,
    StartPayment,
    WentAway,
)
from kiosk_agent.journal import Journal
from kiosk_agent.print_desk import PrintDesk
from kiosk_agent.resolver import Resolver

log = structlog.get_logger("kiosk.runner")

WORKERS = 4


class Runner:
    """An EffectRunner over the real backend, journal and printer."""

    def __init__(
        self,
        client: BackendClient,
        journal: Journal,
        print_desk: PrintDesk,
        resolver: Resolver,
        *,
        post: Callable[[Event], None],
        ticks: Callable[[], float],
        new_key: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self._client = client
        self._journal = journal
        self._print_desk = print_desk
        self._resolver = resolver
        self._post = post
        self._ticks = ticks
        self._new_key = new_key
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="effect")
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._delayed: list[tuple[float, int, int, Effect]] = []
        self._is_closed = False

    def start(self, epoch: int, effects: tuple[Effect, ...]) -> None:
        """Begin `effects`, each after the one before has ended (a slot is given back before the
        session that may do so is over); a poll begins when its delay is over."""
        now: list[Effect] = []
        with self._lock:
            for effect in effects:
                if isinstance(effect, PollPayment):
                    due = self._ticks() + effect.delay
                    heapq.heappush(self._delayed, (due, next(self._order), epoch, effect))
                else:
                    now.append(effect)
        if now:
            self._submit(epoch, tuple(now))

    def release_due(self) -> None:
        """Begin the polls whose delay is over."""
        ready: list[tuple[int, Effect]] = []
        with self._lock:
            while self._delayed and self._delayed[0][0] <= self._ticks():
                _due, _order, epoch, effect = heapq.heappop(self._delayed)
                ready.append((epoch, effect))
        for epoch, effect in ready:
            self._submit(epoch, (effect,))

    def stop(self) -> None:
        """Let running effects end; begin no more."""
        with self._lock:
            self._is_closed = True
            self._delayed.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, epoch: int, effects: tuple[Effect, ...]) -> None:
        with self._lock:
            if self._is_closed:
                return
            self._pool.submit(self._run_all, epoch, effects)

    def _run_all(self, epoch: int, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            self._run(epoch, effect)

    def _run(self, epoch: int, effect: Effect) -> None:
        name = type(effect).__name__
        try:
            event: Event = Answered(epoch, effect, self._act(effect))
        except BackendAway as error:
            log.warning("effect_unanswered", effect=name, reason=str(error))
            event = WentAway(epoch, effect)
        except BackendRefused as refusal:
            log.info(
                "effect_refused", effect=name, code=refusal.code, request_id=refusal.request_id
            )
            event = Refused(
                epoch,
                effect,
                refusal.status,
                refusal.code,
                refusal.title,
                refusal.detail,
                refusal.next_step,
                refusal.fields,
            )
        except Exception as error:  # noqa: BLE001 (whatever broke, the screen must go on)
            # Place and kind only: a message could quote what a card says.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{frame.filename}:{frame.lineno}"
            log.error("effect_broken", effect=name, kind=type(error).__name__, where=where)
            event = WentAway(epoch, effect)
        self._post(event)

    def _act(self, effect: Effect) -> Any:
        client = self._client
        match effect:
            case Identify():
                return client.identify(effect.payload, language=effect.language)
            case LoadHome():
                return client.home(effect.session)
            case LoadDepartments():
                return client.departments(effect.session)
            case LoadSchedules():
                return client.schedules(effect.session, effect.department_id)
            case Book():
                return client.book(effect.session, effect.schedule_id, self._new_key())
            case CancelBooking():
                return client.cancel_booking(effect.session, effect.appointment_id)
            case StartPayment():
                return self._start_payment(effect)
            case PollPayment():
                return client.payment(effect.session, effect.payment_id)
            case CancelPayment():
                return client.cancel_payment(effect.session, effect.payment_id)
            case SettlePayment():
                return self._journal.end_payment(effect.payment_id, effect.outcome)
            case LeavePayment():
                return self._resolver.leave(effect.payment_id)
            case CheckIn():
                return client.check_in(effect.session, effect.appointment_id)
            case Print():
                return self._print_desk.print(
                    effect.session,
                    effect.kind,
                    effect.subject_id,
                    reprint=effect.reprint,
                    key=self._new_key(),
                )
            case EndSession():
                return client.end_session(effect.session)

    def _start_payment(self, effect: StartPayment) -> Any:
        payment = self._client.start_payment(
            effect.session, effect.invoice_id, effect.amount_fen, self._new_key()
        )
        self._journal.open_payment(payment.payment_id, effect.session, effect.appointment_id)
        return payment

"""Ends payments nobody stands in front of any more: ask for closing, then ask how it ended.

A payment is never begun or repeated here. When the answer cannot be had within the person's
session, the row is settled as left to the backend, which asks the platform on its own timers.
"""

from __future__ import annotations

import threading

import structlog

from kiosk_agent.client import BackendClient
from kiosk_agent.errors import BackendAway, BackendRefused
from kiosk_agent.journal import Journal, PaymentRow

log = structlog.get_logger("kiosk.payments")

MAX_ROUNDS = 24


class Resolver:
    """Works on the journal's left payments; `run_round` is called after each heartbeat."""

    def __init__(self, client: BackendClient, journal: Journal) -> None:
        self._client = client
        self._journal = journal
        self._lock = threading.Lock()
        self._asked: set[str] = set()
        self._rounds: dict[str, int] = {}

    def leave(self, payment_id: str) -> None:
        """The person has gone: take the payment over and try at once."""
        self._journal.leave_payment(payment_id)
        self.run_round()

    def recover(self) -> None:
        """After a restart every open payment is a left one."""
        self._journal.recover_payments()

    def run_round(self) -> None:
        """Ask once about every left payment; an absent backend ends the round."""
        with self._lock:
            for row in self._journal.left_payments():
                try:
                    self._resolve(row)
                except BackendAway:
                    return

    def _resolve(self, row: PaymentRow) -> None:
        try:
            if row.payment_id not in self._asked:
                self._ask_to_close(row)
            payment = self._client.payment(row.session, row.payment_id)
        except BackendRefused as refusal:
            log.info("payment_left", payment_id=row.payment_id, code=refusal.code)
            self._settle(row, "left_to_backend", is_session_over=True)
            return
        rounds = self._rounds.get(row.payment_id, 0) + 1
        self._rounds[row.payment_id] = rounds
        if payment.is_final:
            if payment.state != "succeeded" and row.appointment_id:
                self._give_slot_back(row)
            self._settle(row, payment.state)
        elif rounds >= MAX_ROUNDS:
            self._settle(row, "left_to_backend")

    def _ask_to_close(self, row: PaymentRow) -> None:
        try:
            self._client.cancel_payment(row.session, row.payment_id)
        except BackendRefused as refusal:
            if refusal.status == 401:
                raise
            # Already paid or closed: the state, asked next, says which.
            log.info("payment_close_refused", payment_id=row.payment_id, code=refusal.code)
        self._asked.add(row.payment_id)

    def _give_slot_back(self, row: PaymentRow) -> None:
        try:
            self._client.cancel_booking(row.session, row.appointment_id)
        except BackendRefused as refusal:
            # The hold has ended by itself: the same end.
            log.info("slot_not_given_back", payment_id=row.payment_id, code=refusal.code)

    def _settle(self, row: PaymentRow, outcome: str, *, is_session_over: bool = False) -> None:
        if not is_session_over:
            self._client.end_session(row.session)
        self._journal.end_payment(row.payment_id, outcome)
        self._asked.discard(row.payment_id)
        self._rounds.pop(row.payment_id, None)
        log.info("payment_settled", payment_id=row.payment_id, outcome=outcome)

"""One print from order to report: ordered at the backend, journalled, sent, confirmed, reported.

The journal is written before the first byte and after the printer's last word, so that whatever
happens in between a restart knows whether paper may have come out.
"""

from __future__ import annotations

from typing import Protocol

import structlog

from hardware_drivers.receipt_printer import PrintOutcome, Receipt
from kiosk_agent.client import BackendClient
from kiosk_agent.documents import receipt_of
from kiosk_agent.errors import BackendAway, BackendRefused
from kiosk_agent.flows.state import PrintJob
from kiosk_agent.journal import Journal
from kiosk_agent.messages import PrintOrder

log = structlog.get_logger("kiosk.print")

# Refusals of a report that a later report may not meet: the credential or a busy backend.
_WORTH_REPEATING = frozenset({401, 403, 408, 425, 429})


class Printer(Protocol):
    """The printer as the desk needs it."""

    def print(self, receipt: Receipt, job_id: str) -> PrintOutcome:
        """Print and confirm; never raises for what the device does."""


class PrintDesk:
    """Prints documents and tells the backend how each ended, now or later."""

    def __init__(self, client: BackendClient, journal: Journal, printer: Printer) -> None:
        self._client = client
        self._journal = journal
        self._printer = printer

    def print(
        self, session: str, kind: str, subject_id: str, *, reprint: bool, key: str
    ) -> PrintJob:
        """Print one document. Raises BackendAway or BackendRefused when no document was given."""
        order = self._client.order_print(session, kind, subject_id, reprint=reprint, key=key)
        self._journal.order_print(order.print_id, order.job_no)
        if not self._journal.claim_print(order.print_id):
            # The backend repeated an order whose bytes may be out already: never twice.
            return PrintJob(kind, subject_id, "ambiguous", "repeated_order")
        outcome, code = self._send(order)
        self._journal.end_print(order.print_id, outcome, code, "")
        self.report_ended()
        return PrintJob(kind, subject_id, outcome, code)

    def _send(self, order: PrintOrder) -> tuple[str, str]:
        try:
            result = self._printer.print(receipt_of(order.document), str(order.job_no))
        except ValueError:
            return "failed", "unprintable"  # refused before the first byte
        return result.state.value, result.code or ""

    def recover(self) -> None:
        """After a restart: prints that were under way get their outcome, never a second sending."""
        for row in self._journal.recover_prints():
            log.warning("print_cut_off", print_id=row.print_id, stage=row.stage)

    def report_ended(self) -> None:
        """Tell the backend every outcome it does not know yet; what fails is told later."""
        for row in self._journal.unreported_prints():
            try:
                self._client.report_print(row.print_id, row.outcome, row.code, row.detail)
            except BackendAway:
                return
            except BackendRefused as refusal:
                log.warning("print_report_refused", print_id=row.print_id, code=refusal.code)
                if refusal.status in _WORTH_REPEATING:
                    return
            self._journal.mark_print_reported(row.print_id)

"""An ESC/POS printer on a byte transport: status before, bytes, confirmation after, all on one
connection.

Port 9100 takes one connection, so it is made for each call and given back. The state of a print is
decided by what is known: nothing sent is `failed`, confirmed is `printed`, everything else is
`ambiguous`. There is no retry in here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hardware_drivers.errors import TransientError
from hardware_drivers.receipt_printer import answers, encoder
from hardware_drivers.receipt_printer.protocol import (
    PrinterStatus,
    PrintOutcome,
    PrintState,
    Receipt,
)
from hardware_drivers.transports.base import ByteTransport

_UNREACHABLE = PrinterStatus(is_reachable=False)


class EscPosPrinter:
    """A ReceiptPrinter; `confirm_timeout` is how long a whole receipt may take to come out, in
    seconds.
    """

    def __init__(
        self,
        transport: ByteTransport,
        *,
        status_timeout: float = 1.0,
        confirm_timeout: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._status_timeout = status_timeout
        self._confirm_timeout = confirm_timeout
        self._clock = clock
        self._lock = threading.Lock()

    def status(self) -> PrinterStatus:
        """Ask the printer; see ReceiptPrinter.status."""
        with self._lock:
            try:
                return self._ask_status(answers.AnswerStream())
            except TransientError:
                return _UNREACHABLE
            finally:
                self._transport.close()

    def print(self, receipt: Receipt, job_id: str) -> PrintOutcome:
        """Print and wait for the confirmation; see ReceiptPrinter.print."""
        data = encoder.encode(receipt)
        with self._lock:
            try:
                return self._print(data, job_id)
            finally:
                self._transport.close()

    def close(self) -> None:
        """Close the line."""
        self._transport.close()

    def _print(self, data: bytes, job_id: str) -> PrintOutcome:
        stream = answers.AnswerStream()
        try:
            status = self._ask_status(stream)
        except TransientError:
            status = _UNREACHABLE
        if status.problem:
            return PrintOutcome(job_id, PrintState.FAILED, status.problem, status)
        identifier = encoder.confirmation_id(job_id)
        try:
            self._transport.write(data + encoder.request_confirmation(identifier))
            return self._await_confirmation(stream, identifier, job_id, status)
        except TransientError as error:
            # Some of it may have gone out: from here on only a person knows.
            return PrintOutcome(job_id, PrintState.AMBIGUOUS, error.code, status)

    def _await_confirmation(
        self, stream: answers.AnswerStream, identifier: bytes, job_id: str, status: PrinterStatus
    ) -> PrintOutcome:
        deadline = self._clock() + self._confirm_timeout
        while (remaining := deadline - self._clock()) > 0:
            data = self._transport.read(64, min(self._status_timeout, remaining))
            stream.feed(data)
            if identifier in stream.confirmations:
                return PrintOutcome(job_id, PrintState.PRINTED, None, status)
            if not data:
                # Silence: a long receipt, or something stopped it. The printer says which.
                status = self._ask_status(stream)
                if identifier in stream.confirmations:
                    return PrintOutcome(job_id, PrintState.PRINTED, None, status)
                if status.problem:
                    return PrintOutcome(job_id, PrintState.AMBIGUOUS, status.problem, status)
        return PrintOutcome(job_id, PrintState.AMBIGUOUS, "no_confirmation", status)

    def _ask_status(self, stream: answers.AnswerStream) -> PrinterStatus:
        """Ask all four status kinds, one after the other, because the answers do not say which they
        answer.
        """
        received = {}
        for kind in answers.STATUS_KINDS:
            stream.status_bytes.clear()
            self._transport.write(answers.request_status(kind))
            deadline = self._clock() + self._status_timeout
            while not stream.status_bytes:
                remaining = deadline - self._clock()
                data = self._transport.read(64, remaining) if remaining > 0 else b""
                if not data:
                    raise TransientError("unreachable", f"no answer to status {kind}")
                stream.feed(data)
            received[kind] = stream.status_bytes[0]
        return answers.parse_status(received)

"""The GA 467 reader: find, select, read over one serial line.

Reading changes nothing on the card, so a damaged answer is asked for again; the reader answers `no
card` to a find once a card was read, until it is lifted, so a repeated read skips find and select.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hardware_drivers.errors import TransientError
from hardware_drivers.id_card import content, frames
from hardware_drivers.id_card.protocol import IdCard
from hardware_drivers.transports.base import ByteTransport

_DAMAGED = {"checksum", "torn_frame", "no_answer"}


class Ga467Reader:
    """An IdCardReader on a byte transport (115200 8N1)."""

    def __init__(
        self,
        transport: ByteTransport,
        *,
        answer_timeout: float = 2.0,
        poll_interval: float = 0.3,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._answer_timeout = answer_timeout
        self._poll_interval = poll_interval
        self._clock = clock
        self._lock = threading.Lock()

    def is_alive(self) -> bool:
        """Ask for the SAM status; any well-formed answer counts."""
        with self._lock:
            try:
                self._exchange(frames.SAM_STATUS)
            except TransientError:
                return False
        return True

    def read(self) -> IdCard:
        """Read the card on the reader now; see IdCardReader.read."""
        with self._lock:
            return self._read()

    def wait_for_card(
        self, timeout: float, cancelled: threading.Event | None = None
    ) -> IdCard | None:
        """Poll until a card was read; see IdCardReader.wait_for_card."""
        stop = cancelled or threading.Event()
        deadline = self._clock() + timeout
        while not stop.is_set():
            try:
                return self.read()
            except TransientError as error:
                if error.code != "no_card":
                    raise
            remaining = deadline - self._clock()
            if remaining <= 0 or stop.wait(min(self._poll_interval, remaining)):
                break
        return None

    def close(self) -> None:
        """Close the line."""
        self._transport.close()

    def _read(self) -> IdCard:
        found = self._retried(frames.FIND)
        if found.sw3 != frames.SW3_FOUND:
            raise _refusal(found, "no_card")
        selected = self._retried(frames.SELECT)
        if selected.sw3 != frames.SW3_OK:
            raise _refusal(selected, "select_failed")
        answer = self._retried(frames.READ_TEXT_AND_PHOTO)
        if answer.sw3 != frames.SW3_OK:
            raise _refusal(answer, "card_removed")
        text, photo = content.split_answer(answer.data)
        return content.parse_text(text, photo)

    def _retried(self, command: bytes, attempts: int = 3) -> frames.Answer:
        for _ in range(attempts - 1):
            try:
                answer = self._exchange(command)
                if answer.sw3 != frames.SW3_BAD_CHECKSUM:
                    return answer
            except TransientError as error:
                if error.code not in _DAMAGED:
                    raise
        return self._exchange(command)

    def _exchange(self, command: bytes) -> frames.Answer:
        self._transport.discard_input()
        self._transport.write(frames.encode_command(command))
        deadline = self._clock() + self._answer_timeout
        received = b""
        while missing := frames.missing_bytes(received):
            remaining = deadline - self._clock()
            data = self._transport.read(missing, remaining) if remaining > 0 else b""
            if not data:
                raise TransientError(
                    "torn_frame" if received else "no_answer", f"{len(received)} bytes"
                )
            received += data
        return frames.decode_answer(received)


def _refusal(answer: frames.Answer, otherwise: str) -> TransientError:
    """The error of a status other than success; an unknown status gets the code of the step that
    failed.
    """
    codes = {
        frames.SW3_BAD_CHECKSUM: "checksum",
        frames.SW3_NO_CARD: "no_card",
        frames.SW3_SELECT_FAILED: "select_failed",
        frames.SW3_READ_FAILED: "card_removed",
    }
    return TransientError(codes.get(answer.sw3, otherwise), f"SW3 {answer.sw3:02X}")

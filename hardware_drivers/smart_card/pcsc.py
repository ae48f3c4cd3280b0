"""Card readers on a PC/SC slot: contactless 就诊卡 and contact health card, told apart by the
profile given.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hardware_drivers.errors import PermanentError, TransientError
from hardware_drivers.smart_card import apdu
from hardware_drivers.smart_card.protocol import (
    CardKind,
    ContactlessProfile,
    ContactProfile,
    HospitalCard,
)
from hardware_drivers.transports.base import CardTransport

_WAIT_SLICE = 0.5


class PcscCardReader:
    """A CardReader on one slot; the profile decides which card is expected."""

    def __init__(
        self,
        transport: CardTransport,
        profile: ContactlessProfile | ContactProfile,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._profile = profile
        self._clock = clock
        self._lock = threading.Lock()

    def is_alive(self) -> bool:
        """Ask for the slot's state."""
        with self._lock:
            try:
                self._transport.wait_for_change(is_present=True, timeout=0)
            except (TransientError, PermanentError):
                return False
        return True

    def read(self) -> HospitalCard:
        """Read the card in the slot now; see CardReader.read."""
        with self._lock:
            self._transport.connect()
            try:
                if isinstance(self._profile, ContactlessProfile):
                    return self._read_contactless(self._profile)
                return self._read_contact(self._profile)
            finally:
                self._transport.disconnect()

    def wait_for_card(
        self, timeout: float, cancelled: threading.Event | None = None
    ) -> HospitalCard | None:
        """Wait for a card and read it; see CardReader.wait_for_card."""
        if self._wait(timeout, cancelled, is_present=True):
            return self.read()
        return None

    def wait_for_removal(self, timeout: float, cancelled: threading.Event | None = None) -> bool:
        """Wait until the slot is empty; see CardReader.wait_for_removal."""
        return self._wait(timeout, cancelled, is_present=False)

    def close(self) -> None:
        """Release the slot."""
        self._transport.close()

    def _wait(self, timeout: float, cancelled: threading.Event | None, *, is_present: bool) -> bool:
        deadline = self._clock() + timeout
        while cancelled is None or not cancelled.is_set():
            remaining = deadline - self._clock()
            with self._lock:
                if self._transport.wait_for_change(
                    is_present=is_present, timeout=max(0.0, min(_WAIT_SLICE, remaining))
                ):
                    return True
            if remaining <= 0:
                break
        return False

    def _read_contactless(self, profile: ContactlessProfile) -> HospitalCard:
        uid = self._expect_success(apdu.GET_UID, "uid")
        self._expect_success(apdu.load_key(profile.key), "load key")
        self._expect_success(apdu.authenticate(profile.block, profile.key_type), "authenticate")
        block = self._expect_success(apdu.read_block(profile.block), "read block")
        return HospitalCard(CardKind.CONTACTLESS, apdu.parse_number(block), uid.hex().upper())

    def _read_contact(self, profile: ContactProfile) -> HospitalCard:
        self._expect_success(apdu.select_application(profile.application), "select application")
        self._expect_success(apdu.select_file(profile.file_id), "select file")
        data = self._expect_success(apdu.read_binary(profile.offset, profile.length), "read binary")
        return HospitalCard(CardKind.HEALTH_CARD, apdu.parse_number(data))

    def _expect_success(self, command: bytes, step: str) -> bytes:
        answer = self._transport.transmit(command)
        if answer.sw >> 8 == 0x6C:
            answer = self._transport.transmit(apdu.with_length(command, answer.sw & 0xFF))
        data = answer.data
        while answer.sw >> 8 == 0x61:
            answer = self._transport.transmit(apdu.get_response(answer.sw & 0xFF))
            data += answer.data
        if answer.sw != apdu.SW_SUCCESS:
            # A card that answers, but refuses, is not one of this hospital's: trying again cannot
            # help.
            raise PermanentError("unknown_card", f"{step}: SW {answer.sw:04X}")
        return data

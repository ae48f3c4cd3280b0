"""One PC/SC slot through pyscard's `scard` calls. pyscard is imported on first use: the backend
must not need PC/SC.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from hardware_drivers.errors import PermanentError, TransientError
from hardware_drivers.transports.base import ApduAnswer

_SLICE_SECONDS = 1.0


def _scard() -> Any:
    """The pyscard module; Any because it is a C extension without types."""
    try:
        import smartcard.scard as scard
    except ImportError as error:
        raise PermanentError("no_pcsc", "pyscard is not installed") from error
    return scard


def list_readers() -> list[str]:
    """Names of all slots. Raises TransientError `unreachable` when pcscd does not run."""
    scard = _scard()
    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if result != scard.SCARD_S_SUCCESS:
        raise TransientError("unreachable", "pcscd does not answer")
    try:
        result, names = scard.SCardListReaders(context, [])
        if result == scard.SCARD_E_NO_READERS_AVAILABLE:
            return []
        if result != scard.SCARD_S_SUCCESS:
            raise TransientError("unreachable", f"list readers {result & 0xFFFFFFFF:08X}")
        return [str(name) for name in names]
    finally:
        scard.SCardReleaseContext(context)


def match_reader(wanted: str, names: list[str]) -> str | None:
    """The slot meant by `wanted`: the same name, or the first slot of that device (pcscd appends "
    00 00").
    """
    if wanted in names:
        return wanted
    slots = [
        name
        for name in sorted(names)
        if name.startswith(wanted + " ") and _is_slot(name[len(wanted) :])
    ]
    return slots[0] if slots else None


def _is_slot(suffix: str) -> bool:
    parts = suffix.split()
    return len(parts) == 2 and all(len(part) == 2 for part in parts)


class PcscTransport:
    """A CardTransport on the slot called `reader` (with or without pcscd's slot suffix)."""

    def __init__(self, reader: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.reader = reader
        self._clock = clock
        self._context: Any = None
        self._card: Any = None
        self._protocol: int = 0
        self._name = ""

    def wait_for_change(self, *, is_present: bool, timeout: float) -> bool:
        """Wait in pcscd until the slot has (or lost) a card; see CardTransport."""
        scard = _scard()
        deadline = self._clock() + timeout
        seen = scard.SCARD_STATE_UNAWARE
        while True:
            self._ensure_context()
            # Waiting in slices notices a pcscd that was restarted, which would otherwise never
            # answer.
            wait = (
                0.0
                if seen == scard.SCARD_STATE_UNAWARE
                else min(_SLICE_SECONDS, deadline - self._clock())
            )
            result, states = scard.SCardGetStatusChange(
                self._context, max(0, int(wait * 1000)), [(self._name, seen)]
            )
            if result not in (scard.SCARD_S_SUCCESS, scard.SCARD_E_TIMEOUT):
                raise self._error(result)
            seen = states[0][1]
            if seen & (scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_UNKNOWN):
                self.close()
                raise TransientError("no_reader", self.reader)
            if bool(seen & scard.SCARD_STATE_PRESENT) == is_present:
                return True
            if self._clock() >= deadline:
                return False

    def connect(self) -> bytes:
        """Power the card; see CardTransport."""
        scard = _scard()
        self._ensure_context()
        self.disconnect()
        result, card, protocol = scard.SCardConnect(
            self._context,
            self._name,
            scard.SCARD_SHARE_SHARED,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        if result != scard.SCARD_S_SUCCESS:
            raise self._error(result)
        self._card, self._protocol = card, protocol
        result, _name, _state, _protocol, atr = scard.SCardStatus(card)
        if result != scard.SCARD_S_SUCCESS:
            raise self._error(result)
        return bytes(atr)

    def transmit(self, apdu: bytes) -> ApduAnswer:
        """Send one APDU; see CardTransport."""
        if self._card is None:
            raise TransientError("no_card", "not connected")
        scard = _scard()
        header = (
            scard.SCARD_PCI_T0 if self._protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1
        )
        result, answer = scard.SCardTransmit(self._card, header, list(apdu))
        if result != scard.SCARD_S_SUCCESS:
            raise self._error(result, during_exchange=True)
        if len(answer) < 2:
            raise TransientError("card_removed", "answer without status")
        return ApduAnswer(bytes(answer[:-2]), answer[-2] << 8 | answer[-1])

    def disconnect(self) -> None:
        """Let go of the card."""
        card, self._card = self._card, None
        if card is not None:
            scard = _scard()
            # Not RESET: resetting a card that was just pulled leaves the slot "swallowed" in pcscd
            # until the next removal. The result says only that the card is gone already.
            scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)

    def close(self) -> None:
        """Release the PC/SC context; the next use makes a new one."""
        self.disconnect()
        context, self._context = self._context, None
        if context is not None:
            _scard().SCardReleaseContext(context)

    def _ensure_context(self) -> None:
        if self._context is not None:
            return
        scard = _scard()
        result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if result != scard.SCARD_S_SUCCESS:
            raise TransientError("unreachable", "pcscd does not answer")
        result, names = scard.SCardListReaders(context, [])
        name = match_reader(self.reader, [str(each) for each in names or []])
        if name is None:
            scard.SCardReleaseContext(context)
            raise TransientError("no_reader", self.reader)
        self._context, self._name = context, name

    def _error(self, result: int, *, during_exchange: bool = False) -> TransientError:
        """Name a PC/SC result. Losing pcscd or the reader also drops the context, so that the next
        call begins anew.
        """
        scard = _scard()
        detail = f"{scard.SCardGetErrorMessage(result)} ({result & 0xFFFFFFFF:08X})"
        if result in (scard.SCARD_E_NO_SMARTCARD, scard.SCARD_W_REMOVED_CARD):
            return TransientError("card_removed" if during_exchange else "no_card", detail)
        if during_exchange:
            # Drivers report a card pulled in mid-command as a failed transmission, a reset or a
            # lost handle.
            return TransientError("card_removed", detail)
        if result in (
            scard.SCARD_W_UNRESPONSIVE_CARD,
            scard.SCARD_W_UNPOWERED_CARD,
            scard.SCARD_E_PROTO_MISMATCH,
        ):
            return TransientError("card_unresponsive", detail)
        if result == scard.SCARD_E_SHARING_VIOLATION:
            return TransientError("card_busy", detail)
        self.close()
        if result in (scard.SCARD_E_UNKNOWN_READER, scard.SCARD_E_READER_UNAVAILABLE):
            return TransientError("no_reader", detail)
        return TransientError("unreachable", detail)

"""The two shapes of wire: a stream of bytes, and a slot that takes APDUs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class ByteTransport(Protocol):
    """A stream of bytes to one device, opened on first use and again after a loss."""

    def write(self, data: bytes) -> None:
        """Send all of `data`. Raises TransientError `unreachable` (nothing sent) or
        `connection_lost`.
        """

    def read(self, size: int, timeout: float) -> bytes:
        """Return 1..size bytes, or b"" when none came within `timeout` seconds.

        Raises TransientError `unreachable` or `connection_lost`.
        """

    def discard_input(self) -> None:
        """Forget bytes that arrived and were not read (the rest of a torn frame)."""

    def close(self) -> None:
        """Close the wire; the next write or read opens it again."""


@dataclass(frozen=True)
class ApduAnswer:
    """The answer to one APDU: data and the two status bytes as one number (0x9000 is success)."""

    data: bytes
    sw: int


class CardTransport(Protocol):
    """One card slot that takes ISO 7816-4 APDUs."""

    def wait_for_change(self, *, is_present: bool, timeout: float) -> bool:
        """Wait until a card is (or is no longer) in the slot; answers whether that is so. Timeout
        in seconds.
        """

    def connect(self) -> bytes:
        """Power the card and return its ATR. Raises TransientError `no_card`, `card_unresponsive`,
        `no_reader`.
        """

    def transmit(self, apdu: bytes) -> ApduAnswer:
        """Send one APDU. Raises TransientError `card_removed` when the card left in between."""

    def disconnect(self) -> None:
        """Let go of the card; harmless when there is none."""

    def close(self) -> None:
        """Let go of the slot."""

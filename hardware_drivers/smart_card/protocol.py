"""What any card reader gives, and the card profiles: where on the card the number is, which is
configuration.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class CardKind(StrEnum):
    """Which card answered."""

    CONTACTLESS = "contactless"
    HEALTH_CARD = "health_card"


@dataclass(frozen=True)
class HospitalCard:
    """A card that names a patient: its number, and the chip's UID in upper-case hex when it has
    one.
    """

    kind: CardKind
    number: str = field(repr=False)
    uid: str = field(default="", repr=False)


@dataclass(frozen=True)
class ContactlessProfile:
    """Where a hospital wrote the card number on its MIFARE cards.

    `key` is the site's sector key (secret: from configuration, never shown), `key_type` 0x60 (A) or
    0x61 (B).
    """

    block: int = 4
    key: bytes = field(default=b"\xff" * 6, repr=False)
    key_type: int = 0x60


@dataclass(frozen=True)
class ContactProfile:
    """Where the number is on a contact card: application, elementary file, offset and length (WS/T
    543 by default).
    """

    application: bytes = bytes.fromhex("D1560000025774")
    file_id: bytes = bytes.fromhex("EF05")
    offset: int = 0
    length: int = 32


class CardReader(Protocol):
    """One slot. Not for two threads at once, except the event given to the waits."""

    def is_alive(self) -> bool:
        """Whether the slot exists and can be asked. Never raises."""

    def read(self) -> HospitalCard:
        """Read the card in the slot now.

        Raises TransientError `no_card`, `card_removed` (pulled in mid-read), `card_unresponsive`,
        `card_busy`, `no_reader`, `unreachable`; PermanentError `unknown_card` (wrong key, no such
        file, not a number).
        """

    def wait_for_card(
        self, timeout: float, cancelled: threading.Event | None = None
    ) -> HospitalCard | None:
        """Wait for a card and read it; None after `timeout` seconds or once `cancelled` is set.
        Raises as `read`.
        """

    def wait_for_removal(self, timeout: float, cancelled: threading.Event | None = None) -> bool:
        """Wait until the slot is empty; answers whether it is."""

    def close(self) -> None:
        """Let go of the slot."""

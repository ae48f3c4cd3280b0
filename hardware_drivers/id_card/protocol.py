"""What any ID-card reader gives: the card's content as a value, and how a missing card is said."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol


@dataclass(frozen=True)
class IdCard:
    """The printed content of a resident ID card.

    `sex` is a GB/T 2261.1 code ("1" male, "2" female), `ethnic_group` a GB/T 3304 code ("01"),
    `valid_until` None when the card says 长期. `photo` is WLT-compressed and needs a licensed
    decoder: keep the bytes, show none. Whether the card has expired is a rule of the flow that uses
    it, not of the driver.
    """

    name: str
    sex: str
    ethnic_group: str
    birth_date: date
    address: str
    number: str
    authority: str
    valid_from: date
    valid_until: date | None
    photo: bytes = field(default=b"")

    def __repr__(self) -> str:
        """Say nothing about the person: values end up in logs and tracebacks."""
        return "IdCard(<personal data>)"


class IdCardReader(Protocol):
    """One reader. Not for two threads at once, except `close` and the event given to
    `wait_for_card`.
    """

    def is_alive(self) -> bool:
        """Whether the reader answers on its line (card or not). Never raises."""

    def read(self) -> IdCard:
        """Read the card on the reader now.

        Raises TransientError `no_card` (also a card already read and not lifted), `select_failed`,
        `card_removed` (lifted while reading), `checksum`, `torn_frame`, `no_answer`, `unreachable`,
        `connection_lost`; PermanentError `foreigner_card`, `hmt_resident_card` (recognised, other
        layouts), `malformed_card`.
        """

    def wait_for_card(
        self, timeout: float, cancelled: threading.Event | None = None
    ) -> IdCard | None:
        """Poll until a card was read; None after `timeout` seconds or once `cancelled` is set.
        Raises as `read`.
        """

    def close(self) -> None:
        """Let go of the line."""

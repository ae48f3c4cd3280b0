"""What billing's columns share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.billing.rules import Channel
from backend.kernel.db import enum_column
from backend.kernel.ids import Id
from backend.kernel.permissions import ActorKind


def fen(**options: Any) -> Mapped[int]:
    """An amount in fen."""
    return mapped_column(BigInteger, **options)


class Handled:
    """Rows of money that somebody took or gave back, somewhere: what shifts and shares are counted by.

    ``actor_label`` is a staff code, a kiosk code or a program's name, never a patient's name.
    """

    channel: Mapped[Channel] = enum_column(Channel)
    actor_kind: Mapped[ActorKind] = enum_column(ActorKind)
    actor_id: Mapped[Id | None] = mapped_column(index=True)
    actor_label: Mapped[str] = mapped_column(String(80))

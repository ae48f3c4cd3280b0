"""What billing's columns share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
)
from sqlalchemy.orm import Mapped, mapped_column


def fen(**options: Any) -> Mapped[int]:
    return mapped_column(BigInteger, **options)

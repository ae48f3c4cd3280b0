"""The price list: items, and what each costs from a day on."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    CheckConstraint,
    Date,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.billing.models.columns import fen
from backend.billing.rules import (
    PriceCategory,
)
from backend.kernel.db import Base, HospitalOwned, Versioned, enum_column, fk, id_pk
from backend.kernel.ids import Id


class PriceItem(Versioned, HospitalOwned, Base):
    """One line of the price list; what it costs is in its versions."""

    __tablename__ = "billing_price_item"
    __table_args__ = (
        UniqueConstraint("hospital_id", "code"),
        Index(None, "hospital_id", "category", "code"),
    )

    id: Mapped[Id] = id_pk()
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    pinyin_initials: Mapped[str] = mapped_column(String(120), default="")
    unit: Mapped[str] = mapped_column(String(20))
    category: Mapped[PriceCategory] = enum_column(PriceCategory)
    is_active: Mapped[bool] = mapped_column(default=True)
    #: Moves ``version`` on also when only the item's prices changed.
    changed_at: Mapped[dt.datetime | None]


class PriceVersion(Base):
    """What an item costs from one day (included) until another (excluded, None = for good)."""

    __tablename__ = "billing_price_version"
    __table_args__ = (
        UniqueConstraint("item_id", "effective_from"),
        CheckConstraint("price_fen >= 0", name="price_not_negative"),
        CheckConstraint(
            "effective_until IS NULL OR effective_until > effective_from", name="lasts_a_day"
        ),
    )

    id: Mapped[Id] = id_pk()
    item_id: Mapped[Id] = fk("billing_price_item.id")
    price_fen: Mapped[int] = fen()
    effective_from: Mapped[dt.date] = mapped_column(Date)
    effective_until: Mapped[dt.date | None] = mapped_column(Date)

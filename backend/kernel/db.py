"""The declarative base, the column types and the row mix-ins every domain's tables share.

Table names are ``<domain>_<noun>``; foreign keys name tables, never another domain's class.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    Uuid,
    and_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import (
    DeclarativeBase,
    InstrumentedAttribute,
    Mapped,
    declared_attr,
    mapped_column,
)

from backend.kernel.errors import StaleVersion
from backend.kernel.ids import Id, new_id

#: The mark of a sealed column in ``Column.info``: the context its values are sealed for.
SEALED_FOR = "sealed_for"
#: A JSON column; JSONB on PostgreSQL.
Json = JSON().with_variant(JSONB(), "postgresql")
#: An ever-growing integer key that SQLite can also auto-increment.
BigKey = BigInteger().with_variant(Integer(), "sqlite")


def prefix_text(length: int) -> String:
    """Text that is searched by its beginning: compared by code point on both databases (see has_prefix)."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def has_prefix(column: InstrumentedAttribute[str], prefix: str) -> ColumnElement[bool]:
    """``column`` begins with ``prefix``, as a range that a plain index serves; for prefix_text columns."""
    return and_(column >= prefix, column < prefix + chr(0x10FFFF))


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware UTC moment. SQLite drops zones, so they are added and removed here; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """The one declarative base; its metadata is what the migrations are compared with."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dt.datetime: UtcDateTime, Id: Uuid(as_uuid=True), dict[str, Any]: Json}


def id_pk() -> Mapped[Id]:
    """An opaque primary key, made by the program."""
    return mapped_column(Uuid(as_uuid=True), primary_key=True, default=new_id)


def sequence_pk() -> Mapped[int]:
    """An ever-growing integer primary key, for append-only tables only."""
    return mapped_column(BigKey, primary_key=True, autoincrement=True)


def enum_column(kind: type[StrEnum], **options: Any) -> Mapped[Any]:
    """A StrEnum stored as text with a CHECK constraint (no native enum types: they are hard to change)."""

    def values(members: type[StrEnum]) -> list[str]:
        return [member.value for member in members]

    def snake(name: str) -> str:
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")

    length = max(len(member.value) for member in kind)
    column = Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        values_callable=values,
        length=max(length, 24),
        name=snake(kind.__name__),
    )
    return mapped_column(column, **options)


def fk(target: str, **options: Any) -> Mapped[Any]:
    """A foreign key to ``table.column``; never cascades, because nothing here is deleted."""
    return mapped_column(Uuid(as_uuid=True), ForeignKey(target), **options)


def sealed_column(context: str, **options: Any) -> Mapped[Any]:
    """A value sealed by the key ring for ``context`` (``table.thing``); named ``…_sealed``.

    The mark is the registry of ``xinglin keys rotate``: a sealed column without it is found by a test.
    """
    return mapped_column(LargeBinary, info={SEALED_FOR: context}, **options)


class Versioned:
    """Rows that people edit: SQLAlchemy counts ``version`` and refuses lost updates."""

    version: Mapped[int] = mapped_column(Integer, nullable=False, default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - declared_attr passes the class
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]


def check_version(row: Versioned, version: int) -> None:
    """Refuse a form that was opened before the row's last change (StaleVersion, 409)."""
    if row.version != version:
        raise StaleVersion


class HospitalOwned:
    """Rows that belong to one hospital."""

    @declared_attr
    def hospital_id(cls) -> Mapped[Id]:  # noqa: N805 - declared_attr passes the class
        return mapped_column(
            Uuid(as_uuid=True), ForeignKey("organization_hospital.id"), nullable=False, index=True
        )

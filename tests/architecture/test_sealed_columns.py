"""No sealed column can be forgotten by a rotation of keys: every binary column is registered, or a hash by its name."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, MetaData, Table

from backend.bootstrap import import_models
from backend.kernel.db import SEALED_FOR, Base
from backend.kernel.key_rotation import sealed_columns

#: What bytes may be kept that no key opens: digests and blind indices.
HASHES = ("_hash", "_index", "_digest")


def strange_columns(metadata: MetaData) -> list[str]:
    """Binary columns that are neither sealed by the ring nor called a hash, and sealed ones under another name."""
    return [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if (isinstance(column.type, LargeBinary) or column.name.endswith("_sealed"))
        and not column.name.endswith(HASHES)
        and not (SEALED_FOR in column.info and column.name.endswith("_sealed"))
    ]


def test_every_binary_column_is_registered_or_a_hash() -> None:
    import_models()
    assert strange_columns(Base.metadata) == []
    assert len(sealed_columns()) >= 6


def test_each_context_belongs_to_one_table() -> None:
    import_models()
    for one in sealed_columns():
        assert one.context.partition(".")[0] == one.table.name


def test_a_planted_column_is_found() -> None:
    planted = MetaData()
    Table("a", planted, Column("secret_sealed", LargeBinary), Column("token_hash", LargeBinary))
    Table("b", planted, Column("picture", LargeBinary))
    assert strange_columns(planted) == ["a.secret_sealed", "b.picture"]

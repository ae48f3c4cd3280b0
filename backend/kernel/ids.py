"""Public, opaque identifiers: UUID version 7, so that rows of one day lie together in an index."""

from __future__ import annotations

import uuid

from uuid_utils.compat import uuid7

Id = uuid.UUID


def new_id() -> Id:
    """A fresh identifier, unique without asking the database (RFC 9562, version 7)."""
    return uuid7()


def parse_id(text: str) -> Id | None:
    """The identifier written in ``text``, or None when it is none."""
    try:
        return uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None

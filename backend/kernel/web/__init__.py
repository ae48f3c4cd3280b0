"""Web plumbing shared by every blueprint: access, units of work, rendering, problems, health."""

from __future__ import annotations

from backend.kernel.web.access import current_actor, own_hospital_id, public, requires
from backend.kernel.web.context import (
    NavItem,
    Xinglin,
    idempotency_key,
    read_uow,
    write_uow,
    xinglin,
)
from backend.kernel.web.rendering import flash_undo, redirect_to, render

__all__ = [
    "NavItem",
    "Xinglin",
    "current_actor",
    "flash_undo",
    "idempotency_key",
    "own_hospital_id",
    "public",
    "read_uow",
    "redirect_to",
    "render",
    "requires",
    "write_uow",
    "xinglin",
]

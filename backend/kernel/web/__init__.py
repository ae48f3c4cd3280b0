"""Web plumbing shared by every blueprint: access, units of work, rendering, problems, health."""

from __future__ import annotations

from backend.kernel.web.access import current_actor, own_hospital_id, public, requires
from backend.kernel.web.context import (
    NavItem,
    Xinglin,
    idempotency_key,
    read_uow,
    required_key,
    write_uow,
    xinglin,
)
from backend.kernel.web.rendering import flash_undo, qr_picture, redirect_to, render

__all__ = [
    "NavItem",
    "Xinglin",
    "current_actor",
    "flash_undo",
    "idempotency_key",
    "own_hospital_id",
    "public",
    "qr_picture",
    "read_uow",
    "redirect_to",
    "render",
    "required_key",
    "requires",
    "write_uow",
    "xinglin",
]

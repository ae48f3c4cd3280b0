"""The pages of the organization: places and people, to look up and to edit."""

from __future__ import annotations

from backend.organization.backoffice import listing, room_editor, staff_editor
from backend.organization.backoffice.common import blueprint

NAV = listing.NAV

__all__ = ["NAV", "blueprint", "listing", "room_editor", "staff_editor"]

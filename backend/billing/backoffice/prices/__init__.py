"""The pages of the price list: the list, an item's editor, imports."""

from __future__ import annotations

from backend.billing.backoffice.prices import editor, importing, listing
from backend.billing.backoffice.prices.common import blueprint

NAV = listing.NAV

__all__ = ["NAV", "blueprint", "editor", "importing", "listing"]

"""The pages of identity: start page, audit viewer, accounts, one's own second factor."""

from __future__ import annotations

from backend.identity.backoffice import (
    account_editor,
    accounts,
    audit_log,
    home,
    own_password,
    second_factor,
)
from backend.identity.backoffice.common import blueprint
from backend.identity.backoffice.home import home_blueprint

factor_blueprint = second_factor.blueprint
NAV = (*home.NAV, *accounts.NAV, *audit_log.NAV)

__all__ = [
    "NAV",
    "account_editor",
    "blueprint",
    "factor_blueprint",
    "home_blueprint",
    "own_password",
]

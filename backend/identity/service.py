"""Commands of identity: accounts, logging in and out, the second factor."""

from __future__ import annotations

from backend.identity.services.accounts import (
    create_account,
    set_active,
    set_password,
    unlock_account,
)
from backend.identity.services.second_factor import (
    begin_enrolment,
    confirm_enrolment,
    remove_factor,
    renew_recovery_codes,
    reset_factor,
    settle_code,
    settle_step_up,
)
from backend.identity.services.sessions import log_out, settle_login, touch_session

__all__ = [
    "begin_enrolment",
    "confirm_enrolment",
    "create_account",
    "log_out",
    "remove_factor",
    "renew_recovery_codes",
    "reset_factor",
    "set_active",
    "set_password",
    "settle_code",
    "settle_login",
    "settle_step_up",
    "touch_session",
    "unlock_account",
]

"""Commands of identity: accounts, logging in and out, the second factor."""

from __future__ import annotations

from backend.identity.services.accounts import (
    create_account,
    set_active,
    unlock_account,
)
from backend.identity.services.grants import grant_role, grant_words, revoke_role
from backend.identity.services.own_password import (
    change_own_password,
    check_new_password,
    issue_password,
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
    "change_own_password",
    "check_new_password",
    "confirm_enrolment",
    "create_account",
    "grant_role",
    "grant_words",
    "issue_password",
    "log_out",
    "remove_factor",
    "renew_recovery_codes",
    "reset_factor",
    "revoke_role",
    "set_active",
    "settle_code",
    "settle_login",
    "settle_step_up",
    "touch_session",
    "unlock_account",
]

"""Roles and what each allows, lockout, the life of a session, and where a login may lead. Pure functions.

Duties are kept apart as GB/T 22239-2019 (8.1.5) asks: the administrator manages accounts but reads no audit log,
the auditor reads the log but changes nothing, and neither opens patients' records. Who sets prices takes no money.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from flask_babel import lazy_gettext as _

from backend.kernel.ids import Id
from backend.kernel.permissions import Permission

MOST_FAILURES = 5
LOCKED_FOR = dt.timedelta(minutes=15)
#: A session ends at the latest after one long shift, however busy it was.
LONGEST_SESSION = dt.timedelta(hours=12)
#: The last act is written at most this often, so that reading pages writes next to nothing.
SEEN_EVERY = dt.timedelta(minutes=1)
SHORTEST_PASSWORD = 10
#: A one-time password handed out by an administrator can be used so long.
ONE_TIME_FOR = dt.timedelta(hours=24)
#: After the right password the code of the second factor is waited for so long.
CODE_WITHIN = dt.timedelta(minutes=5)
#: An enrolment is confirmed within this time, or begun anew.
ENROL_WITHIN = dt.timedelta(minutes=15)
#: Sensitive acts ask for a code again when the last one was shown longer ago.
FRESH_FOR = dt.timedelta(minutes=10)
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
_HOME = "/backoffice/"


class Role(StrEnum):
    """The roles of staff; an account may hold several, each in one department or in the whole hospital."""

    ADMINISTRATOR = "administrator"
    REGISTRAR = "registrar"
    CASHIER = "cashier"
    TRIAGE_NURSE = "triage_nurse"
    DOCTOR = "doctor"
    SCHEDULER = "scheduler"
    DEVICE_OPERATOR = "device_operator"
    AUDITOR = "auditor"
    FINANCE = "finance"
    PRICE_CLERK = "price_clerk"


ROLE_WORDS: Mapping[Role, object] = {
    Role.ADMINISTRATOR: _("系统管理员"),
    Role.REGISTRAR: _("挂号员"),
    Role.CASHIER: _("收费员"),
    Role.TRIAGE_NURSE: _("分诊护士"),
    Role.DOCTOR: _("医生"),
    Role.SCHEDULER: _("排班员"),
    Role.DEVICE_OPERATOR: _("设备管理员"),
    Role.AUDITOR: _("审计员"),
    Role.FINANCE: _("财务"),
    Role.PRICE_CLERK: _("物价员"),
}

_EVERYONE = frozenset(
    {
        Permission.IDENTITY_SESSION_OWN,
        Permission.ORGANIZATION_LOCATION_READ,
        Permission.ORGANIZATION_STAFF_READ,
    }
)

#: What each role allows, besides what everyone who works here may do.
ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    role: _EVERYONE | permissions
    for role, permissions in {
        Role.ADMINISTRATOR: frozenset(
            {
                Permission.BILLING_PRICE_READ,
                Permission.DEVICES_KIOSK_READ,
                Permission.IDENTITY_ACCOUNT_MANAGE,
                Permission.KERNEL_DELIVERY_MANAGE,
                Permission.ORGANIZATION_LOCATION_WRITE,
                Permission.ORGANIZATION_STAFF_WRITE,
                Permission.SCHEDULING_SCHEDULE_READ,
            }
        ),
        Role.REGISTRAR: frozenset(
            {
                Permission.BILLING_DEPOSIT_MANAGE,
                Permission.BILLING_INVOICE_READ,
                Permission.BILLING_PAYMENT_TAKE,
                Permission.BILLING_PRICE_READ,
                Permission.BILLING_REFUND_REQUEST,
                Permission.BILLING_SHIFT_CLOSE,
                Permission.PATIENTS_PATIENT_READ,
                Permission.PATIENTS_PATIENT_REVEAL,
                Permission.PATIENTS_PATIENT_WRITE,
                Permission.QUEUEING_TICKET_MANAGE,
                Permission.QUEUEING_TICKET_READ,
                Permission.SCHEDULING_APPOINTMENT_WRITE,
                Permission.SCHEDULING_EXAMINATION_BOOK,
                Permission.SCHEDULING_SCHEDULE_READ,
            }
        ),
        Role.CASHIER: frozenset(
            {
                Permission.BILLING_CASE_CLOSE,
                Permission.BILLING_DEPOSIT_MANAGE,
                Permission.BILLING_INVOICE_READ,
                Permission.BILLING_PAYMENT_TAKE,
                Permission.BILLING_PRICE_READ,
                Permission.BILLING_REFUND_REQUEST,
                Permission.BILLING_SHIFT_CLOSE,
                Permission.PATIENTS_PATIENT_READ,
                Permission.SCHEDULING_SCHEDULE_READ,
            }
        ),
        Role.TRIAGE_NURSE: frozenset(
            {
                Permission.PATIENTS_PATIENT_READ,
                Permission.QUEUEING_TICKET_MANAGE,
                Permission.QUEUEING_TICKET_READ,
                Permission.SCHEDULING_EXAMINATION_BOOK,
                Permission.SCHEDULING_SCHEDULE_READ,
            }
        ),
        Role.DOCTOR: frozenset(
            {
                Permission.BILLING_EXECUTION_REVERSE,
                Permission.BILLING_PRICE_READ,
                Permission.CLINICAL_ENCOUNTER_READ,
                Permission.CLINICAL_ENCOUNTER_WRITE,
                Permission.PATIENTS_PATIENT_READ,
                Permission.QUEUEING_TICKET_CALL,
                Permission.QUEUEING_TICKET_READ,
                Permission.SCHEDULING_EXAMINATION_BOOK,
                Permission.SCHEDULING_SCHEDULE_READ,
                Permission.SCHEDULING_SLOT_ADD,
            }
        ),
        Role.SCHEDULER: frozenset(
            {
                Permission.SCHEDULING_SCHEDULE_GENERATE,
                Permission.SCHEDULING_SCHEDULE_MANAGE,
                Permission.SCHEDULING_SCHEDULE_READ,
                Permission.SCHEDULING_SLOT_ADD,
            }
        ),
        Role.DEVICE_OPERATOR: frozenset(
            {Permission.DEVICES_KIOSK_MANAGE, Permission.DEVICES_KIOSK_READ}
        ),
        Role.AUDITOR: frozenset({Permission.IDENTITY_AUDIT_READ}),
        Role.FINANCE: frozenset(
            {
                Permission.BILLING_CASE_CLOSE,
                Permission.BILLING_DAY_CLOSE,
                Permission.BILLING_PRICE_READ,
                Permission.BILLING_RECONCILIATION_READ,
                Permission.INDICATORS_SHARE_READ,
            }
        ),
        Role.PRICE_CLERK: frozenset(
            {Permission.BILLING_PRICE_READ, Permission.BILLING_PRICE_WRITE}
        ),
    }.items()
}


#: Roles whose work has a department; what the others allow has none, so they are held in the whole hospital only.
DEPARTMENT_ROLES = frozenset({Role.DOCTOR, Role.REGISTRAR, Role.SCHEDULER, Role.TRIAGE_NURSE})

#: Roles that may not work without a second factor (outside the demo).
FACTOR_DEMANDED = frozenset({Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """A role held in one department, or (None) in the whole hospital."""

    role: Role
    department_id: Id | None = None


def grants_of(roles: Iterable[RoleGrant]) -> dict[Permission, frozenset[Id] | None]:
    """Each permission with the departments it holds in; None = the whole hospital, which outweighs any department."""
    grants: dict[Permission, frozenset[Id] | None] = {}
    for grant in roles:
        for permission in ROLE_PERMISSIONS[grant.role]:
            held = grants.get(permission, frozenset())
            if held is None or grant.department_id is None:
                grants[permission] = None
            else:
                grants[permission] = held | {grant.department_id}
    return grants


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failed logins of one account: how many since when, and until when it is locked."""

    count: int = 0
    since: dt.datetime | None = None
    locked_until: dt.datetime | None = None

    def is_locked(self, now: dt.datetime) -> bool:
        """True while no password opens the account."""
        return self.locked_until is not None and now < self.locked_until

    def after_failure(self, now: dt.datetime) -> Attempts:
        """One failure more. Five within a quarter of an hour lock the account for a quarter of an hour."""
        if self.is_locked(now):
            return self
        was_locked = self.locked_until is not None
        if self.since is None or was_locked or now - self.since >= LOCKED_FOR:
            count, since = 1, now
        else:
            count, since = self.count + 1, self.since
        return Attempts(count, since, now + LOCKED_FOR if count >= MOST_FAILURES else None)


def demands_factor(roles: Iterable[RoleGrant]) -> bool:
    """True when one of these roles may not work without a second factor."""
    return any(grant.role in FACTOR_DEMANDED for grant in roles)


def is_fresh(factor_at: dt.datetime | None, now: dt.datetime) -> bool:
    """True while a second factor shown at ``factor_at`` still covers sensitive acts."""
    return factor_at is not None and now - factor_at < FRESH_FOR


class SessionState(StrEnum):
    """What a session found by its cookie is good for."""

    LIVE = "live"
    IDLE = "idle"
    EXPIRED = "expired"
    ENDED = "ended"
    AWAITS_CODE = "awaits_code"
    CODE_LATE = "code_late"


def session_state(
    *,
    created_at: dt.datetime,
    last_seen_at: dt.datetime,
    ended_at: dt.datetime | None,
    now: dt.datetime,
    idle: dt.timedelta,
    awaits_code: bool = False,
) -> SessionState:
    """Whether the session still carries its person, and if not, why."""
    if ended_at is not None:
        return SessionState.ENDED
    if awaits_code:
        is_late = now - created_at >= CODE_WITHIN
        return SessionState.CODE_LATE if is_late else SessionState.AWAITS_CODE
    if now - created_at >= LONGEST_SESSION:
        return SessionState.EXPIRED
    return SessionState.IDLE if now - last_seen_at >= idle else SessionState.LIVE


def normalise_username(text: str) -> str:
    """The one spelling of a username: NFKC, lower case, without surrounding blanks."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def is_username(text: str) -> bool:
    """True for a normalised username of the allowed shape."""
    return _USERNAME.fullmatch(text) is not None


def is_strong_password(password: str, username: str) -> bool:
    """Long enough and without the username; length counts more than kinds of characters (NIST SP 800-63B 5.1.1)."""
    return len(password) >= SHORTEST_PASSWORD and username not in password.casefold()


def safe_next(target: str) -> str:
    """``target`` when it is a page of the back office on this server, else the start page.

    Browsers read a backslash as a slash and drop tabs and line ends, so anything with those is refused.
    """
    if any(ord(c) < 0x21 or c == "\\" for c in target):
        return _HOME
    parts = urlsplit(target)
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith(_HOME)
    return target if is_ours and ".." not in parts.path else _HOME

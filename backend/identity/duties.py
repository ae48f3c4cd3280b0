"""Which duties are kept apart, whoever hands out the roles. Pure functions over permissions: new roles are covered.

GB/T 22239-2019 (8.1.5): the administrator manages accounts but reads no audit log and opens no patient's record; the
auditor reads the log and changes nothing. Who sets prices takes no money, and who manages accounts neither.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _

from backend.identity.rules import ROLE_PERMISSIONS, ROLE_WORDS, Role
from backend.kernel.permissions import Permission

APART = (
    (Permission.IDENTITY_ACCOUNT_MANAGE, Permission.IDENTITY_AUDIT_READ),
    (Permission.IDENTITY_ACCOUNT_MANAGE, Permission.PATIENTS_PATIENT_READ),
    (Permission.IDENTITY_ACCOUNT_MANAGE, Permission.BILLING_PAYMENT_TAKE),
    (Permission.IDENTITY_ACCOUNT_MANAGE, Permission.BILLING_PRICE_WRITE),
    (Permission.IDENTITY_AUDIT_READ, Permission.PATIENTS_PATIENT_READ),
    (Permission.BILLING_PRICE_WRITE, Permission.BILLING_PAYMENT_TAKE),
)


def clashing_roles(roles: Iterable[Role]) -> tuple[Role, Role] | None:
    """Two of ``roles`` that one person may not hold together; None when all go together."""
    held = sorted(set(roles))
    for i, one in enumerate(held):
        for other in held[i + 1 :]:
            if _clash(ROLE_PERMISSIONS[one], ROLE_PERMISSIONS[other]):
                return one, other
    return None


def clash_words(pair: tuple[Role, Role]) -> str:
    """The clash in words."""
    one, other = (str(ROLE_WORDS[role]) for role in pair)
    return str(_("“%(one)s”和“%(other)s”不能由同一个人担任", one=one, other=other))


def _clash(one: frozenset[Permission], other: frozenset[Permission]) -> bool:
    if any((a in one and b in other) or (b in one and a in other) for a, b in APART):
        return True
    return any(
        Permission.IDENTITY_AUDIT_READ in reader and any(_changes(each) for each in doer)
        for reader, doer in ((one, other), (other, one))
    )


def _changes(permission: Permission) -> bool:
    return permission is not Permission.IDENTITY_SESSION_OWN and not permission.endswith(":read")

"""Duties that are kept apart, over every pair of roles there is."""

from __future__ import annotations

from itertools import combinations

import pytest

from backend.identity import duties
from backend.identity.rules import ROLE_PERMISSIONS, Role
from backend.kernel.permissions import Permission


@pytest.mark.parametrize(
    "pair",
    [
        (Role.ADMINISTRATOR, Role.AUDITOR),
        (Role.ADMINISTRATOR, Role.REGISTRAR),
        (Role.ADMINISTRATOR, Role.DOCTOR),
        (Role.ADMINISTRATOR, Role.PRICE_CLERK),
        (Role.AUDITOR, Role.CASHIER),
        (Role.AUDITOR, Role.SCHEDULER),
        (Role.PRICE_CLERK, Role.CASHIER),
        (Role.REGISTRAR, Role.PRICE_CLERK),
    ],
)
def test_what_is_kept_apart(pair: tuple[Role, Role]) -> None:
    assert duties.clashing_roles(pair) == tuple(sorted(pair))
    assert duties.clashing_roles(reversed(pair)) == tuple(sorted(pair))
    assert "不能由同一个人担任" in duties.clash_words(pair)


@pytest.mark.parametrize(
    "roles",
    [
        [],
        [Role.ADMINISTRATOR],
        [Role.ADMINISTRATOR, Role.SCHEDULER, Role.DEVICE_OPERATOR],
        [Role.REGISTRAR, Role.CASHIER, Role.TRIAGE_NURSE],
        [Role.DOCTOR, Role.DOCTOR, Role.SCHEDULER],
    ],
)
def test_what_goes_together(roles: list[Role]) -> None:
    assert duties.clashing_roles(roles) is None


def test_no_two_roles_together_open_what_no_role_alone_may() -> None:
    """Whatever roles there are: nobody both manages accounts and reads the log, sets prices and takes money."""
    for pair in combinations(Role, 2):
        held = ROLE_PERMISSIONS[pair[0]] | ROLE_PERMISSIONS[pair[1]]
        if {Permission.IDENTITY_ACCOUNT_MANAGE, Permission.IDENTITY_AUDIT_READ} <= held:
            assert duties.clashing_roles(pair)
        if {Permission.BILLING_PRICE_WRITE, Permission.BILLING_PAYMENT_TAKE} <= held:
            assert duties.clashing_roles(pair)
    for role in Role:
        assert (
            not {
                Permission.IDENTITY_ACCOUNT_MANAGE,
                Permission.IDENTITY_AUDIT_READ,
            }
            <= ROLE_PERMISSIONS[role]
        )

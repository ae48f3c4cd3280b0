"""Who may do what where: no grant, another hospital, another department."""

from __future__ import annotations

import pytest

from backend.kernel.errors import Forbidden
from backend.kernel.ids import new_id
from backend.kernel.permissions import (
    ANONYMOUS,
    Actor,
    ActorKind,
    Permission,
    has,
    require,
    system_actor,
)

HERE, THERE = new_id(), new_id()
SURGERY, ONCOLOGY = new_id(), new_id()
CALL, READ = Permission.QUEUEING_TICKET_CALL, Permission.QUEUEING_TICKET_READ
NURSE = Actor(ActorKind.STAFF, hospital_id=HERE, grants={CALL: frozenset({SURGERY}), READ: None})


def test_a_permission_that_was_not_granted_is_held_nowhere() -> None:
    assert not has(NURSE, Permission.BILLING_PAYMENT_TAKE)
    assert not has(ANONYMOUS, READ)


def test_a_grant_ends_at_the_hospital() -> None:
    assert has(NURSE, READ, hospital_id=HERE)
    assert not has(NURSE, READ, hospital_id=THERE)


def test_a_grant_in_one_department_ends_there() -> None:
    assert has(NURSE, CALL)
    assert has(NURSE, CALL, hospital_id=HERE, department_id=SURGERY)
    assert not has(NURSE, CALL, hospital_id=HERE, department_id=ONCOLOGY)
    assert not has(NURSE, CALL, hospital_id=THERE, department_id=SURGERY)


def test_a_grant_in_the_whole_hospital_holds_in_every_department() -> None:
    assert has(NURSE, READ, department_id=ONCOLOGY)


def test_a_grant_in_no_department_holds_in_none() -> None:
    nobody = Actor(ActorKind.STAFF, hospital_id=HERE, grants={CALL: frozenset()})
    assert not has(nobody, CALL, department_id=SURGERY)


def test_the_program_itself_may_everything_everywhere() -> None:
    system = system_actor("test")
    assert all(
        has(system, permission, hospital_id=THERE, department_id=ONCOLOGY)
        for permission in Permission
    )
    assert not has(system_actor("test", HERE), READ, hospital_id=THERE)


def test_require_names_the_permission_it_missed() -> None:
    require(NURSE, CALL, department_id=SURGERY)
    with pytest.raises(Forbidden) as refused:
        require(NURSE, CALL, department_id=ONCOLOGY)
    assert refused.value.facts == {"permission": "queueing:ticket:call"}


def test_permissions_are_alphabetical_and_of_one_shape() -> None:
    values = [permission.value for permission in Permission]
    assert values == sorted(values)
    for permission in Permission:
        assert permission.name == permission.value.replace(":", "_").replace("-", "_").upper()
        assert permission.value.count(":") == 2

"""Roles, lockout, the life of a session and where a login may lead."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from backend.identity import rules
from backend.identity.rules import Attempts, Role, RoleGrant, SessionState
from backend.kernel.permissions import Actor, ActorKind, Permission, has

NOW = dt.datetime(2026, 11, 23, 0, 30, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
WARD, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


def test_every_role_has_words_and_permissions() -> None:
    assert set(rules.ROLE_WORDS) == set(rules.ROLE_PERMISSIONS) == set(Role)


def test_duties_are_kept_apart() -> None:
    held = rules.ROLE_PERMISSIONS
    readers = {role for role in Role if Permission.IDENTITY_AUDIT_READ in held[role]}
    managers = {role for role in Role if Permission.IDENTITY_ACCOUNT_MANAGE in held[role]}
    openers = {role for role in Role if Permission.PATIENTS_PATIENT_READ in held[role]}
    assert readers == {Role.AUDITOR}
    assert managers == {Role.ADMINISTRATOR}
    assert not openers & {Role.ADMINISTRATOR, Role.AUDITOR, Role.SCHEDULER, Role.DEVICE_OPERATOR}


def test_every_permission_of_staff_is_given_by_some_role() -> None:
    given = frozenset().union(*rules.ROLE_PERMISSIONS.values())
    assert set(Permission) - given == {Permission.DEVICES_KIOSK_USE}


def test_a_role_in_one_department_holds_only_there() -> None:
    grants = rules.grants_of([RoleGrant(Role.DOCTOR, WARD), RoleGrant(Role.SCHEDULER)])
    actor = Actor(ActorKind.STAFF, grants=grants)
    assert has(actor, Permission.QUEUEING_TICKET_CALL, department_id=WARD)
    assert not has(actor, Permission.QUEUEING_TICKET_CALL, department_id=OTHER)
    assert has(actor, Permission.SCHEDULING_SCHEDULE_READ, department_id=OTHER)
    assert not has(actor, Permission.IDENTITY_AUDIT_READ)


def test_departments_of_one_role_add_up_and_the_whole_hospital_outweighs_them() -> None:
    doctor = Permission.CLINICAL_ENCOUNTER_WRITE
    two = rules.grants_of([RoleGrant(Role.DOCTOR, WARD), RoleGrant(Role.DOCTOR, OTHER)])
    assert two[doctor] == frozenset({WARD, OTHER})
    for order in ((WARD, None), (None, WARD)):
        assert rules.grants_of([RoleGrant(Role.DOCTOR, d) for d in order])[doctor] is None


def test_the_fifth_failure_locks_for_a_quarter_of_an_hour() -> None:
    attempts = Attempts()
    for minute in range(5):
        assert not attempts.is_locked(NOW + minute * MINUTE)
        attempts = attempts.after_failure(NOW + minute * MINUTE)
    assert attempts.locked_until == NOW + 19 * MINUTE
    assert attempts.is_locked(NOW + 18 * MINUTE)
    assert not attempts.is_locked(NOW + 19 * MINUTE)


def test_failures_far_apart_do_not_add_up_and_a_lock_is_not_prolonged() -> None:
    attempts = Attempts(4, NOW).after_failure(NOW + 15 * MINUTE)
    assert (attempts.count, attempts.locked_until) == (1, None)
    locked = Attempts(5, NOW, NOW + 15 * MINUTE)
    assert locked.after_failure(NOW + MINUTE) == locked
    assert locked.after_failure(NOW + 16 * MINUTE) == Attempts(1, NOW + 16 * MINUTE)


@pytest.mark.parametrize(
    ("age", "quiet", "has_ended", "state"),
    [
        (10, 14, False, SessionState.LIVE),
        (20, 15, False, SessionState.IDLE),
        (12 * 60, 0, False, SessionState.EXPIRED),
        (20, 0, True, SessionState.ENDED),
    ],
)
def test_session_states(age: int, quiet: int, has_ended: bool, state: SessionState) -> None:
    assert state is rules.session_state(
        created_at=NOW - age * MINUTE,
        last_seen_at=NOW - quiet * MINUTE,
        ended_at=NOW if has_ended else None,
        now=NOW,
        idle=15 * MINUTE,
    )


@pytest.mark.parametrize("target", ["/backoffice/", "/backoffice/audit?first=2026-11-01&q=a/b"])
def test_own_pages_are_safe(target: str) -> None:
    assert rules.safe_next(target) == target


@pytest.mark.parametrize(
    "target",
    [
        "",
        "backoffice/",
        "/login",
        "//evil.example/backoffice/",
        "https://evil.example/backoffice/",
        "/\\evil.example/backoffice/",
        "\\\\evil.example",
        "/\t/evil.example/backoffice/",
        "/backoffice/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "/backoffice/../../evil",
        " /backoffice/",
    ],
)
def test_every_other_target_leads_home(target: str) -> None:
    assert rules.safe_next(target) == "/backoffice/"


@pytest.mark.parametrize(
    ("typed", "name", "is_sound"),
    [
        ("  Admin ", "admin", True),
        ("ＤＯＣＴＯＲ.breast", "doctor.breast", True),
        ("a", "a", False),
        ("-x1", "-x1", False),
        ("张三", "张三", False),
        ("a" * 65, "a" * 65, False),
    ],
)
def test_usernames(typed: str, name: str, is_sound: bool) -> None:
    assert rules.normalise_username(typed) == name
    assert rules.is_username(name) is is_sound


def test_passwords_are_long_and_without_the_username() -> None:
    assert rules.is_strong_password("杏林春暖满山坡十个字", "admin")
    assert not rules.is_strong_password("short", "admin")
    assert not rules.is_strong_password("my-Admin-password", "admin")

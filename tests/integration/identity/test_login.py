"""Logging in on both databases: lockout counts strictly, sessions end, production refuses demo accounts."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from backend.identity import queries, service
from backend.identity.errors import AccountNotFound, PasswordWeak, UsernameInvalid, UsernameTaken
from backend.identity.models import StaffAccount, StaffSession
from backend.identity.passwords import HashedPassword
from backend.identity.rules import Role, RoleGrant, SessionState
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock
from backend.kernel.ids import new_id
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.databases import SYSTEM
from tests.factories.staff import make_account

IDLE = dt.timedelta(minutes=15)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def clinic(database: Database) -> Clinic:
    return make_clinic(database)


def attempt(
    database: Database, username: str, *, right: bool, allow_demo: bool = True
) -> str | None:
    with database.read(SYSTEM) as session:
        credentials = queries.find_credentials(session, username)
    with database.write(SYSTEM) as session:
        login = service.settle_login(
            session, credentials, is_password_right=right, allow_demo=allow_demo
        )
    return login.token if login else None


def reasons(database: Database) -> list[object]:
    with database.read(SYSTEM) as session:
        rows = session.scalars(
            select(AuditEvent)
            .where(AuditEvent.action == "identity.login_refused")
            .order_by(AuditEvent.id)
        )
        return [row.detail.get("reason") for row in rows]


def test_a_login_makes_a_session_that_knows_its_person(database: Database, clinic: Clinic) -> None:
    ward = clinic.department_id
    make_account(database, clinic, "Doctor", RoleGrant(Role.DOCTOR, ward), Role.SCHEDULER)
    token = attempt(database, " DOCTOR ", right=True)
    assert token is not None
    with database.read(SYSTEM) as session:
        staff = queries.find_session(session, token, idle=IDLE)
        kept = session.scalars(select(StaffSession.token_hash)).one()
    assert staff is not None
    assert staff.state is SessionState.LIVE
    assert (staff.name, staff.code, staff.hospital_name) == ("医生0", "P0", "杏林测试医院")
    assert staff.role_words == "医生、排班员"
    actor = staff.as_actor()
    assert actor.grants[Permission.CLINICAL_ENCOUNTER_WRITE] == frozenset({ward})
    assert actor.grants[Permission.SCHEDULING_SCHEDULE_GENERATE] is None
    assert actor.practitioner_id == clinic.practitioner_ids[0]
    assert token.encode() not in kept


def test_the_fifth_failure_locks_and_even_the_right_password_waits(
    database: Database, clinic: Clinic, clock: FixedClock
) -> None:
    make_account(database, clinic, "cashier", Role.CASHIER)
    for _ in range(5):
        assert attempt(database, "cashier", right=False) is None
    assert attempt(database, "cashier", right=True) is None
    clock.advance(14 * MINUTE)
    assert attempt(database, "cashier", right=True) is None
    clock.advance(MINUTE)
    assert attempt(database, "cashier", right=True) is not None
    assert reasons(database) == ["password"] * 5 + ["locked"] * 2


def test_a_success_forgets_failures_and_so_does_the_administrator(
    database: Database, clinic: Clinic
) -> None:
    account_id = make_account(database, clinic, "cashier", Role.CASHIER)
    for right in (False, False, False, False, True, False, False, False, False):
        attempt(database, "cashier", right=right)
    assert attempt(database, "cashier", right=True) is not None
    for _ in range(5):
        attempt(database, "cashier", right=False)
    with database.write(SYSTEM) as session:
        service.unlock_account(session, account_id, hospital_id=clinic.hospital_id)
    assert attempt(database, "cashier", right=True) is not None


def test_guesses_checked_at_the_same_time_do_not_outrun_the_lock(
    database: Database, clinic: Clinic
) -> None:
    """Six passwords were checked before any result was kept; the right one comes sixth and is refused."""
    make_account(database, clinic, "cashier", Role.CASHIER)
    with database.read(SYSTEM) as session:
        credentials = [queries.find_credentials(session, "cashier") for _ in range(6)]
    tokens = []
    for number, each in enumerate(credentials):
        with database.write(SYSTEM) as session:
            tokens.append(
                service.settle_login(session, each, is_password_right=number == 5, allow_demo=True)
            )
    assert tokens == [None] * 6


def test_a_password_replaced_while_it_was_checked_opens_nothing(
    database: Database, clinic: Clinic
) -> None:
    """Neither a login nor a change of one's own that was under way undoes the administrator's reset."""
    account_id = make_account(database, clinic, "cashier", Role.CASHIER)
    token = attempt(database, "cashier", right=True) or ""
    with database.read(SYSTEM) as session:
        credentials = queries.find_credentials(session, "cashier")
        staff = queries.find_session(session, token, idle=IDLE)
    assert credentials is not None
    assert staff is not None
    one_time, other = HashedPassword("$one-time"), HashedPassword("$other")
    with database.write(SYSTEM) as session:
        service.issue_password(
            session, account_id, hospital_id=clinic.hospital_id, password=one_time
        )
    with database.write(SYSTEM) as session:
        assert not service.settle_login(
            session, credentials, is_password_right=True, allow_demo=True, new_hash=other
        )
        assert not service.change_own_password(
            session,
            staff,
            is_current_right=True,
            checked_hash=credentials.password_hash,
            new=other,
        )
    with database.read(SYSTEM) as session:
        account = session.get_one(StaffAccount, account_id)
        assert (account.password_hash, account.must_change_password) == (one_time.text, True)
    assert reasons(database) == ["password"]


def test_unknown_closed_and_demo_accounts_are_refused(database: Database, clinic: Clinic) -> None:
    account_id = make_account(database, clinic, "cashier", Role.CASHIER)
    make_account(database, clinic, "demo", Role.AUDITOR, person=1, is_demo=True)
    token = attempt(database, "cashier", right=True)
    assert token is not None
    with database.write(SYSTEM) as session:
        service.set_active(session, account_id, hospital_id=clinic.hospital_id, is_active=False)
    assert attempt(database, "cashier", right=True) is None
    assert attempt(database, "nobody", right=False) is None
    assert attempt(database, "demo", right=True, allow_demo=False) is None
    assert attempt(database, "demo", right=True, allow_demo=True) is not None
    assert reasons(database) == ["inactive", None, "demo"]
    with database.read(SYSTEM) as session:
        staff = queries.find_session(session, token, idle=IDLE)
    assert staff is not None
    assert staff.state is SessionState.ENDED


def test_sessions_end_by_rest_by_age_and_by_logging_out(
    database: Database, clinic: Clinic, clock: FixedClock
) -> None:
    make_account(database, clinic, "cashier", Role.CASHIER)
    token = attempt(database, "cashier", right=True) or ""

    def state() -> SessionState:
        with database.read(SYSTEM) as session:
            staff = queries.find_session(session, token, idle=IDLE)
            assert staff is not None
            return staff.state

    for _ in range(51):
        clock.advance(14 * MINUTE)
        assert state() is SessionState.LIVE
        with database.write(SYSTEM, housekeeping=True) as session:
            staff = queries.find_session(session, token, idle=IDLE)
            assert staff is not None
            service.touch_session(session, staff)
    clock.advance(6 * MINUTE)
    assert state() is SessionState.EXPIRED
    token = attempt(database, "cashier", right=True) or ""
    clock.advance(15 * MINUTE)
    assert state() is SessionState.IDLE
    token = attempt(database, "cashier", right=True) or ""
    with database.write(SYSTEM) as session:
        assert service.log_out(session, token)
    with database.write(SYSTEM) as session:
        assert not service.log_out(session, token)
        assert not service.log_out(session, "never given")
    assert state() is SessionState.ENDED


def test_accounts_need_a_sound_free_name_and_a_strong_password(
    database: Database, clinic: Clinic
) -> None:
    def create(username: str, password: str) -> None:
        with database.write(SYSTEM) as session:
            service.create_account(
                session,
                hospital_id=clinic.hospital_id,
                username=username,
                password=password,
                practitioner_id=clinic.practitioner_ids[0],
                roles=[Role.AUDITOR],
            )

    make_account(database, clinic, "cashier", Role.CASHIER)
    with pytest.raises(UsernameTaken):
        create("CASHIER", "long enough to stay")
    with pytest.raises(UsernameInvalid):
        create("a b", "long enough to stay")
    with pytest.raises(PasswordWeak):
        create("auditor", "short")


def test_a_one_time_password_ends_the_sessions_and_another_hospital_cannot_set_it(
    database: Database, clinic: Clinic
) -> None:
    account_id = make_account(database, clinic, "cashier", Role.CASHIER)
    token = attempt(database, "cashier", right=True) or ""
    password = HashedPassword("$one-time")
    with pytest.raises(AccountNotFound), database.write(SYSTEM) as session:
        service.issue_password(session, account_id, hospital_id=new_id(), password=password)
    with database.write(SYSTEM) as session:
        service.issue_password(
            session, account_id, hospital_id=clinic.hospital_id, password=password
        )
    with database.read(SYSTEM) as session:
        staff = queries.find_session(session, token, idle=IDLE)
    assert staff is not None
    assert staff.state is SessionState.ENDED


def test_accounts_are_listed_with_roles_and_found_by_name(
    database: Database, clinic: Clinic
) -> None:
    make_account(database, clinic, "cashier", Role.CASHIER, Role.REGISTRAR)
    make_account(database, clinic, "auditor", Role.AUDITOR, person=1)
    for _ in range(5):
        attempt(database, "auditor", right=False)
    with database.read(SYSTEM) as session:
        hospital_id = clinic.hospital_id
        both = queries.list_accounts(session, hospital_id=hospital_id)
        assert [(a.username, a.role_words, a.is_locked) for a in both] == [
            ("auditor", "审计员", True),
            ("cashier", "收费员、挂号员", False),
        ]
        one = queries.list_accounts(session, hospital_id=hospital_id, text="CASH")
        assert [a.username for a in one] == ["cashier"]
        one = queries.list_accounts(session, hospital_id=hospital_id, role=Role.AUDITOR)
        assert [a.username for a in one] == ["auditor"]
        one = queries.list_accounts(session, hospital_id=hospital_id, text="p0")
        assert [a.username for a in one] == ["cashier"]
        assert not queries.list_accounts(session, hospital_id=new_id())

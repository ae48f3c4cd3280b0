"""The second factor on both databases: sealed at rest, counted with passwords, spent once, taken away whole."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from backend.identity import queries, service
from backend.identity.errors import CodeRefused, EnrolmentLate, OwnAccount
from backend.identity.models import RecoveryCode, SecondFactor
from backend.identity.rules import Role
from backend.identity.views import StaffView
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id
from backend.kernel.permissions import Actor, ActorKind
from backend.kernel.uow import Database, keys
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.databases import SYSTEM
from tests.factories.staff import FACTOR_SECRET, code_at, give_factor, make_account

STEP = dt.timedelta(seconds=30)


@pytest.fixture
def clinic(database: Database) -> Clinic:
    return make_clinic(database)


@pytest.fixture
def account_id(database: Database, clinic: Clinic) -> Id:
    made = make_account(database, clinic, "cashier", Role.CASHIER)
    give_factor(database, made)
    return made


def first_step(database: Database) -> str | None:
    with database.read(SYSTEM) as session:
        credentials = queries.find_credentials(session, "cashier")
    with database.write(SYSTEM) as session:
        login = service.settle_login(session, credentials, is_password_right=True, allow_demo=True)
    assert login is None or login.awaits_code
    return login.token if login else None


def second_step(database: Database, token: str | None, code: str) -> str | None:
    assert token is not None
    with database.write(SYSTEM) as session:
        return service.settle_code(session, token, code, allow_demo=True)


def staff_of(database: Database, token: str | None) -> StaffView:
    assert token is not None
    with database.read(SYSTEM) as session:
        found = queries.find_session(session, token, idle=dt.timedelta(minutes=15))
    assert found is not None
    return found


def test_the_secret_is_sealed_and_opens_for_its_column_only(
    database: Database, account_id: Id
) -> None:
    with database.read(SYSTEM) as session:
        sealed = session.scalars(select(SecondFactor.secret_sealed)).one()
        assert sealed is not None
        assert FACTOR_SECRET.encode() not in sealed
        assert keys(session).open(sealed, queries.FACTOR_CONTEXT) == FACTOR_SECRET


@pytest.mark.parametrize("steps", [-1, 0, 1])
@pytest.mark.usefixtures("account_id")
def test_a_clock_one_step_off_still_opens_and_the_code_is_spent(
    database: Database, clock: FixedClock, steps: int
) -> None:
    code = code_at(clock.now(), steps)
    assert second_step(database, first_step(database), code) is not None
    assert second_step(database, first_step(database), code) is None
    later = code_at(clock.now(), 2)
    clock.advance(2 * STEP)
    assert second_step(database, first_step(database), later) is not None


@pytest.mark.usefixtures("account_id")
def test_an_older_code_is_spent_by_a_newer_one(database: Database, clock: FixedClock) -> None:
    assert second_step(database, first_step(database), code_at(clock.now(), 1)) is not None
    assert second_step(database, first_step(database), code_at(clock.now(), 0)) is None


@pytest.mark.usefixtures("account_id")
def test_five_wrong_codes_lock_and_end_the_waiting_session(
    database: Database, clock: FixedClock
) -> None:
    token = first_step(database)
    for _ in range(5):
        assert second_step(database, token, "000000") is None
    assert second_step(database, token, code_at(clock.now())) is None
    assert first_step(database) is None
    clock.advance(dt.timedelta(minutes=15))
    assert second_step(database, token, code_at(clock.now())) is None
    assert second_step(database, first_step(database), code_at(clock.now())) is not None


def test_closing_the_account_between_the_steps_ends_the_login(
    database: Database, clinic: Clinic, account_id: Id, clock: FixedClock
) -> None:
    token = first_step(database)
    with database.write(SYSTEM) as session:
        service.set_active(session, account_id, hospital_id=clinic.hospital_id, is_active=False)
    assert second_step(database, token, code_at(clock.now())) is None


@pytest.mark.usefixtures("account_id")
def test_an_enrolment_ends_after_a_quarter_of_an_hour_and_leaves_the_old_phone_in_force(
    database: Database, clock: FixedClock
) -> None:
    token = second_step(database, first_step(database), code_at(clock.now()))
    staff = staff_of(database, token)
    with database.write(SYSTEM) as session:
        service.begin_enrolment(session, staff)
    with database.read(SYSTEM) as session:
        assert queries.get_factor(session, staff.account_id).pending_secret
    with pytest.raises(CodeRefused), database.write(SYSTEM) as session:
        service.confirm_enrolment(session, staff, "000000")
    clock.advance(dt.timedelta(minutes=15))
    with database.read(SYSTEM) as session:
        assert queries.get_factor(session, staff.account_id).pending_secret == ""
    with pytest.raises(EnrolmentLate), database.write(SYSTEM) as session:
        service.confirm_enrolment(session, staff, "000000")
    assert second_step(database, first_step(database), code_at(clock.now())) is not None


@pytest.mark.usefixtures("account_id")
def test_a_new_set_of_recovery_codes_withdraws_the_old(
    database: Database, clock: FixedClock
) -> None:
    staff = staff_of(database, second_step(database, first_step(database), code_at(clock.now())))
    with database.write(SYSTEM) as session:
        old = service.renew_recovery_codes(session, staff)
    with database.write(SYSTEM) as session:
        new = service.renew_recovery_codes(session, staff)
    assert second_step(database, first_step(database), old[0]) is None
    assert second_step(database, first_step(database), new[0]) is not None
    with database.read(SYSTEM) as session:
        assert queries.get_factor(session, staff.account_id).codes_left == 9
        kept = session.scalars(select(RecoveryCode.code_hash)).all()
        assert not any(code.encode() in digest for code in old + new for digest in kept)


def test_a_reset_leaves_nothing_behind_and_nobody_resets_their_own(
    database: Database, clinic: Clinic, account_id: Id, clock: FixedClock
) -> None:
    token = second_step(database, first_step(database), code_at(clock.now()))
    with database.write(SYSTEM) as session:
        service.renew_recovery_codes(session, staff_of(database, token))
    oneself = Actor(ActorKind.STAFF, id=account_id, hospital_id=clinic.hospital_id, label="P0")
    with pytest.raises(OwnAccount), database.write(oneself) as session:
        service.reset_factor(session, account_id, hospital_id=clinic.hospital_id, reason="手机丢失")
    with database.write(SYSTEM) as session:
        service.reset_factor(session, account_id, hospital_id=clinic.hospital_id, reason="手机丢失")
    with database.read(SYSTEM) as session:
        factor = session.scalars(select(SecondFactor)).one()
        assert (factor.secret_sealed, factor.pending_sealed) == (None, None)
        usable = select(func.count()).where(
            RecoveryCode.withdrawn_at.is_(None), RecoveryCode.used_at.is_(None)
        )
        assert session.scalar(usable) == 0
    assert staff_of(database, token).state.value == "ended"

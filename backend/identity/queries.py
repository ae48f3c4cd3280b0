"""Reads of identity: credentials, sessions, accounts."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from backend.identity.errors import AccountNotFound
from backend.identity.models import (
    RecoveryCode,
    SecondFactor,
    StaffAccount,
    StaffRole,
    StaffSession,
)
from backend.identity.rules import (
    ENROL_WITHIN,
    Role,
    RoleGrant,
    normalise_username,
    session_state,
)
from backend.identity.views import (
    AccountView,
    Credentials,
    FactorView,
    HomeFact,
    HomeFacts,
    StaffView,
)
from backend.kernel.ids import Id
from backend.kernel.uow import keys, now
from backend.organization.queries import Department, Hospital, Practitioner

__all__ = ["AccountView", "Credentials", "HomeFact", "HomeFacts", "Role", "RoleGrant", "StaffView"]


#: The column a second factor's secret is sealed for; an enrolment's secret moves there when it is confirmed.
FACTOR_CONTEXT = "identity_second_factor.secret"


def token_hash(token: str) -> bytes:
    """What is kept of a session's token. A plain hash is enough: the token is 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def find_credentials(session: Session, username: str) -> Credentials | None:
    """The account with this username (in any spelling), active or not; None when there is none."""
    row = session.execute(
        select(
            StaffAccount.id,
            StaffAccount.hospital_id,
            StaffAccount.password_hash,
            Practitioner.code,
        )
        .join(Practitioner, Practitioner.id == StaffAccount.practitioner_id)
        .where(StaffAccount.username == normalise_username(username))
    ).first()
    return Credentials(*row) if row else None


def find_session(session: Session, token: str, *, idle: dt.timedelta) -> StaffView | None:
    """The session of this token with its person and roles, whatever its state, in one query; None when unknown."""
    rows = session.execute(
        select(StaffSession, StaffAccount, Practitioner, Hospital.name, StaffRole, SecondFactor)
        .join(StaffAccount, StaffAccount.id == StaffSession.account_id)
        .join(Practitioner, Practitioner.id == StaffAccount.practitioner_id)
        .join(Hospital, Hospital.id == StaffAccount.hospital_id)
        .outerjoin(StaffRole, StaffRole.account_id == StaffAccount.id)
        .outerjoin(SecondFactor, SecondFactor.account_id == StaffAccount.id)
        .where(StaffSession.token_hash == token_hash(token))
        .order_by(StaffRole.role)
    ).all()
    if not rows:
        return None
    login, account, person, hospital_name, _role, factor = rows[0]
    return StaffView(
        session_id=login.id,
        account_id=account.id,
        hospital_id=account.hospital_id,
        hospital_name=hospital_name,
        practitioner_id=person.id,
        code=person.code,
        name=person.name,
        title=person.title,
        username=account.username,
        is_active=account.is_active and person.is_active,
        is_demo=account.is_demo,
        created_at=login.created_at,
        last_seen_at=login.last_seen_at,
        state=session_state(
            created_at=login.created_at,
            last_seen_at=login.last_seen_at,
            ended_at=login.ended_at,
            now=now(session),
            idle=idle,
            awaits_code=login.awaits_code,
        ),
        roles=tuple(RoleGrant(row[4].role, row[4].department_id) for row in rows if row[4]),
        has_factor=factor is not None and factor.is_confirmed,
        factor_at=login.factor_at,
        must_change_password=account.must_change_password,
    )


def get_account(session: Session, account_id: Id, *, hospital_id: Id) -> StaffAccount:
    """The account; AccountNotFound when it is not of this hospital."""
    account = session.get(StaffAccount, account_id)
    if account is None or account.hospital_id != hospital_id:
        raise AccountNotFound
    return account


def list_accounts(
    session: Session, *, hospital_id: Id, text: str = "", role: Role | None = None, most: int = 200
) -> Sequence[AccountView]:
    """Accounts by username, at most ``most``; ``text`` is found in username, name, pinyin or staff code."""
    statement = _account_rows(hospital_id).order_by(StaffAccount.username).limit(most)
    if wanted := text.strip().casefold():
        columns = (StaffAccount.username, Practitioner.name, Practitioner.pinyin)
        found = [column.contains(wanted, autoescape=True) for column in columns]
        statement = statement.where(or_(*found, Practitioner.code == wanted.upper()))
    if role is not None:
        holders = select(StaffRole.account_id).where(StaffRole.role == role)
        statement = statement.where(StaffAccount.id.in_(holders))
    return _account_views(session, statement)


def get_account_view(session: Session, account_id: Id, *, hospital_id: Id) -> AccountView:
    """One account as pages show it; AccountNotFound when it is not of this hospital."""
    found = _account_views(session, _account_rows(hospital_id).where(StaffAccount.id == account_id))
    if not found:
        raise AccountNotFound
    return found[0]


def _account_rows(
    hospital_id: Id,
) -> Select[StaffAccount, Practitioner, str, dt.datetime | None]:
    return (
        select(StaffAccount, Practitioner, Department.name, SecondFactor.confirmed_at)
        .join(Practitioner, Practitioner.id == StaffAccount.practitioner_id)
        .join(Department, Department.id == Practitioner.department_id)
        .outerjoin(SecondFactor, SecondFactor.account_id == StaffAccount.id)
        .where(StaffAccount.hospital_id == hospital_id)
    )


def _account_views(
    session: Session,
    statement: Select[StaffAccount, Practitioner, str, dt.datetime | None],
) -> list[AccountView]:
    """The accounts with their roles, in two queries."""
    rows = session.execute(statement).all()
    roles: dict[Id, list[RoleGrant]] = {}
    held = select(StaffRole).where(StaffRole.account_id.in_([row[0].id for row in rows]))
    for grant in session.scalars(held.order_by(StaffRole.role)):
        roles.setdefault(grant.account_id, []).append(RoleGrant(grant.role, grant.department_id))
    moment = now(session)
    return [
        AccountView(
            account_id=account.id,
            username=account.username,
            name=person.name,
            code=person.code,
            department_name=department_name,
            roles=tuple(roles.get(account.id, ())),
            is_active=account.is_active,
            is_demo=account.is_demo,
            is_locked=account.locked_until is not None and moment < account.locked_until,
            locked_until=account.locked_until,
            last_login_at=account.last_login_at,
            has_factor=factor_at is not None,
            must_change_password=account.must_change_password,
        )
        for account, person, department_name, factor_at in rows
    ]


def get_factor(session: Session, account_id: Id) -> FactorView:
    """The second factor of an account. Its secret is opened only while an enrolment waits for its first code."""
    factor = session.get(SecondFactor, account_id)
    if factor is None:
        return FactorView()
    left = session.scalar(
        select(func.count())
        .select_from(RecoveryCode)
        .where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.used_at.is_(None),
            RecoveryCode.withdrawn_at.is_(None),
        )
    )
    is_open = factor.pending_at is not None and now(session) - factor.pending_at < ENROL_WITHIN
    secret = ""
    if is_open and factor.pending_sealed is not None:
        secret = keys(session).open(factor.pending_sealed, FACTOR_CONTEXT)
    return FactorView(factor.confirmed_at, left or 0, secret)

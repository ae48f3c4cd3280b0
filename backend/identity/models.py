"""Tables of identity: accounts, the roles they hold, their sessions and second factors."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from backend.identity.rules import Role
from backend.kernel.db import Base, HospitalOwned, Versioned, enum_column, fk, id_pk, sealed_column
from backend.kernel.ids import Id


class EndReason(StrEnum):
    """Why a session was ended before its time."""

    LOGGED_OUT = "logged_out"
    REPLACED = "replaced"
    REVOKED = "revoked"


class StaffAccount(Base, Versioned, HospitalOwned):
    """A login of someone who works here. Usernames are unique in the whole group: the login page asks no hospital."""

    __tablename__ = "identity_staff_account"

    id: Mapped[Id] = id_pk()
    username: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    practitioner_id: Mapped[Id] = fk("organization_practitioner.id", index=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    is_demo: Mapped[bool] = mapped_column(default=False)
    failed_count: Mapped[int] = mapped_column(default=0)
    failed_since: Mapped[dt.datetime | None]
    locked_until: Mapped[dt.datetime | None]
    last_login_at: Mapped[dt.datetime | None]
    #: Came in with a one-time password, which ends then: nothing else is reached until it is changed.
    must_change_password: Mapped[bool] = mapped_column(default=False)
    password_ends_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]


class StaffRole(Base):
    """A role of an account, in one department or in the whole hospital."""

    __tablename__ = "identity_staff_role"
    __table_args__ = (UniqueConstraint("account_id", "role", "department_id"),)

    id: Mapped[Id] = id_pk()
    account_id: Mapped[Id] = fk("identity_staff_account.id", index=True)
    role: Mapped[Role] = enum_column(Role)
    department_id: Mapped[Id | None] = fk("organization_department.id")


class StaffSession(Base):
    """One login of one browser. The cookie carries a token of which only the SHA-256 is kept here."""

    __tablename__ = "identity_staff_session"

    id: Mapped[Id] = id_pk()
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[Id] = fk("identity_staff_account.id", index=True)
    created_at: Mapped[dt.datetime]
    last_seen_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    end_reason: Mapped[EndReason | None] = enum_column(EndReason)
    #: The password was right, the second factor is still to be shown: good for nothing else.
    awaits_code: Mapped[bool] = mapped_column(default=False)
    #: When the second factor was last shown in this session; sensitive acts ask for a fresh one.
    factor_at: Mapped[dt.datetime | None]


class SecondFactor(Base):
    """The authenticator program of an account: its secret, sealed by the key ring, and the last time step used.

    ``pending_*`` is an enrolment not yet confirmed by a code; until it is, the one before stays in force.
    """

    __tablename__ = "identity_second_factor"

    account_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=True), ForeignKey("identity_staff_account.id"), primary_key=True
    )
    secret_sealed: Mapped[bytes | None] = sealed_column("identity_second_factor.secret")
    pending_sealed: Mapped[bytes | None] = sealed_column("identity_second_factor.secret")
    pending_at: Mapped[dt.datetime | None]
    confirmed_at: Mapped[dt.datetime | None]
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)

    @property
    def is_confirmed(self) -> bool:
        """True when logging in asks for a code."""
        return self.secret_sealed is not None


class RecoveryCode(Base):
    """A one-time code for the day the phone is lost; only its SHA-256 is kept (the code is 80 random bits)."""

    __tablename__ = "identity_recovery_code"
    __table_args__ = (UniqueConstraint("account_id", "code_hash"),)

    id: Mapped[Id] = id_pk()
    account_id: Mapped[Id] = fk("identity_staff_account.id")
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    #: Replaced by a later set, or its factor was taken away.
    withdrawn_at: Mapped[dt.datetime | None]

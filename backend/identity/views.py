"""What identity shows to its pages and to the rest of the program: sessions, accounts, audit rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backend.identity.rules import ROLE_WORDS, RoleGrant, SessionState, grants_of
from backend.kernel.ids import Id
from backend.kernel.permissions import Actor, ActorKind


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is needed to check a password; read before, and checked again inside, the unit of work that logs in."""

    account_id: Id
    hospital_id: Id
    password_hash: str
    label: str


@dataclass(frozen=True, slots=True)
class NewLogin:
    """A session that was just started: its token, and whether a code is still to be shown."""

    token: str
    awaits_code: bool = False


@dataclass(frozen=True, slots=True)
class FactorView:
    """The second factor of an account; ``pending_secret`` only while an enrolment waits for its first code."""

    confirmed_at: dt.datetime | None = None
    codes_left: int = 0
    pending_secret: str = ""


@dataclass(frozen=True, slots=True)
class StaffView:
    """Who a session belongs to, with everything the shell of the back office shows."""

    session_id: Id
    account_id: Id
    hospital_id: Id
    hospital_name: str
    practitioner_id: Id
    code: str
    name: str
    title: str
    username: str
    is_active: bool
    is_demo: bool
    created_at: dt.datetime
    last_seen_at: dt.datetime
    state: SessionState
    roles: tuple[RoleGrant, ...]
    has_factor: bool = False
    factor_at: dt.datetime | None = None
    must_change_password: bool = False

    @property
    def role_words(self) -> str:
        """The roles in words, each once."""
        words = dict.fromkeys(str(ROLE_WORDS[grant.role]) for grant in self.roles)
        return "、".join(words) or _("没有角色")

    def as_actor(self) -> Actor:
        """The actor that units of work and access checks see."""
        return Actor(
            ActorKind.STAFF,
            id=self.account_id,
            hospital_id=self.hospital_id,
            label=self.code,
            grants=grants_of(self.roles),
            practitioner_id=self.practitioner_id,
        )


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account in the list of accounts."""

    account_id: Id
    username: str
    name: str
    code: str
    department_name: str
    roles: tuple[RoleGrant, ...]
    is_active: bool
    is_demo: bool
    is_locked: bool
    locked_until: dt.datetime | None
    last_login_at: dt.datetime | None
    has_factor: bool = False
    must_change_password: bool = False

    @property
    def role_words(self) -> str:
        """The roles in words, each once."""
        return "、".join(dict.fromkeys(str(ROLE_WORDS[grant.role]) for grant in self.roles))


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One audited act, as the viewer shows it."""

    id: int
    at: dt.datetime
    actor_kind: str
    actor_label: str
    action: str
    entity: str
    entity_id: str
    patient_id: Id | None
    detail: Mapping[str, Any]
    request_id: str
    seal_no: int | None
    seal_head: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Rows newest first; ``older`` continues behind the last one, empty when there are no more."""

    rows: tuple[AuditRow, ...]
    older: str = ""


@dataclass(frozen=True, slots=True)
class ChainState:
    """How far the audit chain reaches: its last number and hash, and what waits to be sealed since when."""

    sealed: int = 0
    head: str = ""
    unsealed: int = 0
    oldest_unsealed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the viewer asks for; times are half open, texts match whole values (``action`` its beginning)."""

    begin: dt.datetime | None = None
    end: dt.datetime | None = None
    actor: str = ""
    action: str = ""
    patient_id: Id | None = None
    entity: str = ""
    entity_id: str = ""
    request_id: str = ""
    before: tuple[dt.datetime, int] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class HomeFact:
    """A figure of today's work on the start page; ``endpoint`` is the page where the work is done."""

    words: str
    figure: str
    detail: str = ""
    endpoint: str = ""
    #: A state's tone (design/README.md) when the figure calls for somebody.
    tone: str = ""


#: What ``xinglin().parts["home_facts"]`` holds: each gives a figure, or None for those it does not concern.
HomeFacts = Callable[[Session, Actor], HomeFact | None]

"""Pure rules of the fleet: codes, credentials, how long things last, when a kiosk counts as online."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from enum import StrEnum

from flask_babel import lazy_gettext as _

#: Without 0/O, 1/I/L: people read these from a screen and type them.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8
CODE_LIFE = dt.timedelta(hours=24)
ONLINE_WITHIN = dt.timedelta(seconds=15)
SESSION_LIFE = dt.timedelta(minutes=3)


class PrintKind(StrEnum):
    """What is printed."""

    TICKET = "ticket"
    RECEIPT = "receipt"


class PrintState(StrEnum):
    """``ambiguous``: nobody knows whether paper came out; a person looks."""

    REQUESTED = "requested"
    PRINTED = "printed"
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"


PRINT_MOVES = {
    PrintState.REQUESTED: {PrintState.PRINTED, PrintState.FAILED, PrintState.AMBIGUOUS},
    PrintState.AMBIGUOUS: {PrintState.PRINTED, PrintState.FAILED},
    PrintState.PRINTED: set(),
    PrintState.FAILED: set(),
}

PRINT_WORDS = {
    PrintState.REQUESTED: _("打印中"),
    PrintState.PRINTED: _("已打印"),
    PrintState.FAILED: _("未打印"),
    PrintState.AMBIGUOUS: _("结果不明，待核对"),
}


class KioskState(StrEnum):
    """How a kiosk stands, for the fleet page."""

    NEW = "new"
    ONLINE = "online"
    OFFLINE = "offline"
    REVOKED = "revoked"


def new_code() -> str:
    """A fresh enrolment code."""
    return "".join(secrets.choice(CODE_ALPHABET) for _n in range(CODE_LENGTH))


def new_credential() -> str:
    """A fresh 256-bit credential."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """How codes, credentials and session tokens are stored: they are random, so a plain hash is enough."""
    return hashlib.sha256(secret.strip().encode()).digest()


def kiosk_state(
    *, is_enrolled: bool, is_revoked: bool, beat_at: dt.datetime | None, at: dt.datetime
) -> KioskState:
    """The state at ``at``."""
    if is_revoked:
        return KioskState.REVOKED
    if not is_enrolled:
        return KioskState.NEW
    is_fresh = beat_at is not None and at - beat_at <= ONLINE_WITHIN
    return KioskState.ONLINE if is_fresh else KioskState.OFFLINE

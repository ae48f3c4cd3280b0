"""One-time codes of the second factor: TOTP (RFC 6238) by pyotp, and recovery codes. Pure; time is an argument.

Six digits, SHA-1, steps of 30 seconds: what every authenticator program understands. A code counts in its own step
and one step to either side (clocks of phones run a little off), and only in a step later than the last one used.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets

import pyotp

STEP_SECONDS = 30
#: Steps to either side in which a code still counts.
SKEW_STEPS = 1
RECOVERY_CODES = 10
#: 80 random bits, so that a plain hash keeps them safe.
_RECOVERY_BYTES = 10
_GROUP = 4
#: RFC 4226 (requirement 6) asks for 128 bits at least and recommends 160.
_SECRET_CHARACTERS = 32
_ISSUER = "Xinglin"


def new_secret() -> str:
    """A fresh secret of 160 bits in base32, as authenticator programs take it by hand."""
    return pyotp.random_base32(_SECRET_CHARACTERS)


def provisioning_uri(secret: str, username: str) -> str:
    """What the QR code says (``otpauth://``), in ASCII: usernames are."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=_ISSUER)


def grouped(text: str) -> str:
    """``ABCD EFGH …``: a secret as people copy it by hand."""
    return " ".join(text[i : i + _GROUP] for i in range(0, len(text), _GROUP))


def step_of(moment: dt.datetime) -> int:
    """The number of the time step ``moment`` lies in."""
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: str, code: str, *, moment: dt.datetime, last_step: int) -> int | None:
    """The step whose code ``code`` is, or None. Steps up to ``last_step`` are spent: a code works once."""
    here = step_of(moment)
    totp = pyotp.TOTP(secret)
    for step in range(here - SKEW_STEPS, here + SKEW_STEPS + 1):
        is_right = hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())
        if is_right and step > last_step:
            return step
    return None


def is_totp(code: str) -> bool:
    """True for six digits; anything else can only be a recovery code."""
    return len(code) == 6 and code.isascii() and code.isdigit()


def normalise(text: str) -> str:
    """A code as typed, without the blanks and hyphens people put between its groups, in capitals."""
    return "".join(c for c in text.upper() if c not in " -\t\u3000")[:64]


def new_recovery_codes() -> list[str]:
    """Fresh codes for the day the phone is lost, as they are printed: ``ABCD-EFGH-IJKL-MNOP``."""
    made = []
    for _ in range(RECOVERY_CODES):
        text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()
        made.append("-".join(text[i : i + _GROUP] for i in range(0, len(text), _GROUP)))
    return made


def recovery_hash(code: str) -> bytes:
    """What is kept of a recovery code."""
    return hashlib.sha256(normalise(code).encode()).digest()

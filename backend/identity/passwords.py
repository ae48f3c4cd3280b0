"""Passwords as Argon2id hashes, and a verification that takes as long for unknown people as for known ones."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: OWASP's Argon2id setting for servers (19 MiB, two passes, one lane): about 50 ms of one core.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
#: Hashing is heavy on purpose; a flood of logins waits here instead of taking all memory.
_TURNS = threading.BoundedSemaphore(4)
LONGEST_PASSWORD = 256
#: Signs that nobody takes for another.
_CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class HashedPassword:
    """A password already hashed, so that a set-up which gives many accounts one password hashes it once."""

    text: str


def hash_password(password: str) -> HashedPassword:
    """The Argon2id hash, with parameters and salt inside."""
    with _TURNS:
        return HashedPassword(_HASHER.hash(password))


def new_one_time() -> str:
    """A password to be read aloud and typed once: twelve letters and digits (59 bits) without look-alikes, in fours."""
    letters = "".join(secrets.choice(_CLEAR) for _ in range(12))
    return "-".join(letters[i : i + 4] for i in range(0, 12, 4))


def is_right(password: str, stored: str | None) -> bool:
    """True when ``password`` fits ``stored``. With None (nobody of that name) it works as long and says False."""
    if len(password) > LONGEST_PASSWORD:
        password = ""
    with _TURNS:
        try:
            _HASHER.verify(stored or _nobodys(), password)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """True when the hash was made with weaker parameters than those in force."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")

"""Argon2id hashes, and the work done for people who do not exist."""

from __future__ import annotations

from backend.identity import passwords
from tests.factories.staff import PASSWORD, hashed


def test_only_the_right_password_fits() -> None:
    stored = hashed().text
    assert stored.startswith("$argon2id$")
    assert passwords.is_right(PASSWORD, stored)
    assert not passwords.is_right(PASSWORD + " ", stored)
    assert not passwords.is_right("x" * 10_000, stored)
    assert not passwords.needs_rehash(stored)


def test_nobody_has_no_password_and_a_broken_hash_opens_nothing() -> None:
    assert not passwords.is_right("nobody has this password", None)
    assert not passwords.is_right(PASSWORD, "not a hash")


def test_a_hash_with_weaker_parameters_wants_renewal() -> None:
    weak = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + "A" * 43
    assert passwords.needs_rehash(weak)

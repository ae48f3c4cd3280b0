"""Codes of the second factor against RFC 6238's own vectors, their window, and that a step is spent once."""

from __future__ import annotations

import base64
import datetime as dt

import pyotp
import pytest

from backend.identity import totp

#: RFC 6238, appendix B: the SHA-1 secret and its codes (the last six of eight digits).
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924"}


def at(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


@pytest.mark.parametrize(("seconds", "code"), VECTORS.items())
def test_the_codes_of_the_standard(seconds: int, code: str) -> None:
    step = totp.matching_step(SECRET, code, moment=at(seconds), last_step=0)
    assert step == seconds // 30


@pytest.mark.parametrize(
    ("seconds", "counts"),
    [(29, True), (30, True), (59, True), (89, True), (90, False), (-1, False)],
)
def test_a_code_counts_one_step_to_either_side(seconds: int, counts: bool) -> None:
    """287082 belongs to step 1 (30 to 59 s)."""
    base = 30 * 1_000_000  # far from zero, so that "one step early" exists
    code = pyotp.TOTP(SECRET).generate_otp(1_000_001)
    found = totp.matching_step(SECRET, code, moment=at(base + seconds), last_step=0)
    assert (found is not None) is counts


def test_a_spent_step_and_those_before_it_count_no_more() -> None:
    now = at(1111111109)
    step = totp.step_of(now)
    assert totp.matching_step(SECRET, "081804", moment=now, last_step=step - 1) == step
    assert totp.matching_step(SECRET, "081804", moment=now, last_step=step) is None
    assert totp.matching_step(SECRET, "081804", moment=now, last_step=step + 1) is None


@pytest.mark.parametrize("code", ["", "28708", "2870822", "２８７０８２", "abcdef", "é" * 6])
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert totp.matching_step(SECRET, code, moment=at(59), last_step=0) is None


def test_only_six_plain_digits_are_a_code_of_the_phone() -> None:
    assert totp.is_totp("287082")
    assert not totp.is_totp("28708２")
    assert not totp.is_totp("ABCDEFGHIJKLMNOP")


def test_a_code_may_be_typed_with_blanks_and_hyphens_in_any_case() -> None:
    assert totp.normalise(" 287 082 ") == "287082"
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == totp.RECOVERY_CODES
    typed = codes[0].lower().replace("-", " ")
    assert totp.recovery_hash(typed) == totp.recovery_hash(codes[0])
    assert totp.recovery_hash(codes[0]) != totp.recovery_hash(codes[1])
    assert codes[0].encode() not in totp.recovery_hash(codes[0])


def test_the_qr_code_carries_ascii_that_authenticators_understand() -> None:
    uri = totp.provisioning_uri(SECRET, "admin")
    assert uri.isascii()
    assert uri.startswith("otpauth://totp/Xinglin:admin?")
    assert f"secret={SECRET}" in uri
    assert len(base64.b32decode(totp.new_secret())) == 20
    assert totp.grouped("ABCDEFGHIJ") == "ABCD EFGH IJ"

"""Signatures and encryption against literal bytes."""

from __future__ import annotations

import base64
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from backend.sandbox import wire
from tests.unit.sandbox import vectors

PRIVATE = cast(RSAPrivateKey, load_pem_private_key(vectors.PRIVATE_KEY.encode(), None))
PUBLIC = cast(RSAPublicKey, load_pem_public_key(vectors.PUBLIC_KEY.encode()))
HEADER = (
    'WECHATPAY2-SHA256-RSA2048 mchid="1900009191",'
    'nonce_str="593BEC0C930BF1AFEB40B4A08C8FB242",signature="abc+/w==",'
    'timestamp="1554208460",serial_no="1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"'
)


def test_a_request_is_five_lines() -> None:
    message = wire.request_message(
        "GET",
        "/v3/refund/domestic/refunds/123123123123",
        "1554208460",
        "593BEC0C930BF1AFEB40B4A08C8FB242",
        b"",
    )
    assert message == vectors.REQUEST_MESSAGE
    assert wire.verify(PUBLIC, message, vectors.REQUEST_SIGNATURE)


def test_an_answer_is_three_lines_and_signed_as_openssl_signs() -> None:
    message = wire.answer_message(
        vectors.ANSWER_TIMESTAMP, vectors.ANSWER_NONCE, vectors.ANSWER_BODY
    )
    assert message == (
        b"1554209980\nc5ac7061fccab6bf3e254dcf98995b8c\n"
        b'{"code_url":"weixin://wxpay/bizpayurl?pr=p4lpSuKzz"}\n'
    )
    assert wire.sign(PRIVATE, message) == vectors.ANSWER_SIGNATURE


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "AAAA",
        "不是base64",
        "!" + vectors.REQUEST_SIGNATURE,
        wire.SIGNTEST_PREFIX + vectors.REQUEST_SIGNATURE,
        vectors.ANSWER_SIGNATURE,
    ],
)
def test_any_other_signature_fails(signature: str) -> None:
    assert not wire.verify(PUBLIC, vectors.REQUEST_MESSAGE, signature)


def test_one_changed_byte_fails() -> None:
    changed = vectors.REQUEST_MESSAGE.replace(b"GET", b"PUT")
    assert not wire.verify(PUBLIC, changed, vectors.REQUEST_SIGNATURE)


def test_a_resource_is_ciphertext_then_tag() -> None:
    sealed = wire.encrypt_resource(
        vectors.GCM_KEY, nonce=vectors.GCM_NONCE, associated_data="", plain=vectors.GCM_PLAIN
    )
    assert base64.b64decode(sealed) == vectors.GCM_SEALED


def test_the_authorization_header_is_read() -> None:
    given = wire.parse_authorization(HEADER)
    assert given.mchid == "1900009191"
    assert given.signature == "abc+/w=="
    assert given.serial_no == "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer abc",
        HEADER.replace("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3"),
        HEADER.replace('mchid="1900009191",', ""),
        HEADER + ',mchid="1900009191"',
        HEADER + ',extra="1"',
        HEADER.replace('"1554208460"', "1554208460"),
        HEADER.replace('timestamp="', "timestamp="),
    ],
)
def test_a_malformed_authorization_header_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match="authorization"):
        wire.parse_authorization(header)

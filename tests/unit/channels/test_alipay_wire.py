"""Our side of Alipay's signatures against OpenSSL's, and everything that must not be believed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from backend.channels import alipay_wire as wire
from tests.unit.sandbox import alipay_vectors as literal
from tests.unit.sandbox import vectors

PRIVATE = cast(RSAPrivateKey, load_pem_private_key(vectors.PRIVATE_KEY.encode(), None))
PUBLIC = cast(RSAPublicKey, load_pem_public_key(vectors.PUBLIC_KEY.encode()))
METHOD = "alipay.trade.query"
NAME = "alipay_trade_query_response"


def answer(text: str = literal.ANSWER_TEXT, signature: str = literal.ANSWER_SIGNATURE) -> bytes:
    return f'{{"{NAME}":{text},"sign":"{signature}"}}'.encode()


def test_a_request_is_signed_as_openssl_signs_it() -> None:
    message = wire.message_of(literal.REQUEST)
    assert message == literal.REQUEST_MESSAGE
    assert wire.sign(PRIVATE, message) == literal.REQUEST_SIGNATURE


def test_an_answer_signed_by_openssl_is_believed() -> None:
    opened = wire.open_answer(PUBLIC, METHOD, answer())
    assert opened["trade_status"] == "WAIT_BUYER_PAY"


def test_the_order_of_the_two_members_and_space_around_them_do_not_matter() -> None:
    body = f'{{ "sign" : "{literal.ANSWER_SIGNATURE}", "{NAME}" : {literal.ANSWER_TEXT} }}'
    assert wire.open_answer(PUBLIC, METHOD, body.encode())["code"] == "10000"


@pytest.mark.parametrize(
    "body",
    [
        answer(literal.ANSWER_TEXT.replace("25.00", "0.01")),
        answer(literal.ANSWER_TEXT.replace(",", ", ", 1)),
        answer(signature=literal.REQUEST_SIGNATURE),
        answer(signature=""),
        answer(signature=" " + literal.ANSWER_SIGNATURE),
        answer().replace(b"query_response", b"close_response"),
        b'{"error_response":{"code":"40002","msg":"Invalid Arguments"}}',
        b"{}",
        b"[]",
        b"\xff",
        b"",
        # Two objects of one name: one that is signed, one that would be read.
        f'{{"{NAME}":{literal.ANSWER_TEXT},"{NAME}":{{"code":"10000"}},'
        f'"sign":"{literal.ANSWER_SIGNATURE}"}}'.encode(),
        f'{{"sign":"{literal.ANSWER_SIGNATURE}","more":1,"{NAME}":{literal.ANSWER_TEXT}}}'.encode(),
    ],
)
def test_nothing_else_is(body: bytes) -> None:
    with pytest.raises(wire.Untrusted):
        wire.open_answer(PUBLIC, METHOD, body)


def test_a_notification_signed_by_openssl_is_believed() -> None:
    message = wire.message_of(literal.NOTICE, without=("sign", "sign_type"))
    wire.verify(PUBLIC, message, literal.NOTICE_SIGNATURE)
    with pytest.raises(wire.Untrusted):
        wire.verify(PUBLIC, message + b" ", literal.NOTICE_SIGNATURE)


def test_times_are_written_as_alipay_wants() -> None:
    moment = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    assert wire.to_beijing(moment) == "2026-11-24 00:30:00"
    assert wire.from_beijing("2026-11-24 00:30:00") == moment

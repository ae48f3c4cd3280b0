"""The platform's side of Alipay's wire against the same literal bytes as ours."""

from __future__ import annotations

import pytest

from backend.sandbox import wire as rsa2
from backend.sandbox.alipay import wire
from tests.unit.sandbox import alipay_vectors as literal
from tests.unit.sandbox.conftest import make_keys

KEYS = make_keys()


def test_a_request_signed_by_openssl_is_accepted() -> None:
    given = {**literal.REQUEST, "sign": literal.REQUEST_SIGNATURE}
    message = wire.request_message(given)
    assert message == literal.REQUEST_MESSAGE
    assert rsa2.verify(KEYS.merchant_public_key, message, literal.REQUEST_SIGNATURE)
    assert not rsa2.verify(KEYS.merchant_public_key, message + b"0", literal.REQUEST_SIGNATURE)


def test_an_answer_is_signed_over_its_exact_text() -> None:
    signature = rsa2.sign(KEYS.private_key, literal.ANSWER_TEXT.encode())
    assert signature == literal.ANSWER_SIGNATURE
    assert wire.answer_body("alipay.trade.query", literal.ANSWER_TEXT, signature) == (
        f'{{"alipay_trade_query_response":{literal.ANSWER_TEXT},"sign":"{signature}"}}'.encode()
    )


def test_a_notification_is_signed_without_sign_type() -> None:
    message = wire.notice_message({**literal.NOTICE, "sign": "x"})
    assert rsa2.sign(KEYS.private_key, message) == literal.NOTICE_SIGNATURE


@pytest.mark.parametrize("value", ["", "1.005", "0", "-1", "NaN", "Infinity", None, "x"])
def test_no_amount_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="no amount"):
        wire.fen(value)


def test_amounts_and_times() -> None:
    assert wire.fen("25.00") == 2500
    assert wire.yuan(1) == "0.01"
    assert wire.from_beijing(wire.beijing(1795397400.0)) == 1795397400.0

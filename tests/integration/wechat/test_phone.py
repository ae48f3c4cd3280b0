"""The payer's phone and the sandbox's controls over HTTP."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import segno

from backend.billing.ports import TradeState
from backend.wechat.pay import WeChatPayGateway
from tests.contract.wechat.sandbox_process import Sandbox, http

NUMBER = "XL20261123001"


@pytest.fixture
def code_url(gateway: WeChatPayGateway) -> str:
    return gateway.create_native(
        out_trade_no=NUMBER,
        amount_fen=38650,
        description="检验费、药费",
        expires_at=datetime.now(UTC) + timedelta(minutes=15),
    )


def post(sandbox: Sandbox, path: str, **options: Any) -> requests.Response:
    return http("POST", sandbox.url + path, **options)


def test_a_person_scans_a_picture_and_pays(
    sandbox: Sandbox, code_url: str, gateway: WeChatPayGateway
) -> None:
    assert "检验费、药费" in http("GET", sandbox.url + "/").text
    picture = io.BytesIO()
    segno.make_qr(code_url).save(picture, kind="png", scale=6)
    cashier = post(sandbox, "/phone/scan", files={"picture": ("qr.png", picture.getvalue())})
    assert cashier.status_code == 200
    assert "386.50" in cashier.text
    assert "付款给 杏林肿瘤医院" in cashier.text
    for _ in range(3):
        receipt = post(sandbox, cashier.url.removeprefix(sandbox.url) + "/pay")
        assert receipt.status_code == 200
        assert "支付成功" in receipt.text
    assert gateway.query(NUMBER).state is TradeState.SUCCESS


def test_a_pasted_text_is_scanned_too(sandbox: Sandbox, code_url: str) -> None:
    assert "386.50" in post(sandbox, "/phone/scan", data={"text": f"  {code_url} "}).text


@pytest.mark.parametrize("text", ["", "https://example.invalid/", "<script>alert(1)</script>"])
def test_another_text_is_refused_in_words(text: str, sandbox: Sandbox) -> None:
    answer = post(sandbox, "/phone/scan", data={"text": text})
    assert answer.status_code == 404
    assert "这不是付款二维码" in answer.text
    assert "<script>alert" not in answer.text


def test_a_file_that_is_no_picture_is_refused_in_words(sandbox: Sandbox) -> None:
    answer = post(sandbox, "/phone/scan", files={"picture": ("x.png", b"no picture")})
    assert answer.status_code == 422
    assert "无法打开这张图片" in answer.text


def test_a_program_looks_and_pays(sandbox: Sandbox, code_url: str) -> None:
    seen = sandbox.post("/phone/look", code_url=code_url)
    assert (seen["merchant"], seen["amount_fen"]) == ("杏林肿瘤医院", 38650)
    assert sandbox.pay(code_url)["state"] == "SUCCESS"
    again = post(sandbox, "/phone/pay", json={"code_url": code_url})
    assert again.status_code == 409
    assert again.headers["Content-Type"] == "application/problem+json"
    assert again.json()["code"] == "order_paid"


def test_a_closed_or_expired_order_is_refused(
    sandbox: Sandbox, code_url: str, gateway: WeChatPayGateway
) -> None:
    sandbox.put("/sandbox/clock", offset_seconds=3600)
    expired = post(sandbox, "/phone/pay", json={"code_url": code_url})
    assert (expired.status_code, expired.json()["code"]) == (409, "code_expired")
    sandbox.put("/sandbox/clock", offset_seconds=0)
    gateway.close(NUMBER)
    closed = post(sandbox, "/phone/look", json={"code_url": code_url})
    assert (closed.status_code, closed.json()["code"]) == (409, "order_closed")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/phone/pay", {}),
        ("POST", "/phone/pay", {"code_url": 7}),
        ("POST", "/phone/look", []),
        ("PUT", "/sandbox/faults", {"notification": "explode"}),
        ("PUT", "/sandbox/faults", "drop"),
        ("PUT", "/sandbox/clock", {"offset_seconds": "soon"}),
        ("PUT", "/sandbox/clock", {"offset_seconds": 1e12}),
        ("POST", "/sandbox/forge", {"out_trade_no": NUMBER, "forgery": "magic"}),
    ],
)
def test_a_wrong_request_is_a_problem(method: str, path: str, body: Any, sandbox: Sandbox) -> None:
    answer = http(method, sandbox.url + path, json=body)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_panel_sets_faults(sandbox: Sandbox) -> None:
    form = {"kind": "notification", "mode": "drop", "count": "2", "seconds": "1.5"}
    page = post(sandbox, "/phone/faults", data=form)
    assert page.status_code == 200
    assert "丢失 · 还有 2 次" in page.text
    assert sandbox.get("/sandbox/faults")["notification"]["mode"] == "drop"
    wrong = post(sandbox, "/phone/faults", data={**form, "count": "many"})
    assert wrong.status_code == 422


def test_other_sites_cannot_press_the_buttons(sandbox: Sandbox, code_url: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = post(sandbox, "/phone/scan", data={"text": code_url}, headers=headers)
    assert answer.status_code == 403


def test_pages_carry_a_strict_policy(sandbox: Sandbox) -> None:
    answer = http("GET", sandbox.url + "/phone")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in answer.text
    assert "<script>" not in answer.text


def test_orders_are_listed_with_what_was_refunded(
    sandbox: Sandbox, code_url: str, gateway: WeChatPayGateway
) -> None:
    (order,) = sandbox.get("/sandbox/orders")["orders"]
    assert (order["out_trade_no"], order["state"]) == (NUMBER, "NOTPAY")
    assert (order["amount_fen"], order["code_url"]) == (38650, code_url)
    assert order["refunded_fen"] == 0

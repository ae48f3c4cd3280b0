"""Alipay's one HTTP address: checks the signature, takes the fault of the day, acts, signs the answer."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from typing import Any, cast

from flask import Blueprint, Response, current_app, request

from backend.sandbox import wire as rsa2
from backend.sandbox.alipay import bill, trade, wire
from backend.sandbox.alipay.platform import AlipayPlatform
from backend.sandbox.alipay.trade import AlipayError
from backend.sandbox.downloads import SPOILED, WRONG_ROWS, read_bill, take_bill_fault
from backend.sandbox.dropped import cut
from backend.sandbox.faults import Fault, take_fault

blueprint = Blueprint("alipay", __name__, url_prefix="/alipay")
log = logging.getLogger("sandbox.alipay")
CLOCK_TOLERANCE = 600.0

#: Each method, under the name by which faults choose an operation.
OPERATIONS = {
    "alipay.trade.precreate": "native",
    "alipay.trade.query": "query",
    "alipay.trade.close": "close",
    "alipay.trade.cancel": "close",
    "alipay.trade.refund": "refund",
    "alipay.trade.fastpay.refund.query": "query_refund",
    "alipay.data.dataservice.bill.downloadurl.query": "alipay_bill",
}


def alipay() -> AlipayPlatform:
    """The platform this application serves."""
    return cast(AlipayPlatform, current_app.extensions["alipay"])


@blueprint.post("/gateway.do")
def gateway() -> Response:
    """Every method comes here as a form."""
    here, given = alipay(), request.form.to_dict()
    method, fault, answer = given.get("method", ""), Fault(), {}
    try:
        content = _check(given)
        number = content.get("out_trade_no")
        with here.store.write() as db:
            fault = take_fault(
                db,
                "api",
                out_trade_no=number if isinstance(number, str) else None,
                operation=OPERATIONS[method],
            )
        if fault.mode == "timeout":
            here.stopping.wait(fault.seconds)
            return cut()
        if fault.mode in ("error500", "rate_limited"):
            raise AlipayError("aop.ACQ.SYSTEM_ERROR", "系统异常", "20000")
        answer = {"code": "10000", "msg": "Success", **_act(method, content, given)}
    except AlipayError as error:
        log.info("%s refused: %s", method, error.sub_code)
        answer = {
            "code": error.code,
            "msg": "Business Failed" if error.code == "40004" else "Invalid Arguments",
            "sub_code": error.sub_code,
            "sub_msg": error.sub_msg,
        }
    if fault.mode == "lost_answer":
        return cut()
    text = wire.answer_text(answer)
    is_forged = fault.mode in ("bad_signature", "old_timestamp", "signtest")
    body = wire.answer_body(method or "error", text, here.sign(text.encode(), is_forged=is_forged))
    return Response(body, content_type="application/json;charset=utf-8")


@blueprint.get("/downloadBillFile.resource")
def download_bill() -> Response:
    """A bill, to whoever knows its address in time."""
    here = alipay()
    path = bill.find_bill(here.store.directory / "bills", request.args.get("fileId", ""))
    if path is None:
        return Response("文件不存在或链接已失效", 404, content_type="text/plain; charset=utf-8")
    with here.store.write() as db:
        spoiled = take_bill_fault(db, SPOILED, "alipay_bill")
    file = read_bill(path, spoiled, request.environ["werkzeug.socket"])
    headers = {"Content-Length": str(path.stat().st_size)}
    return Response(file, content_type="application/octet-stream", headers=headers)


def _check(given: dict[str, str]) -> dict[str, Any]:
    """The request's content, when it is the merchant's own, fresh and for a method we have."""
    here = alipay()
    if given.get("app_id") != here.keys.app_id:
        raise AlipayError("isv.invalid-app-id", "无效的AppID参数", "40002")
    is_plain = (given.get("charset"), given.get("sign_type"), given.get("version")) == (
        "utf-8",
        "RSA2",
        "1.0",
    )
    if not is_plain or not rsa2.verify(
        here.keys.merchant_public_key, wire.request_message(given), given.get("sign", "")
    ):
        raise AlipayError("isv.invalid-signature", "无效签名", "40002")
    try:
        age = abs(here.real_time() - wire.from_beijing(given.get("timestamp", "")))
    except ValueError as error:
        raise AlipayError("isv.invalid-timestamp", "非法的时间戳参数", "40002") from error
    if age > CLOCK_TOLERANCE:
        raise AlipayError("isv.invalid-timestamp", "非法的时间戳参数", "40002")
    if given.get("method") not in OPERATIONS:
        raise AlipayError("isv.invalid-method", "不存在的方法名", "40002")
    try:
        content = json.loads(given.get("biz_content", ""))
    except ValueError as error:
        raise AlipayError("isv.invalid-parameter", "参数无效", "40002") from error
    if not isinstance(content, dict):
        raise AlipayError("isv.invalid-parameter", "参数无效", "40002")
    return content


def _act(method: str, content: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    here = alipay()

    def refund(db: sqlite3.Connection, now: float) -> dict[str, Any]:
        number = content.get("out_trade_no")
        return trade.refund(
            db,
            content,
            now=now,
            take=lambda: take_fault(
                db, "refund", out_trade_no=number if isinstance(number, str) else None
            ),
        )

    def publish(db: sqlite3.Connection, now: float) -> dict[str, Any]:
        token = bill.make_bill(
            db,
            here.keys.seller_id,
            here.store.directory / "bills",
            content,
            now=now,
            fault=take_bill_fault(db, WRONG_ROWS, "alipay_bill"),
        )
        query = f"bizType=trade&fileType=csv.zip&fileId={token}"
        return {"bill_download_url": f"{request.host_url}alipay/downloadBillFile.resource?{query}"}

    acts: dict[str, Callable[[sqlite3.Connection, float], dict[str, Any]]] = {
        "alipay.trade.precreate": lambda db, now: trade.precreate(
            db, content, given.get("notify_url") or None, now
        ),
        "alipay.trade.query": lambda db, now: trade.query(db, content),
        "alipay.trade.close": lambda db, now: trade.close(db, content),
        "alipay.trade.cancel": lambda db, now: trade.cancel(db, content, now),
        "alipay.trade.refund": refund,
        "alipay.trade.fastpay.refund.query": lambda db, now: trade.query_refund(db, content, now),
        "alipay.data.dataservice.bill.downloadurl.query": publish,
    }
    refusal: AlipayError | None = None
    answer: dict[str, Any] = {}
    with here.store.write() as db:
        try:
            answer = acts[method](db, here.business_time(db))
        except AlipayError as error:
            # Raised after the commit: a fault that was used up stays used up.
            refusal = error
    if refusal is not None:
        raise refusal
    return answer

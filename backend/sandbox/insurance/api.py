"""The insurance centre over HTTP: one address a transaction, signed headers, one JSON envelope."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, request

from backend.sandbox.alipay.wire import fen, yuan
from backend.sandbox.dropped import cut
from backend.sandbox.faults import take_fault
from backend.sandbox.insurance import centre, statement
from backend.sandbox.insurance.keys import PATH
from backend.sandbox.payapi import platform
from backend.sandbox.trade import CHINA

blueprint = Blueprint("insurance", __name__, url_prefix=PATH)
log = logging.getLogger("sandbox.insurance")
TOLERANCE = 300


def _contract() -> dict[str, Any]:
    return cast("dict[str, Any]", current_app.extensions["insurance"])


@blueprint.post("/<infno>")
def transaction(infno: str) -> Response:
    """One transaction."""
    here = platform()
    body = request.get_json(silent=True)
    refusal = _check(infno, body)
    if refusal is not None or not isinstance(body, dict):
        return _reply(-1, refusal or "报文格式错误", {})
    with here.store.write() as db:
        fault = take_fault(db, "insurance", out_trade_no=None, operation=infno)
        code, words = 0, ""
        output: dict[str, Any] | bytes = {}
        if fault.mode == "refuse":
            code, words = -1, "系统繁忙，请稍后再试"
        elif fault.mode != "swallow":
            try:
                given, now = body["input"], here.business_time(db)
                if infno in statement.NUMBERS:
                    folder = here.store.directory / "bills"
                    output = statement.answer(db, folder, infno, given, now)
                else:
                    output = centre.answer(db, infno, given, body["msgid"], now)
            except centre.Refused as error:
                code, words = -1, str(error)
    if fault.mode in ("silent", "swallow"):
        return cut()
    if isinstance(output, bytes):
        return Response(output, content_type="application/octet-stream")
    if fault.mode == "differ" and "setlinfo" in output:
        sums = output["setlinfo"]
        sums["fund_pay_sumamt"] = yuan(fen(sums["fund_pay_sumamt"]) - 1)
        sums["psn_cash_pay"] = yuan(fen(sums["psn_cash_pay"]) + 1)
    if code:
        log.info("%s refused: %s", infno, words)
    return _reply(code, words, output)


def _check(infno: str, body: Any) -> str | None:
    """Why the request is not the hospital's own, or None."""
    contract, headers = _contract(), request.headers
    stamp, nonce = headers.get("x-tif-timestamp", ""), headers.get("x-tif-nonce", "")
    text = f"{stamp}{contract['secret_key']}{nonce}{stamp}"
    right = hashlib.sha256(text.encode()).hexdigest().upper()
    if headers.get("x-tif-paasid") != contract["paas_id"]:
        return "接入账号不存在"
    if not hmac.compare_digest(right, headers.get("x-tif-signature", "")):
        return "签名错误"
    if not stamp.isdecimal() or abs(platform().real_time() - int(stamp)) > TOLERANCE:
        return "时间戳已过期"
    if not isinstance(body, dict) or not isinstance(body.get("input"), dict):
        return "报文格式错误"
    if (body.get("infno"), body.get("fixmedins_code")) != (infno, contract["fixmedins_code"]):
        return "交易编号或机构编号不符"
    msgid = body.get("msgid")
    if not isinstance(msgid, str) or len(msgid) != 30:
        return "发送方报文 ID 应为 30 位"
    return None


def _reply(code: int, words: str, output: dict[str, Any]) -> Response:
    moment = datetime.fromtimestamp(platform().real_time(), CHINA)
    return jsonify(
        {
            "infcode": code,
            "inf_refmsgid": "110000" + moment.strftime("%Y%m%d%H%M%S") + secrets.token_hex(5),
            "refmsg_time": moment.strftime("%Y%m%d%H%M%S000"),
            "respond_time": moment.strftime("%Y%m%d%H%M%S000"),
            "err_msg": words,
            "output": output,
        }
    )

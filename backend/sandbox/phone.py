"""The payer's phone: scan a code, see what it asks, pay or not, look at the bills.

Pages for a person, and the same acts as JSON (`/phone/look`, `/phone/pay`) for a program that read
the code from a kiosk's picture. Beside the phone stands a panel that sets faults by hand.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from backend.sandbox import trade, wallet
from backend.sandbox.control import json_object, problem
from backend.sandbox.errors import ControlError, PhoneError
from backend.sandbox.faults import FORGERIES, list_faults, set_faults
from backend.sandbox.payapi import platform
from backend.sandbox.scan import read_payment_code

blueprint = Blueprint("phone", __name__, url_prefix="/phone")
LISTED = 30

MODE_WORDS = {
    "notification": {
        "normal": "正常送达",
        "delay": "延迟送达",
        "repeat": "重复送达",
        "reorder": "打乱顺序",
        "drop": "丢失",
        "forge": "伪造",
    },
    "api": {
        "normal": "正常应答",
        "timeout": "超时不应答",
        "error500": "系统错误 500",
        "lost_answer": "已处理但应答丢失",
        "rate_limited": "频率限制 429",
        "bad_signature": "应答签名错误",
        "old_timestamp": "应答时间过期",
        "signtest": "签名探测",
    },
    "refund": {
        "normal": "正常退款",
        "not_enough": "商户余额不足",
        "abnormal": "退款异常",
        "closed": "退款关闭",
        "slow": "退款缓慢",
    },
    "insurance": {
        "normal": "正常应答",
        "silent": "已处理但不应答",
        "swallow": "未处理也不应答",
        "refuse": "系统繁忙",
        "differ": "结算金额与预结算不符",
    },
    "einvoice": {
        "normal": "正常应答",
        "silent": "已处理但不应答",
        "swallow": "未处理也不应答",
        "refuse": "票据库存不足",
    },
    "bank": {
        "normal": "正常应答",
        "silent": "已处理但不应答",
        "swallow": "未处理也不应答",
        "slow": "应答很慢",
        "wrong_amount": "应答金额不符",
        "bad_mac": "应答 MAC 错误",
    },
}
FORGERY_WORDS = {
    "signature": "签名是别人的",
    "signtest": "签名探测流量",
    "timestamp": "十分钟前的时间戳",
    "serial": "不认识的公钥编号",
    "cipher": "密文解不开",
    "amount": "签名正确但金额不同",
}
NOTICE_WORDS = {
    "held": "等待乱序",
    "pending": "待发送",
    "sending": "发送中",
    "delivered": "已送达",
    "dropped": "已丢弃",
    "given_up": "已放弃",
}
KIND_WORDS = {
    "notification": "支付通知",
    "api": "接口应答",
    "refund": "退款处理",
    "bank": "银行前置",
    "insurance": "医保中心",
    "einvoice": "电子票据",
}
EVENT_WORDS = {
    "TRANSACTION.SUCCESS": "支付成功",
    "REFUND.SUCCESS": "退款成功",
    "REFUND.ABNORMAL": "退款异常",
    "REFUND.CLOSED": "退款关闭",
    "trade_status_sync": "支付成功",
}


@blueprint.app_template_filter("yuan")
def yuan(fen: int) -> str:
    """2500 → ``25.00``."""
    return f"{fen // 100:,}.{fen % 100:02d}"


@blueprint.app_template_filter("clock")
def clock(moment: float) -> str:
    """Epoch seconds → ``11月23日 09:30``."""
    when = datetime.fromtimestamp(moment, trade.CHINA)
    return f"{when.month}月{when.day}日 {when:%H:%M}"


@blueprint.app_template_filter("answer_words")
def answer_words(result: str | None) -> str:
    """How the merchant took a notification: ``HTTP 204``, or what broke, or — for not yet sent."""
    if result is None:
        return "—"
    if result.startswith("HTTP "):
        return result
    return "超时未应答" if "Timeout" in result else "连接不上"


@blueprint.before_request
def _same_site_only() -> None:
    """Another site open in the same browser must not press this phone's buttons."""
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "none") not in (
        "none",
        "same-origin",
    ):
        abort(403)


@blueprint.errorhandler(PhoneError)
def _show_refusal(error: PhoneError) -> tuple[str, int]:
    return _page("refusal", error=error), error.status


@blueprint.errorhandler(ControlError)
def _refuse_control(error: ControlError) -> Response:
    return problem(422, "bad_request", "请求有误", str(error))


@blueprint.errorhandler(RequestEntityTooLarge)
def _too_large(error: RequestEntityTooLarge) -> tuple[str, int]:
    refusal = PhoneError("too_large", "图片太大", "请选择 12 MB 以内的图片", 413)
    return _page("refusal", error=refusal), 413


def _page(name: str, **values: Any) -> str:
    """One phone screen with the panel beside it."""
    here = platform()
    with here.store.read() as db:
        now = here.business_time(db)
        panel = {
            "faults": list_faults(db),
            "notices": db.execute(
                "SELECT * FROM notifications ORDER BY number DESC LIMIT 12"
            ).fetchall(),
        }
    return render_template(
        f"phone/{name}.html",
        merchant=here.keys.merchant_name,
        now=datetime.fromtimestamp(now, trade.CHINA),
        panel=panel,
        mode_words=MODE_WORDS,
        kind_words=KIND_WORDS,
        forgery_words={name: FORGERY_WORDS[name] for name in FORGERIES},
        notice_words=NOTICE_WORDS,
        event_words=EVENT_WORDS,
        **values,
    )


@blueprint.get("")
def home() -> str:
    """What can be paid, and what was."""
    here = platform()
    with here.store.read() as db:
        now = here.business_time(db)
        waiting = db.execute(wallet.WAITING, (now, LISTED)).fetchall()
        bills = db.execute(wallet.PAID, (LISTED,)).fetchall()
    return _page("home", waiting=waiting, bills=bills)


@blueprint.post("/scan")
def scan() -> BaseResponse:
    """A person scans: a pasted text, or a picture of the code."""
    picture = request.files.get("picture")
    text = request.form.get("text", "").strip()
    code_url = read_payment_code(picture.read()) if picture and picture.filename else text
    found = wallet.find(code_url)
    return redirect(url_for("phone.order", token=found.row["code_token"]), 303)


@blueprint.get("/order/<token>")
def order(token: str) -> str | BaseResponse:
    """The cashier screen of one order; a paid one shows its receipt."""
    code = wallet.code_of(token)
    if wallet.find(code).is_paid:
        return redirect(url_for("phone.result", token=token), 303)
    found = wallet.scan(code)
    return _page("order", order=found.row, wallet_name=found.wallet_name)


@blueprint.post("/order/<token>/pay")
def pay_order(token: str) -> BaseResponse:
    """The person confirms; pressing again leads to the same receipt."""
    code = wallet.code_of(token)
    if not wallet.find(code).is_paid:
        wallet.pay(code)
    return redirect(url_for("phone.result", token=token), 303)


@blueprint.get("/order/<token>/result")
def result(token: str) -> str | BaseResponse:
    """The receipt of a paid order."""
    found = wallet.find(wallet.code_of(token))
    if not found.is_paid:
        return redirect(url_for("phone.order", token=token), 303)
    return _page("result", order=found.row, wallet_name=found.wallet_name)


@blueprint.post("/faults")
def change_faults() -> BaseResponse:
    """The panel sets one kind of fault."""
    kind = request.form.get("kind", "")
    fault: dict[str, Any] = {"mode": request.form.get("mode", "")}
    try:
        if count := request.form.get("count", ""):
            fault["count"] = int(count)
        if seconds := request.form.get("seconds", ""):
            fault["seconds"] = float(seconds)
    except ValueError as error:
        raise ControlError("count and seconds: want numbers") from error
    if forgery := request.form.get("forgery"):
        fault["forgery"] = forgery
    with platform().store.write() as db:
        set_faults(db, {kind: fault})
    return redirect(url_for("phone.home"), 303)


def _json_code() -> str:
    code_url = json_object().get("code_url")
    if not isinstance(code_url, str):
        raise ControlError("code_url: want a text")
    return code_url


@blueprint.post("/look")
def look() -> Response:
    """What the phone shows after scanning: ``{"code_url"}`` → merchant, description, amount."""
    here = platform()
    try:
        found = wallet.scan(_json_code())
    except PhoneError as error:
        return problem(error.status, error.code, error.title, error.hint)
    row = found.row
    return jsonify(
        {
            "state": row["state"],
            "wallet": found.wallet,
            "merchant": here.keys.merchant_name,
            "description": row["description"],
            "amount_fen": row["total"],
            "out_trade_no": row["out_trade_no"],
            "time_expire": row["time_expire"],
        }
    )


@blueprint.post("/pay")
def pay() -> Response:
    """The phone scans and pays: ``{"code_url": …}`` → ``{"state": "SUCCESS", …}``."""
    try:
        row = wallet.pay(_json_code()).row
    except PhoneError as error:
        return problem(error.status, error.code, error.title, error.hint)
    return jsonify(
        {
            "state": row["state"],
            "out_trade_no": row["out_trade_no"],
            "amount_fen": row["total"],
            "transaction_id": row["transaction_id"],
            "paid_at": trade.rfc3339(row["paid_at"]),
        }
    )

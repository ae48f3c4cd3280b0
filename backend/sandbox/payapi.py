"""The v3 API over HTTP: first the signature, then the fault of the day, then the act."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, cast

from flask import Blueprint, Response, current_app, request

from backend.sandbox import bills, refunds, trade
from backend.sandbox.downloads import SPOILED, WRONG_ROWS, read_bill, take_bill_fault
from backend.sandbox.dropped import cut
from backend.sandbox.errors import PlatformError
from backend.sandbox.faults import Fault, take_fault
from backend.sandbox.platform import Platform
from backend.sandbox.store import find_one

blueprint = Blueprint("pay", __name__, url_prefix="/v3")
log = logging.getLogger("sandbox.pay")
MAX_BODY = 64 * 1024
#: API faults that leave the answer whole but its signature wrong, and how.
_SIGNATURE_FAULTS = {
    "bad_signature": "signature",
    "old_timestamp": "timestamp",
    "signtest": "signtest",
}


def platform() -> Platform:
    """The platform this application serves."""
    return cast(Platform, current_app.extensions["platform"])


def _call(
    operation: str, act: Callable[[], dict[str, Any] | None], out_trade_no: str | None
) -> Response:
    """Run one API operation with everything around it; `act` answers JSON or None (204)."""
    here = platform()
    fault = Fault()
    try:
        # The merchant signed the address as it went over the wire, still percent-encoded.
        here.check_request(
            request.headers.get("Authorization"),
            request.method,
            request.environ["REQUEST_URI"],
            request.get_data(),
        )
        with here.store.write() as db:
            fault = take_fault(db, "api", out_trade_no=out_trade_no, operation=operation)
        if fault.mode == "timeout":
            # Held until the merchant gives up; nothing is done. Ends at once when stopping.
            here.stopping.wait(fault.seconds)
            return cut()
        if fault.mode == "error500":
            raise PlatformError("SYSTEM_ERROR", "系统异常，请稍后重试")
        if fault.mode == "rate_limited":
            raise PlatformError("FREQUENCY_LIMITED", "频率限制，请降低请求频率")
        answer = act()
        status = 204 if answer is None else 200
    except PlatformError as error:
        answer, status = {"code": error.code, "message": error.message}, error.status
        log.info("%s refused: %s", operation, error.code)
    if fault.mode == "lost_answer":
        return cut()
    body = b"" if answer is None else json.dumps(answer, ensure_ascii=False).encode()
    headers = here.signed_headers(body, _SIGNATURE_FAULTS.get(fault.mode))
    content_type = None if answer is None else "application/json; charset=utf-8"
    return Response(body, status, headers, content_type=content_type)


def _json_body() -> dict[str, Any]:
    try:
        body = json.loads(request.get_data())
    except ValueError as error:
        raise PlatformError("PARAM_ERROR", "请求体不是合法的 JSON") from error
    if not isinstance(body, dict):
        raise PlatformError("PARAM_ERROR", "请求体应为 JSON 对象")
    return body


def _peek(name: str) -> str | None:
    """A text of the body for fault matching only, before anything is checked."""
    try:
        body = json.loads(request.get_data())
    except ValueError:
        return None
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else None


def _check_mchid(mchid: Any) -> None:
    if mchid != platform().keys.mchid:
        raise PlatformError("PARAM_ERROR", "mchid 与商户号不一致")


@blueprint.post("/pay/transactions/native")
def native() -> Response:
    """Native order: a code_url for the merchant to show as a QR code."""

    def act() -> dict[str, Any]:
        body, here = _json_body(), platform()
        with here.store.write() as db:
            code_url = trade.create_order(db, here.keys, body, here.business_time(db))
        return {"code_url": code_url}

    return _call("native", act, _peek("out_trade_no"))


def _query(statement: str, number: str) -> Response:
    def act() -> dict[str, Any]:
        _check_mchid(request.args.get("mchid"))
        here = platform()
        with here.store.read() as db:
            row = find_one(db, statement, number)
            if row is None:
                raise PlatformError("ORDER_NOT_EXIST", "订单不存在")
            return trade.order_json(row, here.keys)

    return _call("query", act, number)


@blueprint.get("/pay/transactions/out-trade-no/<out_trade_no>")
def query_by_out_trade_no(out_trade_no: str) -> Response:
    """Query by the merchant's number."""
    return _query(trade.BY_OUT_TRADE_NO, out_trade_no)


@blueprint.get("/pay/transactions/id/<transaction_id>")
def query_by_transaction_id(transaction_id: str) -> Response:
    """Query by the platform's number."""
    return _query(trade.BY_TRANSACTION_ID, transaction_id)


@blueprint.post("/pay/transactions/out-trade-no/<out_trade_no>/close")
def close(out_trade_no: str) -> Response:
    """Close an unpaid order; 204 without a body."""

    def act() -> None:
        _check_mchid(_json_body().get("mchid"))
        with platform().store.write() as db:
            trade.close_order(db, out_trade_no)

    return _call("close", act, out_trade_no)


@blueprint.post("/refund/domestic/refunds")
def refund() -> Response:
    """Ask for a refund; the same out_refund_no answers the same refund."""
    return _call("refund", lambda: platform().refund(_json_body()), _peek("out_trade_no"))


@blueprint.get("/refund/domestic/refunds/<out_refund_no>")
def query_refund(out_refund_no: str) -> Response:
    """Query one refund."""

    def act() -> dict[str, Any]:
        here = platform()
        with here.store.write() as db:
            here.settle(db)
            row = refunds.find_refund(db, out_refund_no)
            return refunds.refund_json(row, trade.find_order(db, row["out_trade_no"]))

    return _call("query_refund", act, None)


@blueprint.get("/bill/tradebill")
def trade_bill() -> Response:
    """Where the bill of a day lies, and the hash of its file."""

    def act() -> dict[str, Any]:
        here = platform()
        with here.store.write() as db:
            here.settle(db)
            bill = bills.make_bill(
                db,
                here.keys,
                here.store.directory / "bills",
                bill_date=request.args.get("bill_date", ""),
                bill_type=request.args.get("bill_type", "ALL"),
                now=here.business_time(db),
                fault=take_bill_fault(db, WRONG_ROWS, "tradebill"),
            )
        address = f"{request.host_url}v3/billdownload/file?token={bill.token}"
        return {"hash_type": "SHA1", "hash_value": bill.sha1, "download_url": address}

    return _call("tradebill", act, None)


@blueprint.get("/billdownload/file")
def download_bill() -> Response:
    """The file itself: asked for with a signature, answered without one (its hash is known)."""
    here = platform()
    try:
        here.check_request(
            request.headers.get("Authorization"), "GET", request.environ["REQUEST_URI"], b""
        )
        path = bills.find_bill(here.store.directory / "bills", request.args.get("token", ""))
    except PlatformError as error:
        body = json.dumps({"code": error.code, "message": error.message}, ensure_ascii=False)
        return Response(body, error.status, content_type="application/json; charset=utf-8")
    with here.store.write() as db:
        spoiled = take_bill_fault(db, SPOILED, "tradebill")
    file = read_bill(path, spoiled, request.environ["werkzeug.socket"])
    headers = {"Content-Length": str(path.stat().st_size)}
    return Response(file, content_type="application/octet-stream", headers=headers)

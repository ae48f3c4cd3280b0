"""The sandbox's own controls (JSON): faults, clock, what happened, begin again."""

from __future__ import annotations

import math
from typing import Any

from flask import Blueprint, Response, jsonify, request

from backend.sandbox import trade, wallet
from backend.sandbox.alipay.gateway import alipay
from backend.sandbox.errors import ControlError, PlatformError
from backend.sandbox.faults import FORGERIES, list_faults, set_faults
from backend.sandbox.payapi import platform

blueprint = Blueprint("control", __name__, url_prefix="/sandbox")
LONGEST_LIST = 500
LARGEST_OFFSET = 10 * 365 * 86400


def problem(status: int, code: str, title: str, detail: str = "") -> Response:
    """An application/problem+json answer."""
    answer = jsonify({"type": "about:blank", "status": status, "code": code, "title": title})
    if detail:
        answer = jsonify({**(answer.json or {}), "detail": detail})
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    return answer


def json_object() -> dict[str, Any]:
    """The request's JSON object; ControlError when it is none."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ControlError("want a JSON object")
    return body


@blueprint.errorhandler(ControlError)
def _refuse(error: ControlError) -> Response:
    return problem(422, "bad_request", "请求有误，未作任何改动", str(error))


@blueprint.get("/faults")
def get_faults() -> Response:
    """Every fault as it is set now."""
    with platform().store.read() as db:
        return jsonify(list_faults(db))


@blueprint.put("/faults")
def put_faults() -> Response:
    """Change some faults (see `faults.set_faults` for the two accepted shapes)."""
    body = json_object()
    with platform().store.write() as db:
        return jsonify(set_faults(db, body))


@blueprint.put("/clock")
def put_clock() -> Response:
    """Shift business time: ``{"offset_seconds": 86400}``."""
    offset = json_object().get("offset_seconds")
    if not isinstance(offset, int | float) or isinstance(offset, bool):
        raise ControlError("offset_seconds: want a number")
    if not math.isfinite(offset) or abs(offset) > LARGEST_OFFSET:
        raise ControlError("offset_seconds: want at most ten years")
    platform().set_clock_offset(float(offset))
    return jsonify({"offset_seconds": float(offset)})


@blueprint.post("/forge")
def forge() -> Response:
    """Send a forged "paid" notification for an order: ``{"out_trade_no", "forgery"}``."""
    body = json_object()
    if body.get("forgery", "signature") not in FORGERIES:
        raise ControlError(f"forgery: want one of {list(FORGERIES)}")
    try:
        number, forgery = str(body.get("out_trade_no")), str(body.get("forgery", "signature"))
        try:
            platform().forge(number, forgery)
        except PlatformError:
            alipay().forge(number, forgery)
    except PlatformError as error:
        return problem(404, "order_not_found", error.message)
    return jsonify({"queued": True})


@blueprint.get("/orders")
def get_orders() -> Response:
    """Orders, newest first, at most 500, with what was refunded of each."""
    with platform().store.read() as db:
        rows = db.execute(
            f"SELECT * FROM ({wallet.ORDERS}) ORDER BY created_at DESC LIMIT ?",  # noqa: S608
            (LONGEST_LIST,),
        ).fetchall()
    return jsonify(
        {
            "orders": [
                {
                    "wallet": row["wallet"],
                    "out_trade_no": row["out_trade_no"],
                    "description": row["description"],
                    "amount_fen": row["total"],
                    "refunded_fen": row["refunded"],
                    "state": row["state"],
                    "code_url": wallet.code_of(row["code_token"]),
                    "time_expire": row["time_expire"],
                    "created_at": trade.rfc3339(row["created_at"]),
                    "transaction_id": row["transaction_id"],
                }
                for row in rows
            ]
        }
    )


@blueprint.get("/notifications")
def get_notifications() -> Response:
    """Notifications and how their delivery went, newest first, at most 500."""
    with platform().store.read() as db:
        rows = db.execute(
            "SELECT event_id, subject, event_type, url, forgery, state, attempts, last_result"
            " FROM notifications ORDER BY number DESC LIMIT ?",
            (LONGEST_LIST,),
        ).fetchall()
    return jsonify({"notifications": [dict(row) for row in rows]})


@blueprint.post("/reset")
def reset() -> Response:
    """Forget everything but the keys."""
    platform().reset()
    return jsonify({"reset": True})

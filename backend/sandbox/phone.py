"""The payer's phone: scan a code, see what it asks, pay or not."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from backend.sandbox.control import json_object, problem
from backend.sandbox.errors import ControlError, PhoneError
from backend.sandbox.payapi import platform
from backend.sandbox.trade import rfc3339

blueprint = Blueprint("phone", __name__, url_prefix="/phone")


@blueprint.get("")
def home() -> str:
    return "phone"


@blueprint.post("/pay")
def pay() -> Response:
    """The phone scans and pays: ``{"code_url": …}`` → ``{"state": "SUCCESS", …}``."""
    try:
        code_url = json_object().get("code_url")
        if not isinstance(code_url, str):
            raise ControlError("code_url: want a text")
        row = platform().pay(code_url)
    except ControlError as error:
        return problem(422, "bad_request", "请求有误", str(error))
    except PhoneError as error:
        return problem(error.status, error.code, error.title, error.hint)
    return jsonify(
        {
            "state": row["state"],
            "out_trade_no": row["out_trade_no"],
            "amount_fen": row["total"],
            "transaction_id": row["transaction_id"],
            "paid_at": rfc3339(row["paid_at"]),
        }
    )

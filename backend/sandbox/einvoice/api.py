"""The bill platform over HTTP: `invoiceEBillOutpatient`, `getEBillByBusNo`, `writeOffEBill`, and the bill's page.

A request is ``{appid, data, noise, version, sign}``: data is the base64 of a JSON object, sign the MD5 over
the five with the key between, in capitals. Answers are signed the same way. A business number is one bill
for ever; asking for it again answers the bill that is there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request

from backend.sandbox.alipay.wire import fen, yuan
from backend.sandbox.dropped import cut
from backend.sandbox.einvoice.keys import PATH
from backend.sandbox.faults import take_fault
from backend.sandbox.payapi import platform
from backend.sandbox.store import find_one
from backend.sandbox.trade import CHINA

blueprint = Blueprint("einvoice", __name__, url_prefix=PATH)
log = logging.getLogger("sandbox.einvoice")
VERSION = "1.0"
BY_BUS_NO = "SELECT * FROM einvoices WHERE bus_no = ?"


class Refused(Exception):
    """A result other than S0000, with its message."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


def _contract() -> dict[str, Any]:
    return cast("dict[str, Any]", current_app.extensions["einvoice"])


def sign(contract: Mapping[str, Any], data: str, noise: str) -> str:
    """The MD5 of the envelope, as the platform defines it."""
    text = (
        f"appid={contract['app_id']}&data={data}&noise={noise}"
        f"&key={contract['key']}&version={VERSION}"
    )
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


@blueprint.post("/api/medical/<service>")
def call(service: str) -> Response:
    """One service."""
    here, contract = platform(), _contract()
    body = request.get_json(silent=True)
    code, answer = "S0000", {}
    try:
        given = _open(body, contract)
        act = _ACTS.get(service)
        if act is None:
            raise Refused("E0404", "服务不存在")
        with here.store.write() as db:
            fault = take_fault(db, "einvoice", out_trade_no=None, operation=service)
            if fault.mode == "refuse":
                code, answer = "E0001", {"words": "票据库存不足"}
            elif fault.mode != "swallow":
                answer = act(db, given, here.business_time(db))
        if fault.mode in ("silent", "swallow"):
            return cut()
    except Refused as refusal:
        code, answer = refusal.code, {"words": refusal.words}
    message = answer.get("words") if code != "S0000" else json.dumps(answer, ensure_ascii=False)
    data = _encoded({"result": code, "message": _encoded_text(str(message))})
    noise = secrets.token_hex(16)
    return jsonify({"data": data, "noise": noise, "sign": sign(contract, data, noise)})


def _encoded(value: Mapping[str, Any]) -> str:
    return _encoded_text(json.dumps(value, ensure_ascii=False))


def _encoded_text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _open(body: Any, contract: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(body, dict) or body.get("appid") != contract["app_id"]:
        raise Refused("E0101", "应用账号不存在")
    data, noise = str(body.get("data", "")), str(body.get("noise", ""))
    if body.get("version") != VERSION or not hmac.compare_digest(
        sign(contract, data, noise), str(body.get("sign", ""))
    ):
        raise Refused("E0102", "签名验证失败")
    try:
        given = json.loads(base64.b64decode(data, validate=True))
    except ValueError as error:
        raise Refused("E0103", "业务数据格式错误") from error
    if not isinstance(given, dict):
        raise Refused("E0103", "业务数据格式错误")
    return given


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value or len(value) > 200:
        raise Refused("E0104", f"{name} 不能为空")
    return value


def _issue(db: sqlite3.Connection, given: Mapping[str, Any], now: float) -> dict[str, Any]:
    bus_no = _text(given, "busNo")
    lines = given.get("chargeDetail")
    try:
        total = fen(given.get("totalAmt"))
        sums = [fen(line["amt"]) for line in lines or []]
    except (ValueError, TypeError, KeyError) as error:
        raise Refused("E0104", "金额有误") from error
    if sum(sums) != total:
        raise Refused("E0105", "明细合计与总金额不符")
    known = find_one(db, BY_BUS_NO, bus_no)
    if known is None:
        year = datetime.fromtimestamp(now, CHINA).strftime("%y")
        count = db.execute("SELECT COUNT(*) FROM einvoices").fetchone()[0]
        db.execute(
            "INSERT INTO einvoices (bus_no, batch_code, number, check_code, payer, total, lines,"
            " issued_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                bus_no,
                f"110601{year}",
                f"{count + 1:010d}",
                secrets.token_hex(3),
                _text(given, "payer"),
                total,
                json.dumps(lines, ensure_ascii=False),
                now,
            ),
        )
        known = find_one(db, BY_BUS_NO, bus_no)
    elif known["total"] != total:
        raise Refused("E0106", "业务流水号重复")
    return _told(known)


def _find(db: sqlite3.Connection, given: Mapping[str, Any], now: float) -> dict[str, Any]:
    row = find_one(db, BY_BUS_NO, _text(given, "busNo"))
    if row is None:
        raise Refused("E0107", "电子票据不存在")
    return _told(row)


def _write_off(db: sqlite3.Connection, given: Mapping[str, Any], now: float) -> dict[str, Any]:
    """A red bill over the whole of one that stands; again it is the same red bill."""
    row = find_one(
        db,
        "SELECT * FROM einvoices WHERE batch_code = ? AND number = ?",
        _text(given, "billBatchCode"),
        _text(given, "billNo"),
    )
    if row is None:
        raise Refused("E0107", "电子票据不存在")
    if row["red_number"] is None:
        count = db.execute(
            "SELECT COUNT(*) FROM einvoices WHERE red_number IS NOT NULL"
        ).fetchone()[0]
        db.execute(
            "UPDATE einvoices SET red_number = ?, red_reason = ?, red_at = ? WHERE bus_no = ?",
            (f"9{count + 1:09d}", _text(given, "reason"), now, row["bus_no"]),
        )
        row = find_one(db, BY_BUS_NO, row["bus_no"])
    return _told(row)


def _told(row: sqlite3.Row | None) -> dict[str, Any]:
    if row is None:
        raise LookupError("the bill just made")
    when = datetime.fromtimestamp(row["issued_at"], CHINA)
    page = f"{_contract()['base_url']}/bill/{row['batch_code']}/{row['number']}/{row['check_code']}"
    return {
        "busNo": row["bus_no"],
        "billBatchCode": row["batch_code"],
        "billNo": row["number"],
        "random": row["check_code"],
        "createTime": when.strftime("%Y%m%d%H%M%S000"),
        "totalAmt": yuan(row["total"]),
        "pictureUrl": page,
        "state": "2" if row["red_number"] is not None else "1",
        "scarletBillNo": row["red_number"] or "",
    }


_ACTS: dict[str, Callable[[sqlite3.Connection, Mapping[str, Any], float], dict[str, Any]]] = {
    "invoiceEBillOutpatient": _issue,
    "getEBillByBusNo": _find,
    "writeOffEBill": _write_off,
}


@blueprint.get("/bill/<batch_code>/<number>/<check_code>")
def show(batch_code: str, number: str, check_code: str) -> str:
    """The bill as a payer sees it who scans its code; 404 without the right check code."""
    with platform().store.read() as db:
        row = find_one(
            db,
            "SELECT * FROM einvoices WHERE batch_code = ? AND number = ? AND check_code = ?",
            *(batch_code, number, check_code),
        )
    if row is None:
        abort(404)
    return render_template(
        "einvoice/bill.html",
        bill=row,
        lines=json.loads(row["lines"]),
        agency=_contract()["agency_name"],
        issued=datetime.fromtimestamp(row["issued_at"], CHINA),
    )

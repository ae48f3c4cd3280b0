"""What the insurance centre does with each transaction number.

A credential's first three digits choose the person's insurance: 310 employees (70 %), 390 residents
(50 %); 999 is frozen, anything else unknown. Registration fees (type 12) are paid to a half of that.
Amounts in fen. Refusals are `Refused` with the words of err_msg.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from backend.sandbox.alipay.wire import fen, yuan
from backend.sandbox.store import find_one
from backend.sandbox.trade import CHINA, order_number

#: Per cent the fund pays, by kind of insurance.
RATES = {"310": 70, "390": 50}
REGISTRATION = "12"


class Refused(Exception):
    """infcode -1 with these words."""


def answer(
    db: sqlite3.Connection, infno: str, given: Mapping[str, Any], msgid: str, now: float
) -> dict[str, Any]:
    """The output of one transaction."""
    act = _ACTS.get(infno)
    if act is None:
        raise Refused(f"交易编号 {infno} 不存在")
    if find_one(db, "SELECT 1 FROM insurance_reversed WHERE msgid = ?", msgid) is not None:
        raise Refused("该报文已冲正")
    return act(db, given, msgid, now)


def _part(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = given.get(name)
    if not isinstance(part, dict):
        raise Refused(f"输入节点 {name} 缺失")
    return part


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(f"{name} 不能为空")
    return value


def _person(
    db: sqlite3.Connection, given: Mapping[str, Any], _m: str, _now: float
) -> dict[str, Any]:
    """1101: who holds this credential."""
    credential = _text(_part(given, "data"), "mdtrt_cert_no")
    kind = credential[:3]
    if kind == "999":
        raise Refused("参保人待遇已冻结")
    if kind not in RATES or not credential.isdecimal():
        raise Refused("未查询到参保人信息")
    number = "3100" + hashlib.sha256(credential.encode()).hexdigest()[:16]
    return {
        "baseinfo": {"psn_no": number, "psn_name": "参保人", "gend": "9"},
        "insuinfo": [
            {"insutype": kind, "psn_insu_stas": "1", "balc": "1000.00", "insuplc_admdvs": "110101"}
        ],
    }


def _register(
    db: sqlite3.Connection, given: Mapping[str, Any], _m: str, now: float
) -> dict[str, Any]:
    """2201: an outpatient registration, known again by the hospital's own number."""
    data = _part(given, "data")
    number, psn_no = _text(data, "ipt_otp_no"), _text(data, "psn_no")
    known = find_one(db, "SELECT * FROM insurance_visits WHERE ipt_otp_no = ?", number)
    if known is not None and known["state"] == "registered":
        return {"data": {"mdtrt_id": known["mdtrt_id"], "psn_no": psn_no, "ipt_otp_no": number}}
    if known is not None:
        raise Refused("该门诊号的登记已撤销")
    mdtrt_id = order_number("M", now, 20)
    db.execute(
        "INSERT INTO insurance_visits (mdtrt_id, psn_no, insutype, ipt_otp_no, state)"
        " VALUES (?, ?, ?, ?, 'registered')",
        (mdtrt_id, psn_no, _text(data, "insutype"), number),
    )
    return {"data": {"mdtrt_id": mdtrt_id, "psn_no": psn_no, "ipt_otp_no": number}}


def _visit(db: sqlite3.Connection, part: Mapping[str, Any]) -> sqlite3.Row:
    row = find_one(
        db,
        "SELECT * FROM insurance_visits WHERE mdtrt_id = ? AND psn_no = ?",
        _text(part, "mdtrt_id"),
        _text(part, "psn_no"),
    )
    if row is None or row["state"] != "registered":
        raise Refused("未查询到就诊登记信息")
    return row


def _cancel_registration(
    db: sqlite3.Connection, given: Mapping[str, Any], _m: str, _now: float
) -> dict[str, Any]:
    """2202: only without a settlement that stands."""
    row = _visit(db, _part(given, "data"))
    if _settled(db, row["mdtrt_id"]) is not None:
        raise Refused("存在有效结算，不能撤销登记")
    db.execute(
        "UPDATE insurance_visits SET state = 'cancelled' WHERE mdtrt_id = ?", (row["mdtrt_id"],)
    )
    return {}


def _visit_info(
    db: sqlite3.Connection, given: Mapping[str, Any], _m: str, _now: float
) -> dict[str, Any]:
    """2203: the visit and its diagnosis."""
    row = _visit(db, _part(given, "mdtrtinfo"))
    if not isinstance(given.get("diseinfo"), list) or not given["diseinfo"]:
        raise Refused("诊断信息不能为空")
    db.execute("UPDATE insurance_visits SET has_visit = 1 WHERE mdtrt_id = ?", (row["mdtrt_id"],))
    return {}


def _upload(
    db: sqlite3.Connection, given: Mapping[str, Any], _m: str, _now: float
) -> dict[str, Any]:
    """2204: the lines of the bill; a line again is the same line."""
    lines = given.get("feedetail")
    if not isinstance(lines, list) or not lines:
        raise Refused("费用明细不能为空")
    for line in lines:
        row = _visit(db, line)
        if not row["has_visit"]:
            raise Refused("未上传就诊信息")
        try:
            amount = fen(line.get("det_item_fee_sumamt"))
        except ValueError as error:
            raise Refused("费用金额有误") from error
        db.execute(
            "INSERT OR REPLACE INTO insurance_fees VALUES (?, ?, ?, ?, ?)",
            (
                row["mdtrt_id"],
                _text(line, "feedetl_sn"),
                _text(line, "chrg_bchno"),
                _text(line, "med_chrgitm_type"),
                amount,
            ),
        )
    return {"result": [{"feedetl_sn": line["feedetl_sn"]} for line in lines]}


def _cancel_fees(
    db: sqlite3.Connection, given: Mapping[str, Any], _m: str, _now: float
) -> dict[str, Any]:
    """2205: every line of the visit."""
    row = _visit(db, _part(given, "data"))
    if _settled(db, row["mdtrt_id"]) is not None:
        raise Refused("存在有效结算，不能撤销费用")
    db.execute("DELETE FROM insurance_fees WHERE mdtrt_id = ?", (row["mdtrt_id"],))
    return {}


def _settled(db: sqlite3.Connection, mdtrt_id: str) -> sqlite3.Row | None:
    return find_one(
        db,
        "SELECT * FROM insurance_settlements WHERE mdtrt_id = ? AND state = 'settled'",
        mdtrt_id,
    )


def _split(db: sqlite3.Connection, part: Mapping[str, Any]) -> tuple[sqlite3.Row, int, int]:
    row = _visit(db, part)
    rate, total, fund = RATES.get(row["insutype"], 0), 0, 0
    for fee in db.execute(
        "SELECT item_type, amount FROM insurance_fees WHERE mdtrt_id = ?", (row["mdtrt_id"],)
    ):
        total += fee["amount"]
        fund += fee["amount"] * rate // (200 if fee["item_type"] == REGISTRATION else 100)
    try:
        claimed = fen(part.get("medfee_sumamt"))
    except ValueError as error:
        raise Refused("费用总额有误") from error
    if total == 0 or claimed != total:
        raise Refused("费用总额与明细不符")
    return row, total, fund


def _sums(total: int, fund: int, account: int) -> dict[str, str]:
    return {
        "medfee_sumamt": yuan(total),
        "fund_pay_sumamt": yuan(fund),
        "acct_pay": yuan(account),
        "psn_cash_pay": yuan(total - fund - account),
    }


def _pre_settle(
    db: sqlite3.Connection, given: Mapping[str, Any], _m: str, _now: float
) -> dict[str, Any]:
    """2206: what 2207 would pay."""
    row, total, fund = _split(db, _part(given, "data"))
    return {"setlinfo": {"mdtrt_id": row["mdtrt_id"], **_sums(total, fund, 0)}}


def _settle(
    db: sqlite3.Connection, given: Mapping[str, Any], msgid: str, now: float
) -> dict[str, Any]:
    """2207: the fund pays."""
    row, total, fund = _split(db, _part(given, "data"))
    if _settled(db, row["mdtrt_id"]) is not None:
        raise Refused("该就诊已结算，不能重复结算")
    setl_id = order_number("S", now, 20)
    db.execute(
        "INSERT INTO insurance_settlements VALUES (?, ?, ?, ?, ?, 0, 'settled', NULL, ?)",
        (setl_id, row["mdtrt_id"], msgid, total, fund, now),
    )
    when = datetime.fromtimestamp(now, CHINA).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "setlinfo": {
            "setl_id": setl_id,
            "mdtrt_id": row["mdtrt_id"],
            "setl_time": when,
            **_sums(total, fund, 0),
        }
    }


def _cancel_settlement(
    db: sqlite3.Connection, given: Mapping[str, Any], msgid: str, now: float
) -> dict[str, Any]:
    """2208: the whole settlement, once."""
    part = _part(given, "data")
    row = find_one(
        db,
        "SELECT * FROM insurance_settlements WHERE setl_id = ? AND mdtrt_id = ?",
        _text(part, "setl_id"),
        _text(part, "mdtrt_id"),
    )
    if row is None or row["state"] == "reversed":
        raise Refused("未查询到结算信息")
    if row["state"] == "cancelled":
        raise Refused("该结算已撤销")
    db.execute(
        "UPDATE insurance_settlements SET state = 'cancelled', cancel_msgid = ? WHERE setl_id = ?",
        (msgid, row["setl_id"]),
    )
    db.execute("INSERT INTO insurance_cancellings VALUES (?, ?, ?)", (msgid, row["setl_id"], now))
    sums = {name: f"-{value}" for name, value in _sums(row["total"], row["fund"], 0).items()}
    return {"setlinfo": {"setl_id": order_number("C", now, 20), **sums}}


def _reverse(
    db: sqlite3.Connection, given: Mapping[str, Any], _m: str, _now: float
) -> dict[str, Any]:
    """2601: a settlement (2207) or its cancelling (2208) never was; also when it never arrived."""
    part = _part(given, "data")
    msgid, infno = _text(part, "omsgid"), _text(part, "oinfno")
    if infno == "2207":
        db.execute(
            "UPDATE insurance_settlements SET state = 'reversed'"
            " WHERE msgid = ? AND state = 'settled'",
            (msgid,),
        )
    elif infno == "2208":
        db.execute(
            "UPDATE insurance_settlements SET state = 'settled', cancel_msgid = NULL"
            " WHERE cancel_msgid = ?",
            (msgid,),
        )
        db.execute("DELETE FROM insurance_cancellings WHERE msgid = ?", (msgid,))
    else:
        raise Refused("该交易不支持冲正")
    db.execute("INSERT OR IGNORE INTO insurance_reversed VALUES (?)", (msgid,))
    return {}


_ACTS: dict[str, Callable[[sqlite3.Connection, Mapping[str, Any], str, float], dict[str, Any]]] = {
    "1101": _person,
    "2201": _register,
    "2202": _cancel_registration,
    "2203": _visit_info,
    "2204": _upload,
    "2205": _cancel_fees,
    "2206": _pre_settle,
    "2207": _settle,
    "2208": _cancel_settlement,
    "2601": _reverse,
}

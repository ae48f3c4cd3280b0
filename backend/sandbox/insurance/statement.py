"""The centre's statement with a hospital: 3201 totals, 3202 lines, 9101 and 9102 the files between.

Totals by kind of insurance; lines as tab-separated text in a ZIP. What was cancelled on a day counts negative on
that day, and once more; what was reversed never was. stmt_rslt of a line: 0 agrees, 101 the centre's alone, 102 the
hospital's alone, 103 other amounts. A day can be stated once it is over.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import secrets
import sqlite3
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.sandbox.alipay.wire import yuan
from backend.sandbox.downloads import WRONG_ROWS, take_bill_fault
from backend.sandbox.insurance.centre import Refused
from backend.sandbox.trade import CHINA

NUMBERS = ("3201", "3202", "9101", "9102")
_TOKEN = re.compile(r"[0-9a-f]{32}")
_ROWS = """
SELECT v.insutype, v.psn_no, s.mdtrt_id, s.setl_id, s.msgid, 1 AS sign, s.total, s.fund, s.account
  FROM insurance_settlements s JOIN insurance_visits v USING (mdtrt_id)
 WHERE s.state <> 'reversed' AND s.settled_at >= :first AND s.settled_at < :after
UNION ALL
SELECT v.insutype, v.psn_no, s.mdtrt_id, s.setl_id, c.msgid, -1, s.total, s.fund, s.account
  FROM insurance_cancellings c JOIN insurance_settlements s USING (setl_id) JOIN insurance_visits v USING (mdtrt_id)
 WHERE c.cancelled_at >= :first AND c.cancelled_at < :after
"""


def answer(
    db: sqlite3.Connection, folder: Path, infno: str, given: Mapping[str, Any], now: float
) -> dict[str, Any] | bytes:
    """The output of one transaction; bytes for a file (9102). Refused otherwise."""
    folder.mkdir(exist_ok=True, mode=0o700)
    if infno == "9101":
        part = _part(given, "fsUploadIn")
        try:
            data = bytes(part.get("in") or [])
        except (TypeError, ValueError) as error:
            raise Refused("文件内容有误") from error
        return {"file_qury_no": _keep(folder, data), "filename": str(part.get("filename"))}
    if infno == "9102":
        path = _path(folder, _part(given, "fsDownloadIn"))
        return path.read_bytes()
    data_part = _part(given, "data")
    rows = _rows(db, _day(data_part, now), take_bill_fault(db, WRONG_ROWS, infno))
    if infno == "3201":
        mine = [row for row in rows if row["insutype"] == data_part.get("insutype")]
        wanted = {
            **{
                name: _signed(sum(row["sign"] * row[column] for row in mine))
                for name, column in _SUMS
            },
            "fixmedins_setl_cnt": str(len(mine)),
        }
        is_equal = all(data_part.get(name) == value for name, value in wanted.items())
        words = "对账相符" if is_equal else "对账不符"
        return {"stmtinfo": {"stmt_rslt": "0" if is_equal else "1", "stmt_rslt_dscr": words}}
    try:
        sent = _unpack(_path(folder, data_part).read_bytes())
    except (ValueError, zipfile.BadZipFile, csv.Error) as error:
        raise Refused("对账明细文件有误") from error
    name = _keep(folder, _pack(_judge(rows, sent)))
    return {"fileinfo": {"file_qury_no": name, "filename": "result.txt.zip", "dld_endtime": ""}}


_SUMS = (("medfee_sumamt", "total"), ("fund_pay_sumamt", "fund"), ("acct_pay", "account"))


def _part(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = given.get(name)
    if not isinstance(part, dict):
        raise Refused(f"输入节点 {name} 缺失")
    return part


def _day(part: Mapping[str, Any], now: float) -> float:
    """The first second of the day that is stated."""
    if part.get("stmt_begndate") != part.get("stmt_enddate"):
        raise Refused("仅支持按日对账")
    try:
        day = dt.date.fromisoformat(str(part.get("stmt_begndate")))
    except ValueError as error:
        raise Refused("对账日期格式有误") from error
    first = dt.datetime.combine(day, dt.time.min, tzinfo=CHINA).timestamp()
    if now < first + 86400.0:
        raise Refused("对账日期未结束")
    return first


def _rows(db: sqlite3.Connection, first: float, fault: str) -> list[dict[str, Any]]:
    found = db.execute(_ROWS, {"first": first, "after": first + 86400.0})
    rows = sorted((dict(row) for row in found), key=lambda row: (row["setl_id"], -row["sign"]))
    if fault == "drop_row":
        rows = rows[1:]
    if fault == "wrong_amount" and rows:
        rows[0]["fund"] += 1
    if fault == "extra_row":
        rows.append(
            {
                "insutype": "310",
                "psn_no": "31000000000000000000",
                "mdtrt_id": "STRANGERVISIT",
                "setl_id": "STRANGERSETTLEMENT",
                "msgid": "0" * 30,
                "sign": 1,
                "total": 10000,
                "fund": 8800,
                "account": 0,
            }
        )
    return rows


def _judge(rows: list[dict[str, Any]], sent: list[list[str]]) -> list[list[str]]:
    """The hospital's lines with what becomes of each, then those that only the centre has."""
    ours = {(row["setl_id"], "0" if row["sign"] > 0 else "1"): row for row in rows}
    judged = []
    for line in sent:
        row = ours.pop((line[2], line[5]), None)
        if row is None:
            judged.append([*line[:4], "102", line[5], "中心无此记录", *line[7:]])
            continue
        amounts = [_signed(row["sign"] * row[column]) for _name, column in _SUMS]
        result = ["0", "相符"] if amounts == line[7:] else ["103", "金额不一致"]
        judged.append([*line[:4], result[0], line[5], result[1], *amounts])
    for (setl_id, flag), row in ours.items():
        amounts = [_signed(row["sign"] * row[column]) for _name, column in _SUMS]
        names = [row["psn_no"], row["mdtrt_id"], setl_id, row["msgid"]]
        judged.append([*names, "101", flag, "医疗机构无此记录", *amounts])
    return judged


def _keep(folder: Path, data: bytes) -> str:
    token = secrets.token_hex(16)
    (folder / f"{token}.statement").write_bytes(data)
    return token


def _path(folder: Path, part: Mapping[str, Any]) -> Path:
    token = str(part.get("file_qury_no"))
    path = folder / f"{token}.statement"
    if not _TOKEN.fullmatch(token) or not path.is_file():
        raise Refused("文件查询号不存在")
    return path


def _pack(lines: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\r\n").writerows(lines)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("result.txt", text.getvalue())
    return file.getvalue()


def _unpack(data: bytes) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (name,) = archive.namelist()
        text = archive.read(name).decode("utf-8")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True))
    if any(len(line) != 10 for line in lines):
        raise ValueError("a line of another length")
    return lines


def _signed(fen: int) -> str:
    return f"-{yuan(-fen)}" if fen < 0 else yuan(fen)

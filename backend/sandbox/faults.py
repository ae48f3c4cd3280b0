"""What may go wrong on purpose: faults of notifications, of the API and of refunds.

A fault has a mode, may be limited to `count` events, to one order and (API) to one operation, and
is used up under the store's lock, so parallel visits never share one.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from backend.sandbox.errors import ControlError
from backend.sandbox.store import get_setting, put_setting

MODES = {
    "notification": ("normal", "delay", "repeat", "reorder", "drop", "forge"),
    "api": (
        "normal",
        "timeout",
        "error500",
        "lost_answer",
        "rate_limited",
        "bad_signature",
        "old_timestamp",
        "signtest",
    ),
    "refund": ("normal", "not_enough", "abnormal", "closed", "slow"),
    # silent: done but not answered; swallow: neither done nor answered.
    "bank": ("normal", "silent", "swallow", "slow", "wrong_amount", "bad_mac"),
    # differ: settles for another sum than was announced.
    "insurance": ("normal", "silent", "swallow", "refuse", "differ"),
    "einvoice": ("normal", "silent", "swallow", "refuse"),
    # The first two spoil the download, the others make the day's bill itself wrong.
    "bill": ("normal", "corrupt", "cut", "drop_row", "extra_row", "wrong_amount"),
}
#: How a forged notification is wrong. `amount` is the only one with a valid signature.
FORGERIES = ("signature", "signtest", "timestamp", "serial", "cipher", "amount")
OPERATIONS = (
    *(
        "native",
        "query",
        "close",
        "refund",
        "query_refund",
        "tradebill",
        "alipay_bill",
        "bank_bill",
    ),
    *("1101", "2201", "2202", "2203", "2204", "2205", "2206", "2207", "2208", "2601"),
    *("3201", "3202", "9101", "9102"),
    *("invoiceEBillOutpatient", "getEBillByBusNo", "writeOffEBill"),
    *("sign_on", "sale", "reversal", "card_refund", "settlement"),
)
MAX_SECONDS = 3600.0
MAX_COUNT = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind's current fault.

    `seconds`: how long to delay or to hang. `count`: events it still touches, None = until changed.
    `times`: deliveries of a repeated notification, or size of a reordered group.
    `then_genuine`: send the true notification after the forged one.
    """

    mode: str = "normal"
    seconds: float = 3.0
    count: int | None = None
    times: int = 2
    forgery: str = "signature"
    then_genuine: bool = False
    operation: str | None = None
    out_trade_no: str | None = None


def get_fault(db: sqlite3.Connection, kind: str) -> Fault:
    """The fault now set for `kind` (a key of MODES)."""
    return Fault(**get_setting(db, f"fault:{kind}", {}))


def list_faults(db: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """Every kind's fault as JSON."""
    return {kind: asdict(get_fault(db, kind)) for kind in MODES}


def set_faults(db: sqlite3.Connection, request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Change the kinds named in `request` and answer all.

    A kind's value is a mode, with the options beside it (``{"notification": "drop", "count": 1}``),
    or an object of its own (``{"api": {"mode": "timeout", "seconds": 8}}``). ControlError names
    what is wrong; then nothing was changed.
    """
    names = {field.name for field in fields(Fault)} - {"mode"}
    unknown = set(request) - set(MODES) - names
    if unknown or not set(request) & set(MODES):
        raise ControlError(f"want one of {sorted(MODES)}; unknown: {sorted(unknown)}")
    beside = {name: request[name] for name in names & set(request)}
    for kind in MODES:
        if kind in request:
            put_setting(db, f"fault:{kind}", asdict(_parse(kind, request[kind], beside)))
    return list_faults(db)


def take_fault(
    db: sqlite3.Connection, kind: str, *, out_trade_no: str | None, operation: str | None = None
) -> Fault:
    """The fault that touches this event, used up by one; `Fault()` when none does."""
    fault = get_fault(db, kind)
    if fault.mode == "normal":
        return Fault()
    if fault.operation is not None and fault.operation != operation:
        return Fault()
    if fault.out_trade_no is not None and fault.out_trade_no != out_trade_no:
        return Fault()
    if fault.count is not None:
        left = fault.count - 1
        put_setting(db, f"fault:{kind}", asdict(replace(fault, count=left)) if left else {})
    return fault


def _parse(kind: str, value: Any, beside: dict[str, Any]) -> Fault:
    if isinstance(value, str):
        value = {"mode": value, **beside}
    if not isinstance(value, dict) or set(value) - {field.name for field in fields(Fault)}:
        raise ControlError(f"{kind}: want a mode or an object of {[f.name for f in fields(Fault)]}")
    given = {key: item for key, item in value.items() if item is not None}
    _check(kind, "mode", given.get("mode") in MODES[kind], f"one of {list(MODES[kind])}")
    if "seconds" in given:
        seconds = given["seconds"]
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        _check(kind, "seconds", is_number and 0 <= seconds <= MAX_SECONDS, "0 to 3600")
    for name in ("count", "times"):
        if name in given:
            number = given[name]
            is_whole = isinstance(number, int) and not isinstance(number, bool)
            _check(kind, name, is_whole and 1 <= number <= MAX_COUNT, "1 to 1000")
    _check(kind, "forgery", given.get("forgery", "signature") in FORGERIES, str(FORGERIES))
    _check(kind, "operation", given.get("operation", "query") in OPERATIONS, str(OPERATIONS))
    _check(kind, "out_trade_no", isinstance(given.get("out_trade_no", ""), str), "a text")
    _check(kind, "then_genuine", isinstance(given.get("then_genuine", False), bool), "true, false")
    return Fault(**given)


def _check(kind: str, name: str, is_right: bool, wanted: str) -> None:
    if not is_right:
        raise ControlError(f"{kind}.{name}: want {wanted}")

"""Reading and checking what the API is given; every fault is told by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import TypeVar

from flask_babel import gettext as _

from hardware_drivers.simulators.bench.problems import invalid
from hardware_drivers.simulators.cards import MifareCard
from hardware_drivers.simulators.id_reader import LONG_TERM, Layout, PrintedCard
from hardware_drivers.simulators.printer.mechanism import PrinterState, PrintFault, Roll

_CARD_TEXTS = ("name", "sex", "ethnic_group", "address", "number", "authority")
_REQUIRED = ("name", "sex", "ethnic_group", "number")
_Choice = TypeVar("_Choice", bound=StrEnum)


def read_id_card(body: Mapping[str, object]) -> PrintedCard:
    """A card from its fields; dates as 2018-06-01 or 20180601, `valid_until` may be 长期 or null.
    Raises Problem.
    """
    faults: dict[str, str] = {}
    texts = {name: _text(body.get(name, ""), name, faults) for name in _CARD_TEXTS}
    faults |= {name: _("请填写") for name in _REQUIRED if not texts[name] and name not in faults}
    if texts["sex"] not in {"0", "1", "2", "9"}:
        faults["sex"] = _("请填 0、1、2 或 9")
    until = body.get("valid_until")
    dates = {name: _date(body.get(name), name, faults) for name in ("birth_date", "valid_from")}
    dates["valid_until"] = (
        LONG_TERM if until in (None, "", LONG_TERM) else _date(until, "valid_until", faults)
    )
    layout = _choice(Layout, body.get("layout", Layout.RESIDENT), "layout", faults)
    if faults or layout is None:
        raise invalid(faults)
    card = PrintedCard(**texts, **dates, layout=layout)
    try:
        card.to_bytes()
    except ValueError as error:
        raise invalid({str(error): _("太长，卡片上放不下")}) from error
    return card


def read_hospital_card(body: Mapping[str, object]) -> MifareCard:
    """A contactless card from `uid` (hex) and `number`. Raises Problem."""
    faults: dict[str, str] = {}
    uid = _text(body.get("uid", ""), "uid", faults)
    number = _text(body.get("number", ""), "number", faults)
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{14}|[0-9A-Fa-f]{20})", uid):
        faults["uid"] = _("请填 8、14 或 20 位十六进制数")
    if not re.fullmatch(r"[0-9A-Za-z]{1,16}", number):
        faults["number"] = _("请填 1 到 16 位字母或数字")
    if faults:
        raise invalid(faults)
    return MifareCard(bytes.fromhex(uid), number)


def read_pull_after(body: Mapping[str, object]) -> int | None:
    """At which command the card is pulled out again; None leaves it in. Raises Problem."""
    value = body.get("pull_after")
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 9
    ):
        raise invalid({"pull_after": _("请填 0 到 9 的整数")})
    return value


def read_printer(state: PrinterState, body: Mapping[str, object]) -> PrinterState:
    """The state with the given fields changed: `paper`, `cover_open`, `jammed`, `fail_during_next`,
    `no_confirmation`. Raises Problem."""
    faults: dict[str, str] = {}
    if "paper" in body:
        paper = _choice(Roll, body["paper"], "paper", faults)
        state = replace(state, paper=paper or state.paper)
    if "fail_during_next" in body:
        wish = body["fail_during_next"]
        fault = (
            None if wish in (None, "") else _choice(PrintFault, wish, "fail_during_next", faults)
        )
        state = replace(state, fail_during_next=fault)
    state = replace(
        state,
        cover_open=_flag(body, "cover_open", state.cover_open, faults),
        is_jammed=_flag(body, "jammed", state.is_jammed, faults),
        no_confirmation=_flag(body, "no_confirmation", state.no_confirmation, faults),
    )
    known = {"paper", "fail_during_next", "cover_open", "jammed", "no_confirmation"}
    faults |= {name: _("没有这一项") for name in body if name not in known}
    if faults:
        raise invalid(faults)
    return state


def read_choice(kind: type[_Choice], value: object, name: str) -> _Choice | None:
    """One of an enumeration, or None for null and empty. Raises Problem."""
    if value in (None, ""):
        return None
    faults: dict[str, str] = {}
    choice = _choice(kind, value, name, faults)
    if faults:
        raise invalid(faults)
    return choice


def _text(value: object, name: str, faults: dict[str, str]) -> str:
    if not isinstance(value, str) or not value.isprintable():
        faults[name] = _("请填文字")
        return ""
    return value.strip()


def _date(value: object, name: str, faults: dict[str, str]) -> str:
    try:
        if isinstance(value, str):
            return date.fromisoformat(value).strftime("%Y%m%d")
    except ValueError:
        pass  # told below, like a value of another kind
    faults[name] = _("请填日期，如 2018-06-01")
    return ""


def _flag(body: Mapping[str, object], name: str, present: bool, faults: dict[str, str]) -> bool:
    value = body.get(name, present)
    if not isinstance(value, bool):
        faults[name] = _("请填 true 或 false")
        return present
    return value


def _choice(
    kind: type[_Choice], value: object, name: str, faults: dict[str, str]
) -> _Choice | None:
    try:
        return kind(str(value))
    except ValueError:
        faults[name] = _("请选择：%(choices)s", choices="、".join(kind))
        return None

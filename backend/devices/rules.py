"""Pure rules of the fleet: codes, credentials, how long things last, when a kiosk counts as online."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping
from enum import StrEnum

from flask_babel import lazy_gettext as _

#: Without 0/O, 1/I/L: people read these from a screen and type them.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8
CODE_LIFE = dt.timedelta(hours=24)
#: Codes one address may try in each window; 31^8 codes make guessing hopeless at this pace.
TRIES_A_WINDOW = 10
TRY_WINDOW = dt.timedelta(minutes=15)
ONLINE_WITHIN = dt.timedelta(seconds=15)
SESSION_LIFE = dt.timedelta(minutes=3)


class PrintKind(StrEnum):
    """What is printed."""

    TICKET = "ticket"
    RECEIPT = "receipt"


class PrintState(StrEnum):
    """``ambiguous``: nobody knows whether paper came out; a person looks."""

    REQUESTED = "requested"
    PRINTED = "printed"
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"


PRINT_MOVES = {
    PrintState.REQUESTED: {PrintState.PRINTED, PrintState.FAILED, PrintState.AMBIGUOUS},
    PrintState.AMBIGUOUS: {PrintState.PRINTED, PrintState.FAILED},
    PrintState.PRINTED: set(),
    PrintState.FAILED: set(),
}

PRINT_WORDS = {
    PrintState.REQUESTED: _("打印中"),
    PrintState.PRINTED: _("已打印"),
    PrintState.FAILED: _("未打印"),
    PrintState.AMBIGUOUS: _("结果不明，待核对"),
}


DEVICES = ("printer", "id_reader", "card_reader", "scanner")
DEVICE_WORDS = {
    "printer": _("打印机"),
    "id_reader": _("身份证"),
    "card_reader": _("就诊卡"),
    "scanner": _("扫码"),
}
#: What a device says of itself; a word that is not here is shown as it came.
TROUBLE_WORDS = {
    "bad_address": _("地址有误"),
    "broken": _("故障"),
    "connection_lost": _("连接断开"),
    "cover_open": _("上盖未合"),
    "cutter_error": _("切刀故障"),
    "jam": _("卡纸"),
    "near_end": _("纸将用完"),
    "no_pcsc": _("读卡服务未运行"),
    "no_reader": _("没有读卡器"),
    "not_configured": _("未配置"),
    "paper_out": _("缺纸"),
    "printer_error": _("打印机故障"),
    "starting": _("正在启动"),
    "unreachable": _("连接不上"),
}


class KioskState(StrEnum):
    """How a kiosk stands, for the fleet page."""

    NEW = "new"
    ONLINE = "online"
    OFFLINE = "offline"
    REVOKED = "revoked"


STATE_WORDS = {
    KioskState.NEW: _("待登记"),
    KioskState.ONLINE: _("在线"),
    KioskState.OFFLINE: _("离线"),
    KioskState.REVOKED: _("已停用"),
}
STATE_TONES = {
    KioskState.NEW: "info",
    KioskState.ONLINE: "ok",
    KioskState.OFFLINE: "bad",
    KioskState.REVOKED: "idle",
}
PRINT_KIND_WORDS = {PrintKind.TICKET: _("号票"), PrintKind.RECEIPT: _("缴费凭条")}
PRINT_TONES = {
    PrintState.REQUESTED: "info",
    PrintState.PRINTED: "ok",
    PrintState.FAILED: "bad",
    PrintState.AMBIGUOUS: "warn",
}


def trouble_of(name: str, facts: Mapping[str, object]) -> tuple[str, str]:
    """What is the matter with a device, and its tone; empty words when nothing is."""
    state = str(facts.get("state") or "ok")
    if name == "printer" and state in ("ok", "paper_near_end") and facts.get("paper") == "near_end":
        return str(TROUBLE_WORDS["near_end"]), "warn"
    if state == "ok":
        return "", "ok"
    return str(TROUBLE_WORDS.get(state, state)), "info" if state == "starting" else "bad"


def new_code() -> str:
    """A fresh enrolment code."""
    return "".join(secrets.choice(CODE_ALPHABET) for _n in range(CODE_LENGTH))


def normal_code(text: str) -> str:
    """A code as it was issued, however people typed it: capitals, without blanks and hyphens."""
    return "".join(text.split()).replace("-", "").upper()


def try_window(at: dt.datetime) -> dt.datetime:
    """When the window of tries that ``at`` lies in began."""
    return at - (at - dt.datetime.min.replace(tzinfo=at.tzinfo)) % TRY_WINDOW


def new_credential() -> str:
    """A fresh 256-bit credential."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """How codes, credentials and session tokens are stored: they are random, so a plain hash is enough."""
    return hashlib.sha256(secret.strip().encode()).digest()


def kiosk_state(
    *, is_enrolled: bool, is_revoked: bool, beat_at: dt.datetime | None, at: dt.datetime
) -> KioskState:
    """The state at ``at``."""
    if is_revoked:
        return KioskState.REVOKED
    if not is_enrolled:
        return KioskState.NEW
    is_fresh = beat_at is not None and at - beat_at <= ONLINE_WITHIN
    return KioskState.ONLINE if is_fresh else KioskState.OFFLINE

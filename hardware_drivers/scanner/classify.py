"""What a scanned text is, decided by its content. Pure.

Sources: WeChat Pay payment codes (18 digits beginning 10-15), Alipay (16-24 digits beginning
25-30), 电子健康卡 (the 64 hex digits of the main index, then `:` and the code type), 医保电子凭证
(28 digits).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

TICKET_PREFIX = "XL"
_WECHAT = re.compile(r"1[0-5]\d{16}")
_ALIPAY = re.compile(r"(?:2[5-9]|30)\d{14,22}")
_INSURANCE = re.compile(r"\d{28}")
_HEALTH_CARD = re.compile(r"[0-9A-Fa-f]{64}:[01](?::.*)?")


class CodeKind(StrEnum):
    """What was scanned."""

    OURS = "ours"
    WECHAT_PAYMENT = "wechat_payment"
    ALIPAY_PAYMENT = "alipay_payment"
    HEALTH_CARD = "health_card"
    INSURANCE = "insurance"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ScannedCode:
    """A scanned text and its kind. The text is hidden from logs: a payment code is money."""

    kind: CodeKind
    text: str = field(repr=False)


def classify(text: str, public_url: str = "") -> ScannedCode:
    """Name the kind of `text`; ours is a ticket or bill number ("XL…") or an address under
    `public_url`.
    """
    text = text.strip()
    return ScannedCode(_kind(text, public_url.rstrip("/")), text)


def _kind(text: str, public_url: str) -> CodeKind:
    if text.startswith(TICKET_PREFIX) and text.isascii():
        return CodeKind.OURS
    # The slash matters: http://host.evil must not pass for http://host.
    if public_url and (text == public_url or text.startswith(public_url + "/")):
        return CodeKind.OURS
    if text.isascii():
        if _WECHAT.fullmatch(text):
            return CodeKind.WECHAT_PAYMENT
        if _ALIPAY.fullmatch(text):
            return CodeKind.ALIPAY_PAYMENT
        if _INSURANCE.fullmatch(text):
            return CodeKind.INSURANCE
        if _HEALTH_CARD.fullmatch(text):
            return CodeKind.HEALTH_CARD
    return CodeKind.UNKNOWN

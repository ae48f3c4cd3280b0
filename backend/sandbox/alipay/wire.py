"""The bytes of Alipay's open gateway: what is signed, and in which order.

Pure functions. Source: Alipay open platform, "自行实现签名" and "自行实现验签" (RSA2: RSASSA-PKCS1-v1_5
with SHA-256, base64). A request and a notification are signed over their sorted parameters, an
answer over the exact text of its one response object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

CHINA = timezone(timedelta(hours=8))


def sorted_pairs(parameters: Mapping[str, str], *, without: tuple[str, ...]) -> bytes:
    """`a=1&b=2` over the parameters that have a value, by name, leaving out `without`."""
    kept = sorted((k, v) for k, v in parameters.items() if k not in without and v != "")
    return "&".join(f"{name}={value}" for name, value in kept).encode()


def request_message(parameters: Mapping[str, str]) -> bytes:
    """What the merchant signs: every parameter but the signature itself."""
    return sorted_pairs(parameters, without=("sign",))


def notice_message(parameters: Mapping[str, str]) -> bytes:
    """What Alipay signs in a notification: every parameter but sign and sign_type."""
    return sorted_pairs(parameters, without=("sign", "sign_type"))


def answer_text(content: Mapping[str, Any]) -> str:
    """The response object as it is signed and sent."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def answer_body(method: str, text: str, signature: str) -> bytes:
    """The whole answer around a response object; the key repeats the method with underscores."""
    name = method.replace(".", "_") + "_response"
    return f'{{"{name}":{text},"sign":"{signature}"}}'.encode()


def beijing(moment: float) -> str:
    """Epoch seconds as Alipay writes times: ``2026-11-23 09:30:00``."""
    return datetime.fromtimestamp(moment, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def from_beijing(text: str) -> float:
    """The epoch seconds of such a time; ValueError when it is none."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).timestamp()


def yuan(fen: int) -> str:
    """2500 → ``25.00``."""
    return f"{fen // 100}.{fen % 100:02d}"


def fen(value: Any) -> int:
    """The fen of an amount in yuan with at most two places, 0.01 or more; ValueError otherwise."""
    try:
        amount = Decimal(str(value)) * 100
    except InvalidOperation as error:
        raise ValueError("no amount") from error
    if not amount.is_finite() or amount != amount.to_integral_value() or amount < 1:
        raise ValueError("no amount")
    return int(amount)

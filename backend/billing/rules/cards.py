"""Bank cards: reading a number, the states of an act at a terminal, and what the bank's codes mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from flask_babel import lazy_gettext as _

#: The longest a terminal may stay held by a worker that has died (seconds); longer than any dialogue.
HOLD_SECONDS = 60
#: How soon an act that could not get a terminal, or was not answered, is tried again (seconds).
TRY_AGAIN_SECONDS = 2
REVERSE_AGAIN_SECONDS = 5
#: The bank's code for "the sale you reverse never arrived".
NEVER_ARRIVED = "25"
#: `;number=…` is track 2 as a keyboard wedge types it.
_SWIPED = re.compile(r";?(\d{13,19})(?:=[\d=]*\??)?")


class CardActKind(StrEnum):
    """What a terminal is asked to do."""

    SALE = "sale"
    REFUND = "refund"


class CardActState(StrEnum):
    """Where one act stands. ``sending``: what became of it is not known until somebody says."""

    CREATED = "created"
    SENDING = "sending"
    #: A sale without a believable answer: reversed until the bank confirms.
    REVERSING = "reversing"
    APPROVED = "approved"
    DECLINED = "declined"
    REVERSED = "reversed"
    #: Given up before anything was sent.
    WITHDRAWN = "withdrawn"


CARD_MOVES: Mapping[CardActState, frozenset[CardActState]] = {
    CardActState.CREATED: frozenset({CardActState.SENDING, CardActState.WITHDRAWN}),
    CardActState.SENDING: frozenset(
        {
            # Back to created: the line to the bank never came about.
            *(CardActState.CREATED, CardActState.REVERSING),
            *(CardActState.APPROVED, CardActState.DECLINED),
        }
    ),
    CardActState.REVERSING: frozenset({CardActState.REVERSED}),
    # A refund that was declined may be asked for again by a person.
    CardActState.DECLINED: frozenset({CardActState.SENDING}),
    CardActState.APPROVED: frozenset(),
    CardActState.REVERSED: frozenset(),
    CardActState.WITHDRAWN: frozenset(),
}


def read_card_number(text: str) -> str | None:
    """The number in what was typed or swiped, or None: 13 to 19 digits with a right check digit (Luhn)."""
    match = _SWIPED.fullmatch(text.replace(" ", ""))
    if match is None or not match.group(1).isascii():
        return None
    digits = [int(digit) for digit in reversed(match.group(1))]
    doubled = [digit if place % 2 == 0 else digit * 2 for place, digit in enumerate(digits)]
    is_right = sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
    return match.group(1) if is_right else None


def mask_card_number(number: str) -> str:
    """First six and last four: what may be kept, shown and printed."""
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"


#: What the counter is told about each of the bank's refusals, with what to do next.
RESPONSE_WORDS = {
    "01": _("请持卡人联系发卡银行"),
    "03": _("商户未登记，请联系收单银行"),
    "04": _("此卡被没收，请联系收单银行"),
    "05": _("发卡银行拒绝，请换一张卡"),
    "12": _("无效交易，请重新刷卡"),
    "13": _("无效金额，请核对后重试"),
    "14": _("卡号无效，请重新刷卡或换一张卡"),
    "30": _("报文格式错误，请联系信息科"),
    "38": _("密码错误次数超限，请换一张卡"),
    "40": _("银行不支持这种交易，请换付款方式"),
    "41": _("此卡已挂失，请换付款方式"),
    "43": _("此卡被列为被窃卡，请换付款方式"),
    "51": _("余额不足，请换一张卡或换付款方式"),
    "54": _("此卡已过期，请换一张卡"),
    "55": _("密码错误，请重新输入"),
    "57": _("此卡不允许这种交易，请换一张卡"),
    "61": _("超出交易金额限制，请换一张卡"),
    "62": _("此卡受限制，请换一张卡"),
    "64": _("与原交易金额不符，请核对退款金额"),
    "65": _("超出交易次数限制，请换一张卡"),
    "75": _("密码错误次数超限，请换一张卡"),
    "91": _("发卡银行暂时不通，请稍后再试或换付款方式"),
    "94": _("重复的交易，请核对后重试"),
    "96": _("银行系统故障，请稍后再试"),
    "98": _("发卡银行没有应答，请稍后再试"),
}


def card_refusal_words(code: str) -> str:
    """The words for a refusal; the bank's code where it is not known."""
    words = RESPONSE_WORDS.get(code)
    return (
        str(words) if words is not None else str(_("银行拒绝（%(code)s），请换付款方式", code=code))
    )

"""What the money pages call channels, states and moves."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import lazy_gettext as _

from backend.billing.ports import BillRowKind
from backend.billing.rules import BillChannel, DifferenceKind, MovementKind, RunState
from backend.billing.views import CHANNEL_WORDS, TENDER_WORDS
from backend.kernel.clock import local

MOVEMENT_WORDS = {
    MovementKind.PAYMENT: _("收费"),
    MovementKind.TOP_UP: _("预交金充值"),
    MovementKind.REFUND: _("退费"),
    MovementKind.WITHDRAWAL: _("预交金退款"),
}

BILL_CHANNEL_WORDS = {
    BillChannel.WECHAT: _("微信支付"),
    BillChannel.ALIPAY: _("支付宝"),
    BillChannel.BANK_CARD: _("银行卡"),
    BillChannel.INSURANCE: _("医保"),
}

#: State: words and tone.
RUN_WORDS = {
    RunState.DUE: (_("待对账"), "idle"),
    RunState.FETCHING: (_("正在取账单"), "info"),
    RunState.FAILED: (_("账单未取得"), "warn"),
    RunState.MATCHED: (_("已对账"), "ok"),
}

FAILURE_WORDS = {"not_published": _("渠道还没有出账单")}

DIFFERENCE_WORDS = {
    DifferenceKind.OURS_ONLY: _("本院有，账单无"),
    DifferenceKind.THEIRS_ONLY: _("账单有，本院无"),
    DifferenceKind.AMOUNT_DIFFERS: _("金额不一致"),
}

ITEM_WORDS = {BillRowKind.PAYMENT: _("收款"), BillRowKind.REFUND: _("退款")}

WEEKDAYS = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))


def stamp(moment: dt.datetime) -> str:
    """A moment as paper keeps it: ``2026-11-27 17:35``, never "yesterday"."""
    return f"{local(moment):%Y-%m-%d %H:%M}"


#: All of them, for a template.
WORDS: dict[str, Any] = {
    "movement_words": MOVEMENT_WORDS,
    "tender_words": TENDER_WORDS,
    "channel_words": CHANNEL_WORDS,
    "bill_channel_words": BILL_CHANNEL_WORDS,
    "run_words": RUN_WORDS,
    "failure_words": FAILURE_WORDS,
    "difference_words": DIFFERENCE_WORDS,
    "item_words": ITEM_WORDS,
    "weekdays": WEEKDAYS,
    "stamp": stamp,
}

"""Tells the sandbox beside us what the demo's history has sold over WeChat Pay, so that its bills list it.

A file in the sandbox's folder, read by it at its start: the two programs share no code.
"""

from __future__ import annotations

import json
from pathlib import Path

from backend.billing import queries as billing
from backend.billing.rules import BillChannel
from backend.kernel.permissions import system_actor
from backend.kernel.uow import Database

ACTOR = system_actor("demo")
FILE = "past.jsonl"
DESCRIPTION = "门诊费用"


def write_past(database: Database, folder: Path) -> int:
    """Write every paid WeChat order with its refunds to ``folder``; how many orders."""
    with database.read(ACTOR) as session:
        trades = billing.list_channel_trades(session, BillChannel.WECHAT)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = folder / f"{FILE}.part"
    with partial.open("w", encoding="utf-8") as file:
        for trade in trades:
            order = {
                "out_trade_no": trade.number,
                "transaction_id": trade.channel_number,
                "description": DESCRIPTION,
                "total": trade.amount_fen,
                "paid_at": trade.happened_at.timestamp(),
                "refunds": [
                    {
                        "out_refund_no": back.number,
                        "refund_id": back.channel_number,
                        "amount": back.amount_fen,
                        "created_at": back.asked_at.timestamp(),
                        "success_at": back.happened_at.timestamp(),
                    }
                    for back in trade.refunds
                ],
            }
            file.write(json.dumps(order, ensure_ascii=False) + "\n")
    partial.replace(folder / FILE)
    return len(trades)

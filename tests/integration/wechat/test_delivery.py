"""How notifications arrive over HTTP: late, twice, out of order, never, again after refusal."""

from __future__ import annotations

import queue
from datetime import UTC, datetime, timedelta

import pytest

from backend.wechat.pay import WeChatPayGateway
from tests.contract.wechat.sandbox_process import Receiver, Sandbox


def pay(gateway: WeChatPayGateway, sandbox: Sandbox, number: str = "XL20261123001") -> str:
    code_url = gateway.create_native(
        out_trade_no=number,
        amount_fen=2500,
        description="挂号费",
        expires_at=datetime.now(UTC) + timedelta(minutes=15),
    )
    sandbox.pay(code_url)
    return number


def told(gateway: WeChatPayGateway, receiver: Receiver) -> str | None:
    return gateway.parse_notification(*receiver.next()).out_trade_no


def test_refused_notifications_come_again_signed_afresh(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    receiver.statuses += [500, 403, 302]
    number = pay(gateway, sandbox)
    arrived = [receiver.next() for _ in range(4)]
    numbers = {gateway.parse_notification(*notice).out_trade_no for notice in arrived}
    assert numbers == {number}
    assert len({headers["Wechatpay-Nonce"] for headers, _ in arrived}) == 4
    assert len({body[:40] for _, body in arrived}) == 1, "the event id stays the same"


def test_a_repeated_notification_comes_twice(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.put("/sandbox/faults", notification="repeat", times=2, count=1)
    number = pay(gateway, sandbox)
    assert [told(gateway, receiver), told(gateway, receiver)] == [number, number]


def test_reordered_notifications_come_newest_first(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.put("/sandbox/faults", notification="reorder", times=2, count=2, seconds=60)
    first = pay(gateway, sandbox, "XL20261123001")
    second = pay(gateway, sandbox, "XL20261123002")
    assert [told(gateway, receiver), told(gateway, receiver)] == [second, first]


def test_a_dropped_notification_never_comes_but_the_next_does(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.put("/sandbox/faults", notification="drop", count=1)
    dropped = pay(gateway, sandbox, "XL20261123001")
    arriving = pay(gateway, sandbox, "XL20261123002")
    assert told(gateway, receiver) == arriving
    with pytest.raises(queue.Empty):
        receiver.arrived.get_nowait()
    listed = sandbox.get("/sandbox/notifications")["notifications"]
    assert {row["subject"]: row["state"] for row in listed}[dropped] == "dropped"
    assert gateway.query(dropped).state.is_paid


def test_a_delayed_notification_comes_after_the_next_one(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.put("/sandbox/faults", notification="delay", count=1, seconds=0.5)
    late = pay(gateway, sandbox, "XL20261123001")
    prompt = pay(gateway, sandbox, "XL20261123002")
    assert [told(gateway, receiver), told(gateway, receiver)] == [prompt, late]

"""The sandbox as a process: it ends when told, and forgets nothing when killed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backend.billing.ports import GatewayUnknown, RefundState, TradeState
from backend.wechat.pay import WeChatPayGateway
from tests.contract.wechat.sandbox_process import (
    DEADLINE,
    Receiver,
    http,
    read_json,
    running_sandbox,
)


def open_order(gateway: WeChatPayGateway) -> str:
    return gateway.create_native(
        out_trade_no="XL20261123001",
        amount_fen=2500,
        description="挂号费",
        expires_at=datetime.now(UTC) + timedelta(minutes=15),
    )


def test_a_killed_sandbox_remembers_orders_keys_faults_and_what_it_owes(
    tmp_path: Path, receiver: Receiver
) -> None:
    with running_sandbox(tmp_path) as first:
        account = read_json(tmp_path / "merchant.json")
        first.put("/sandbox/faults", notification="delay", seconds=0.5, count=1)
        gateway = WeChatPayGateway(first.config(receiver.url))
        first.pay(open_order(gateway))
        first.put("/sandbox/faults", refund="slow", seconds=0.5, count=1)
        gateway.refund(
            out_refund_no="RF1",
            out_trade_no="XL20261123001",
            amount_fen=2500,
            total_fen=2500,
            reason="停诊",
        )
        first.put("/sandbox/faults", api="error500", operation="close")
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(DEADLINE)
    with running_sandbox(tmp_path) as second:
        again = read_json(tmp_path / "merchant.json")
        assert {**again, "base_url": ""} == {**account, "base_url": ""}
        assert second.get("/sandbox/faults")["api"]["operation"] == "close"
        gateway = WeChatPayGateway(second.config(receiver.url))
        told = [gateway.parse_notification(*receiver.next()) for _ in range(2)]
        assert {status.state for status in told} == {TradeState.SUCCESS, RefundState.SUCCESS}
        assert gateway.query("XL20261123001").state is TradeState.REFUNDED


def test_it_ends_within_two_seconds_even_with_a_request_hanging(
    tmp_path: Path, receiver: Receiver
) -> None:
    with running_sandbox(tmp_path) as sandbox:
        sandbox.put("/sandbox/faults", api="timeout", seconds=60)
        gateway = WeChatPayGateway(sandbox.config(receiver.url))
        outcome: list[type[BaseException]] = []

        def ask() -> None:
            try:
                gateway.query("XL20261123001")
            except GatewayUnknown as error:
                outcome.append(type(error))

        asking = threading.Thread(target=ask)
        asking.start()
        assert http("GET", sandbox.url + "/healthz").json() == {"status": "ok"}
        started = time.monotonic()
        sandbox.process.send_signal(signal.SIGTERM)
        assert sandbox.process.wait(DEADLINE) == 0
        assert time.monotonic() - started < 2.0
        asking.join(DEADLINE)
        assert outcome == [GatewayUnknown]


def test_a_busy_port_is_said_and_ends_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        command = [sys.executable, "-m", "backend.sandbox", "--port", port, "--dir", str(tmp_path)]
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
    assert ended.returncode == 1
    assert port in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_listens_on_loopback_only_and_loads_nothing_of_the_hospital() -> None:
    program = (
        "import sys, backend.sandbox.server as s;"
        "assert s.HOST == '127.0.0.1';"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in"
        " ('hardware_drivers', 'kiosk_agent', 'wechatpayv3', 'sqlalchemy')"
        " or m.startswith('backend.') and not m.startswith('backend.sandbox')))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.strip() == "[]"

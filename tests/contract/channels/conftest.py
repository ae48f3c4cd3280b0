"""One sandbox a folder, emptied before each test, and the adapters that talk to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.channels.alipay import AlipayConfig, AlipayGateway, load_alipay_file
from tests.contract.wechat.fixtures import receiver, sandbox, sandbox_process
from tests.contract.wechat.sandbox_process import Receiver, Sandbox

__all__ = ["receiver", "sandbox", "sandbox_process"]


@pytest.fixture
def config(sandbox: Sandbox, receiver: Receiver) -> AlipayConfig:
    return load_alipay_file(sandbox.directory / "alipay.json", notify_url=receiver.url)


@pytest.fixture
def gateway(config: AlipayConfig) -> AlipayGateway:
    return AlipayGateway(lambda: config)


@pytest.fixture
def hasty_gateway(config: AlipayConfig) -> AlipayGateway:
    """A gateway that waits 0.3 s only, for answers that never come."""
    return AlipayGateway(lambda: replace(config, timeout_seconds=0.3))

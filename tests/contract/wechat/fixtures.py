"""One sandbox process a folder, emptied before each test, and a gateway that talks to it.

Both test folders that speak to the sandbox import these from their conftest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backend.wechat.pay import WeChatPayGateway
from tests.contract.wechat.sandbox_process import (
    Receiver,
    Sandbox,
    running_receiver,
    running_sandbox,
)


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    directory: Path = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(directory) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def gateway(sandbox: Sandbox, receiver: Receiver) -> WeChatPayGateway:
    return WeChatPayGateway(sandbox.config(receiver.url))


@pytest.fixture
def hasty_gateway(sandbox: Sandbox, receiver: Receiver) -> WeChatPayGateway:
    """A gateway that waits 0.3 s only, for answers that never come."""
    return WeChatPayGateway(replace(sandbox.config(receiver.url), timeout_seconds=0.3))

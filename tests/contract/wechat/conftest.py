"""The contract's fixtures: see `fixtures`."""

from __future__ import annotations

from tests.contract.wechat.fixtures import (
    gateway,
    hasty_gateway,
    receiver,
    sandbox,
    sandbox_process,
)

__all__ = ["gateway", "hasty_gateway", "receiver", "sandbox", "sandbox_process"]

"""The sandbox process and a merchant who opens orders on it."""

from __future__ import annotations

from tests.contract.wechat.fixtures import (
    gateway,
    hasty_gateway,
    receiver,
    sandbox,
    sandbox_process,
)

__all__ = ["gateway", "hasty_gateway", "receiver", "sandbox", "sandbox_process"]

"""Where Alipay's daily bill lies, and for how long; what every platform's has is in `test_platform_bills`."""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime, timedelta

import pytest

from backend.billing.ports import GatewayRefused
from backend.channels.alipay import AlipayGateway
from backend.kernel.clock import business_date
from tests.contract.wechat.sandbox_process import Sandbox, http

DAY = 86400


def today() -> date:
    return business_date(datetime.now(UTC))


def next_day(sandbox: Sandbox) -> None:
    sandbox.put("/sandbox/clock", offset_seconds=DAY * 2)


def test_the_address_is_good_for_half_a_minute(gateway: AlipayGateway, sandbox: Sandbox) -> None:
    next_day(sandbox)
    address = gateway.find_bill(today())
    assert http("GET", address).status_code == 200
    (file,) = (sandbox.directory / "bills").glob(f"{address.rsplit('=')[-1]}.zip")
    os.utime(file, (time.time() - 31, time.time() - 31))
    assert http("GET", address).status_code == 404
    assert http("GET", f"{address}/../../alipay-platform.json").status_code == 404


def test_what_alipay_refuses(gateway: AlipayGateway) -> None:
    with pytest.raises(GatewayRefused, match="bill_not_exist"):
        gateway.find_bill(today() + timedelta(days=400))

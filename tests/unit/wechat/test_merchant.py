"""The merchant account: missing is unknown, broken is loud, there is used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.billing.ports import ForgedNotification, GatewayUnknown
from backend.bootstrap import open_gateway
from backend.settings import Environment, Settings
from backend.wechat.merchant import MerchantGateway
from tests.factories.webapp import make_settings


def test_without_its_file_every_act_is_unknown_and_nothing_is_believed(tmp_path: Path) -> None:
    gateway = MerchantGateway(tmp_path / "merchant.json", external_url="http://127.0.0.1:1")
    with pytest.raises(GatewayUnknown):
        gateway.query("x")
    with pytest.raises(GatewayUnknown):
        gateway.close("x")
    with pytest.raises(GatewayUnknown):
        gateway.query_refund("x", "y")
    with pytest.raises(ForgedNotification):
        gateway.parse_notification({}, b"{}")


def test_an_incomplete_file_is_a_fault_of_set_up(tmp_path: Path) -> None:
    path = tmp_path / "merchant.json"
    path.write_text(json.dumps({"mchid": "1"}))
    with pytest.raises(KeyError):
        MerchantGateway(path, external_url="http://127.0.0.1:1").open()


def test_the_account_beside_us_is_the_default_and_production_needs_its_own(tmp_path: Path) -> None:
    assert open_gateway(make_settings(tmp_path)).channel == "wechat_native"
    settings = Settings(
        env=Environment.PRODUCTION,
        data_dir=tmp_path,
        public_url="https://hospital.example",
        secret_key="s" * 32,
        key_ring="{}",
        blind_index_key="x",
        wechatpay_file=tmp_path / "absent.json",
    )
    with pytest.raises(FileNotFoundError, match="XINGLIN_WECHATPAY_FILE"):
        open_gateway(settings)

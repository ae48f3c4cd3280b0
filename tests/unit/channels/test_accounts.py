"""Which parties are offered: the sandbox's beside us, and in production only what is real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.billing.ports import ForgedNotification, GatewayUnknown
from backend.billing.rules import BillChannel
from backend.bootstrap import open_bills
from backend.channels.accounts import account_file, open_alipay
from backend.settings import Environment, Settings
from tests.factories.webapp import make_settings


def production(tmp_path: Path, **changes: object) -> Settings:
    return Settings.model_validate(
        {
            "env": Environment.PRODUCTION,
            "data_dir": tmp_path,
            "public_url": "https://hospital.example",
            "secret_key": "s" * 32,
            "key_ring": "{}",
            "blind_index_key": "x",
            "wechatpay_file": tmp_path / "merchant.json",
            **changes,
        }
    )


def test_outside_production_the_file_beside_us_is_the_default(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    assert account_file(settings, None, "alipay.json", "X") == tmp_path / "sandbox" / "alipay.json"


def test_without_its_file_every_act_is_unknown_and_nothing_is_believed(tmp_path: Path) -> None:
    gateway = open_alipay(make_settings(tmp_path))
    assert gateway is not None
    with pytest.raises(GatewayUnknown):
        gateway.query("x")
    with pytest.raises(ForgedNotification):
        gateway.parse_notification({}, b"a=1&sign_type=RSA2&sign=x")


def test_production_offers_nothing_it_was_given_no_file_for(tmp_path: Path) -> None:
    assert open_alipay(production(tmp_path)) is None


def test_every_channel_that_is_offered_has_its_bill_fetched(tmp_path: Path) -> None:
    database: Any = None  # read only once a bill is asked for
    everywhere = open_bills(make_settings(tmp_path), database)
    assert [one.channel for one in everywhere] == list(BillChannel)
    (tmp_path / "merchant.json").write_text("{}")
    assert [one.channel for one in open_bills(production(tmp_path), database)] == ["wechat"]


def test_production_needs_the_file_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="XINGLIN_ALIPAY_FILE"):
        open_alipay(production(tmp_path, alipay_file=tmp_path / "absent.json"))


@pytest.mark.parametrize(
    "address",
    [
        {"gateway": "http://127.0.0.1:8020/alipay/gateway.do"},
        {"gateway": "http://localhost/"},
        {"host": "127.0.0.1"},
        {"bill_url": "https://127.0.0.1/bank/bills"},
        {"base_url": "http://[::1]:9"},
    ],
)
def test_production_refuses_an_account_on_this_machine(
    tmp_path: Path, address: dict[str, str]
) -> None:
    path = tmp_path / "account.json"
    path.write_text(json.dumps(address))
    with pytest.raises(ValueError, match="no party on this machine"):
        account_file(production(tmp_path), path, "alipay.json", "XINGLIN_ALIPAY_FILE")


def test_production_takes_a_real_one(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    path.write_text(json.dumps({"gateway": "https://openapi.alipay.com/gateway.do"}))
    assert account_file(production(tmp_path), path, "alipay.json", "X") == path

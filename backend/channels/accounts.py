"""Which outside parties this installation talks to: their files, and what production refuses.

Outside production each party's file is the sandbox's, beside us. In production a party without a file
is not offered; one with a file must exist at the start and must not be on this machine, where no bank
and no platform is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backend.channels.alipay import NOTIFY_PATH, AlipayGateway, load_alipay_file
from backend.channels.bank_card import BankCardGateway, load_bank_file
from backend.channels.einvoice import EInvoicePlatform, load_einvoice_file
from backend.channels.insurance import NationalInsurance, load_insurance_file
from backend.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104 - refused, not bound


def open_alipay(settings: Settings) -> AlipayGateway | None:
    """Alipay's gateway, or None where it is not offered. Errors: those of `account_file`."""
    path = account_file(settings, settings.alipay_file, "alipay.json", "XINGLIN_ALIPAY_FILE")
    if path is None:
        return None
    notify_url = settings.external_url + NOTIFY_PATH
    return AlipayGateway(lambda: load_alipay_file(path, notify_url=notify_url))


def open_bank(settings: Settings) -> BankCardGateway | None:
    """The bank's card front end, or None where cards are not taken. Errors: those of `account_file`."""
    path = account_file(settings, settings.bank_file, "bank.json", "XINGLIN_BANK_FILE")
    return None if path is None else BankCardGateway(lambda: load_bank_file(path))


def open_insurance(settings: Settings) -> NationalInsurance | None:
    """The insurance centre, or None where it is not contracted. Errors: those of `account_file`."""
    path = account_file(
        settings, settings.insurance_file, "insurance.json", "XINGLIN_INSURANCE_FILE"
    )
    return None if path is None else NationalInsurance(lambda: load_insurance_file(path))


def open_einvoices(settings: Settings) -> EInvoicePlatform | None:
    """The platform of electronic bills, or None where there is none. Errors: those of `account_file`."""
    path = account_file(settings, settings.einvoice_file, "einvoice.json", "XINGLIN_EINVOICE_FILE")
    return None if path is None else EInvoicePlatform(lambda: load_einvoice_file(path))


def account_file(
    settings: Settings, configured: Path | None, beside: str, variable: str
) -> Path | None:
    """The party's file, or None where production names none.

    FileNotFoundError or ValueError in production, where a missing or a sandbox's account must stop
    the start.
    """
    if not settings.is_production:
        return configured or settings.data_dir / "sandbox" / beside
    if configured is None:
        return None
    if not configured.is_file():
        raise FileNotFoundError(f"{variable}: no such file: {configured}")
    data: dict[str, Any] = json.loads(configured.read_text("utf-8"))
    for name in ("gateway", "host", "base_url", "bill_url"):
        if name in data and _host(str(data[name])) in LOOPBACK:
            raise ValueError(f"{variable}: production talks to no party on this machine")
    return configured


def _host(address: str) -> str:
    return urlsplit(address).hostname or "" if "//" in address else address

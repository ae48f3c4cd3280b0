"""Electronic fiscal bills: billing's `EInvoiceGateway` over the envelope of provincial bill platforms.

A call is ``POST <base_url>/api/medical/<service>`` with ``{appid, data, noise, version, sign}``; data is
base64 JSON, sign an MD5 over the envelope and the key (the platforms' definition; the line is TLS). An
answer counts only with its own right sign, about our number and sum; everything else is *unknown*. Nothing
here logs a body, and no method retries.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import requests

from backend.billing.ports import GatewayRefused, GatewayUnknown
from backend.billing.ports.einvoice import EInvoiceOrder, IssuedEInvoice
from backend.channels.http import session_to
from backend.kernel.clock import local
from backend.kernel.money import from_yuan, to_yuan

VERSION = "1.0"
SUCCESS = "S0000"
NOT_FOUND = "E0107"


@dataclass(frozen=True)
class EInvoiceConfig:
    """The hospital's account at the platform. The key is never shown."""

    base_url: str
    app_id: str
    place_code: str
    key: str = field(repr=False)
    timeout_seconds: float = 10.0


def load_einvoice_file(path: Path) -> EInvoiceConfig:
    """Read the JSON account. OSError when it cannot be read, KeyError or ValueError when incomplete."""
    data = json.loads(path.read_text("utf-8"))
    return EInvoiceConfig(
        base_url=data["base_url"],
        app_id=data["app_id"],
        place_code=data["place_code"],
        key=data["key"],
    )


class EInvoicePlatform:
    """`EInvoiceGateway` over one account; thread-safe, keeps no state between calls."""

    def __init__(self, load: Callable[[], EInvoiceConfig]) -> None:
        self._load = load
        self._lock = Lock()
        self._opened: EInvoiceConfig | None = None

    @property
    def config(self) -> EInvoiceConfig:
        """The account; GatewayUnknown while its file is missing."""
        with self._lock:
            if self._opened is None:
                try:
                    self._opened = self._load()
                except FileNotFoundError as error:
                    raise GatewayUnknown("the account is not there yet") from error
            return self._opened

    def issue(self, order: EInvoiceOrder) -> IssuedEInvoice:
        """invoiceEBillOutpatient; see the port."""
        moment = local(order.at)
        given = {
            "busNo": order.number,
            "busType": "02",  # outpatient
            "payer": order.payer,
            "busDateTime": f"{moment:%Y%m%d%H%M%S000}",
            "placeCode": self.config.place_code,
            "totalAmt": to_yuan(order.total_fen),
            "chargeDetail": [
                {
                    "sortNo": place,
                    "chargeCode": line.item_code,
                    "chargeName": line.name,
                    "number": line.quantity,
                    "amt": to_yuan(line.amount_fen),
                }
                for place, line in enumerate(order.lines, 1)
            ],
        }
        issued = _read(self._ask("invoiceEBillOutpatient", given), order.number)
        if issued.total_fen != order.total_fen:
            raise GatewayUnknown("the bill is over another sum")
        return issued

    def find(self, number: str) -> IssuedEInvoice | None:
        """getEBillByBusNo; see the port."""
        try:
            return _read(self._ask("getEBillByBusNo", {"busNo": number}), number)
        except GatewayRefused as refusal:
            if refusal.code == NOT_FOUND:
                return None
            raise

    def write_off(self, bill: IssuedEInvoice, *, number: str, reason: str) -> IssuedEInvoice:
        """writeOffEBill; see the port."""
        given = {
            "billBatchCode": bill.batch_code,
            "billNo": bill.number,
            "reason": reason,
            "placeCode": self.config.place_code,
        }
        written = _read(self._ask("writeOffEBill", given), number)
        if not written.red_number:
            raise GatewayUnknown("no red bill in the answer")
        return written

    def _ask(self, service: str, given: Mapping[str, Any]) -> dict[str, Any]:
        config = self.config
        data = _encoded(json.dumps(given, ensure_ascii=False))
        noise = secrets.token_hex(16)
        body = {
            "appid": config.app_id,
            "data": data,
            "noise": noise,
            "version": VERSION,
            "sign": signature(config.app_id, config.key, data, noise),
        }
        try:
            with session_to(config.base_url) as session:
                answer = session.post(
                    f"{config.base_url}/api/medical/{service}",
                    json=body,
                    timeout=config.timeout_seconds,
                    allow_redirects=False,
                )
            envelope = answer.json() if answer.status_code == 200 else None
        except (requests.RequestException, ValueError) as error:
            raise GatewayUnknown(f"no answer: {type(error).__name__}") from error
        return self._open(envelope)

    def _open(self, envelope: Any) -> dict[str, Any]:
        config = self.config
        if not isinstance(envelope, dict):
            raise GatewayUnknown("no envelope")
        data, noise = str(envelope.get("data", "")), str(envelope.get("noise", ""))
        right = signature(config.app_id, config.key, data, noise)
        if not hmac.compare_digest(right, str(envelope.get("sign", ""))):
            raise GatewayUnknown("answer not believed: wrong sign")
        try:
            inside = json.loads(base64.b64decode(data, validate=True))
            result, message = str(inside["result"]), _decoded(inside["message"])
            if result != SUCCESS:
                raise GatewayRefused(result, message[:200])
            found = json.loads(message)
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise GatewayUnknown("unreadable answer") from error
        if not isinstance(found, dict):
            raise GatewayUnknown("unreadable answer")
        return found


def signature(app_id: str, key: str, data: str, noise: str) -> str:
    """The platforms' sign: MD5 over the envelope's fields and the key, in capitals."""
    text = f"appid={app_id}&data={data}&noise={noise}&key={key}&version={VERSION}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _decoded(text: Any) -> str:
    return base64.b64decode(str(text), validate=True).decode("utf-8")


def _read(found: Mapping[str, Any], number: str) -> IssuedEInvoice:
    if found.get("busNo") != number:
        raise GatewayUnknown("the answer is about another bill")
    try:
        return IssuedEInvoice(
            batch_code=_text(found, "billBatchCode"),
            number=_text(found, "billNo"),
            check_code=_text(found, "random"),
            url=_text(found, "pictureUrl"),
            total_fen=from_yuan(_text(found, "totalAmt")),
            red_number=str(found.get("scarletBillNo", ""))[:30],
        )
    except ValueError as error:
        raise GatewayUnknown("unreadable bill") from error


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"no {name}")
    return value

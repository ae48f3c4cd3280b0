"""The merchant account this program sells under, opened when it is first needed.

The account's file is handed over by the platform. Where it may still be missing when the program
starts (a command that never pays; a platform that is started beside it), each use looks again, and
until it is there every act ends *unknown*: tried again by the same timers as a lost answer.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from backend.billing.ports import ForgedNotification, GatewayUnknown, RefundStatus, TradeStatus
from backend.wechat.pay import WeChatPayGateway, load_merchant_file

NOTIFY_PATH = "/wechat/pay/notify"


class MerchantGateway:
    """`PaymentGateway` over the merchant account in ``path``; thread-safe.

    ``external_url`` is where the platform reaches us, without a trailing slash.
    """

    channel = WeChatPayGateway.channel

    def __init__(self, path: Path, *, external_url: str) -> None:
        self._path = path
        self._notify_url = external_url + NOTIFY_PATH
        self._lock = threading.Lock()
        self._opened: WeChatPayGateway | None = None

    def open(self) -> WeChatPayGateway:
        """The gateway of the account; GatewayUnknown while its file is missing.

        KeyError or ValueError when the file is incomplete: a fault of set-up, never retried away.
        """
        with self._lock:
            if self._opened is None:
                try:
                    config = load_merchant_file(self._path, notify_url=self._notify_url)
                except FileNotFoundError as error:
                    raise GatewayUnknown("the merchant account is not there yet") from error
                self._opened = WeChatPayGateway(config)
            return self._opened

    def create_native(
        self, *, out_trade_no: str, amount_fen: int, description: str, expires_at: datetime
    ) -> str:
        """See the port."""
        return self.open().create_native(
            out_trade_no=out_trade_no,
            amount_fen=amount_fen,
            description=description,
            expires_at=expires_at,
        )

    def query(self, out_trade_no: str) -> TradeStatus:
        """See the port."""
        return self.open().query(out_trade_no)

    def close(self, out_trade_no: str) -> None:
        """See the port."""
        self.open().close(out_trade_no)

    def refund(
        self,
        *,
        out_refund_no: str,
        out_trade_no: str,
        amount_fen: int,
        total_fen: int,
        reason: str,
    ) -> RefundStatus:
        """See the port."""
        return self.open().refund(
            out_refund_no=out_refund_no,
            out_trade_no=out_trade_no,
            amount_fen=amount_fen,
            total_fen=total_fen,
            reason=reason,
        )

    def query_refund(self, out_refund_no: str, out_trade_no: str) -> RefundStatus:
        """See the port."""
        return self.open().query_refund(out_refund_no, out_trade_no)

    def parse_notification(
        self, headers: Mapping[str, str], body: bytes
    ) -> TradeStatus | RefundStatus:
        """See the port; without an account nothing can be verified, so nothing is believed."""
        try:
            gateway = self.open()
        except GatewayUnknown as error:
            raise ForgedNotification("no merchant account to verify it with") from error
        return gateway.parse_notification(headers, body)

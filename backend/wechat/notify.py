"""Where WeChat Pay tells us that somebody has paid or been refunded: ``POST /wechat/pay/notify``.

Verified before anything else; stored in one transaction before it is answered 200 (the platform
repeats it until then). Repeated, late and reordered notifications are for ``record_trade_status``
and billing to recognise. A forged one changes nothing but an audit row of its own.
"""

from __future__ import annotations

import hashlib

import structlog
from flask import Blueprint, Response, jsonify, request

from backend.billing import service
from backend.billing.errors import PaymentUnknown, RefundUnknown
from backend.billing.ports import ForgedNotification, PaymentGateway, RefundStatus, TradeStatus
from backend.kernel import audit
from backend.kernel.permissions import system_actor
from backend.kernel.web import public, write_uow

log = structlog.get_logger(__name__)


ACTOR = system_actor("wechat-pay")
LONGEST_BODY = 64 * 1024


def create_blueprint(
    gateway: PaymentGateway,
    record_trade_status: service.RecordTradeStatus = service.apply_trade_status,
) -> Blueprint:
    """The notification route over one merchant's gateway. It takes no form token."""
    blueprint = Blueprint("wechat_pay_notify", __name__, url_prefix="/wechat/pay")

    @blueprint.post("/notify")
    @public("signed by the platform")
    def notify() -> tuple[Response, int]:
        body = request.get_data(cache=False) if _has_fair_size() else b""
        try:
            status = gateway.parse_notification(dict(request.headers), body)
        except ForgedNotification as forgery:
            return _refuse(body, str(forgery))
        if isinstance(status, RefundStatus):
            _store_refund(status)
        else:
            _store_trade(status, record_trade_status)
        return jsonify(code="SUCCESS", message=""), 200

    return blueprint


def _has_fair_size() -> bool:
    return request.content_length is not None and request.content_length <= LONGEST_BODY


def _refuse(body: bytes, why: str) -> tuple[Response, int]:
    """Remember that somebody tried, by the hash of what was sent and nothing of its content."""
    digest = hashlib.sha256(body).hexdigest()
    with write_uow(ACTOR) as session:
        audit.record(
            session,
            "wechat.refuse_notification",
            entity="notification",
            entity_id=digest,
            why=why,
            size=len(body),
        )
    log.warning("notification_refused", why=why, digest=digest[:16])
    return jsonify(code="FAIL", message="签名验证失败"), 401


def _store_trade(status: TradeStatus, record: service.RecordTradeStatus) -> None:
    try:
        with write_uow(ACTOR) as session:
            record(session, status)
    except PaymentUnknown:
        # An order is stored before the platform hears of it, so this one is truly not ours:
        # keep its money and let a person look.
        log.warning("notification_of_unknown_order")
        with write_uow(ACTOR) as session:
            service.record_stray_trade(session, status)


def _store_refund(status: RefundStatus) -> None:
    try:
        with write_uow(ACTOR) as session:
            service.apply_refund_status(session, status)
    except RefundUnknown:
        log.warning("notification_of_unknown_refund")
        with write_uow(ACTOR) as session:
            audit.record(
                session,
                "wechat.unknown_refund",
                entity="refund",
                entity_id=status.out_refund_no,
                state=status.state,
                amount_fen=status.amount_fen,
            )

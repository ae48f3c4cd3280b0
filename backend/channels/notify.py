"""Where Alipay tells us that somebody has paid: ``POST /alipay/notify``, a signed form.

Verified before anything else; stored in one transaction before it is answered with the seven letters
``success`` (Alipay repeats it until then). Repeated, late and reordered notifications are for the
books to recognise. A forged one changes nothing but an audit row of its own.
"""

from __future__ import annotations

import hashlib

import structlog
from flask import Blueprint, Response, request

from backend.billing import service
from backend.billing.errors import PaymentUnknown
from backend.billing.ports import ForgedNotification, PaymentGateway, RefundStatus, TradeStatus
from backend.billing.rules import Tender
from backend.kernel import audit
from backend.kernel.permissions import system_actor
from backend.kernel.web import public, write_uow

log = structlog.get_logger(__name__)


ACTOR = system_actor("alipay")
LONGEST_BODY = 64 * 1024


def create_blueprint(
    gateway: PaymentGateway,
    record_trade_status: service.RecordTradeStatus = service.apply_trade_status,
) -> Blueprint:
    """The notification route over one merchant's gateway. It takes no form token."""
    blueprint = Blueprint("alipay_notify", __name__, url_prefix="/alipay")

    @blueprint.post("/notify")
    @public("signed by the platform")
    def notify() -> Response:
        is_fair = request.content_length is not None and request.content_length <= LONGEST_BODY
        body = request.get_data(cache=False) if is_fair else b""
        try:
            status = gateway.parse_notification(dict(request.headers), body)
        except ForgedNotification as forgery:
            return _refuse(body, str(forgery))
        if not isinstance(status, RefundStatus):
            _store(status, record_trade_status)
        return Response("success", content_type="text/plain; charset=utf-8")

    return blueprint


def _refuse(body: bytes, why: str) -> Response:
    """Remember that somebody tried, by the hash of what was sent and nothing of its content."""
    digest = hashlib.sha256(body).hexdigest()
    with write_uow(ACTOR) as session:
        audit.record(
            session,
            "alipay.refuse_notification",
            entity="notification",
            entity_id=digest,
            why=why,
            size=len(body),
        )
    log.warning("notification_refused", why=why, digest=digest[:16])
    return Response("failure", 401, content_type="text/plain; charset=utf-8")


def _store(status: TradeStatus, record: service.RecordTradeStatus) -> None:
    try:
        with write_uow(ACTOR) as session:
            record(session, status)
    except PaymentUnknown:
        # An order is stored before Alipay hears of it, so this one is truly not ours: keep its
        # money and let a person look.
        log.warning("notification_of_unknown_order")
        with write_uow(ACTOR) as session:
            service.record_stray_trade(session, status, tender=Tender.ALIPAY_QR)

"""A code that was cancelled is closed at its platform, also where nobody knows it because nobody scanned it."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

from backend.billing import handlers, queries, service
from backend.billing.ports import TradeState, TradeStatus
from backend.billing.rules import PaymentState, Tender
from backend.contracts.billing import PaymentCheckDue
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.outbox import RetryLater
from tests.factories.billing import MoneyWorld, ScriptedGateway
from tests.factories.databases import SYSTEM


class UnscannedCodes(ScriptedGateway):
    """As Alipay does it: what nobody has scanned is not found, and can be paid until it is cancelled."""

    def query(self, out_trade_no: str) -> TradeStatus:
        known = super().query(out_trade_no)
        self.meanwhile()
        if known.state is TradeState.NOT_PAID:
            return TradeStatus(out_trade_no, TradeState.NOT_FOUND)
        return known


def test_a_code_cancelled_while_it_is_asked_about_is_closed_there(
    world: MoneyWorld, dispatcher: Dispatcher, clock: FixedClock
) -> None:
    platform = UnscannedCodes()
    cashier = handlers.PlatformCashier({Tender.WECHAT_NATIVE: platform}, service.apply_trade_status)
    payment_id, number = world.start_qr(world.bill("REG-ASSOC"), 2500)
    event = PaymentCheckDue(world.hospital_id, payment_id)

    def check() -> None:
        clock.advance(dt.timedelta(seconds=5))
        with suppress(RetryLater):
            cashier.check_order(world.database, event)

    def cancel() -> None:
        with world.database.write(SYSTEM) as session:
            service.cancel_payment(session, payment_id)

    check()
    platform.meanwhile = cancel
    check()
    assert platform.orders[number].state is TradeState.NOT_PAID
    check()
    assert platform.orders[number].state is TradeState.CLOSED
    with world.database.read(SYSTEM) as session:
        assert queries.get_payment(session, payment_id).state is PaymentState.CLOSED

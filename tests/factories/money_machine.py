"""The world of the billing state machine: books, a truthful far end with faults, a process that can be killed.

``Killed`` is no ``Exception``: nothing in the program catches it, as nothing catches kill -9. What was not
committed is gone; a restart gets new objects over the same database file.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, select
from sqlalchemy.orm import Session

from backend.billing import handlers
from backend.billing.models import MoneyCase, Payment, Receipt, Refund
from backend.billing.ports import GatewayRefused, RefundState, RefundStatus, TradeStatus
from backend.billing.rules import CaseState, PaymentState, Tender, is_in_flight
from backend.billing.rules import RefundState as Booked
from backend.billing.tasks import watch
from backend.billing.verify import verify_ledger
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import WRITE, Database
from tests.factories.billing import ScriptedGateway, make_world
from tests.factories.databases import MONDAY_MORNING, SYSTEM, make_empty_database

SILENCE = dt.timedelta(hours=24)


class Killed(BaseException):
    """kill -9."""


class FarEnd(ScriptedGateway):
    """A platform that keeps to its own books, whatever happens on the line to it."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[TradeStatus | RefundStatus] = []
        self.die_before = False
        self.die_after = False

    def _begin(self, call: str) -> None:
        if self.die_before:
            self.die_before = False
            raise Killed
        super()._begin(call)

    def _end(self) -> None:
        if self.die_after:
            self.die_after = False
            raise Killed
        super()._end()

    def pay(self, out_trade_no: str, amount_fen: int | None = None) -> TradeStatus:
        status = super().pay(out_trade_no, amount_fen)
        self.told.append(status)
        return status

    def close(self, out_trade_no: str) -> None:
        super().close(out_trade_no)
        self.told.append(self.orders[out_trade_no])

    def refund(self, **request: Any) -> RefundStatus:
        """As the platform does it: never more than was paid, the same number once."""
        number, order = request["out_refund_no"], request["out_trade_no"]
        if number not in self.refunds:
            given = sum(
                one.amount_fen or 0
                for one in self.refunds.values()
                if one.out_trade_no == order and one.state is not RefundState.CLOSED
            )
            known = self.orders.get(order)
            if known is None or not known.state.is_paid:
                raise GatewayRefused("TRADE_NOT_EXIST", "not paid")
            if given + request["amount_fen"] > (known.amount_fen or 0):
                raise GatewayRefused("NOT_ENOUGH", "more than was paid")
        status = super().refund(**request)
        self.told.append(status)
        return status

    def finish_refunds(self, state: RefundState) -> None:
        """What it works on comes to an end."""
        for number, known in self.refunds.items():
            if known.state is RefundState.PROCESSING:
                done = RefundStatus(number, known.out_trade_no, state, known.amount_fen, "r-2")
                self.refunds[number] = done
                self.told.append(done)


class MoneyMachineWorld:
    """One process over one database file, killed and restarted at will."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.url = f"sqlite:///{Path(self.folder.name) / 'machine.db'}"
        self.clock = FixedClock(MONDAY_MORNING)
        self.far = FarEnd()
        self.die_at_commit = False
        self.database = self._watched(make_empty_database(self.url, self.clock, self._listeners()))
        self.dispatcher = Dispatcher(self.database)
        self.money = make_world(self.database)

    def close(self) -> None:
        self.database.engine.dispose()
        self.folder.cleanup()

    def restart(self) -> None:
        """The process is gone and comes back: nothing of it is left but what was committed."""
        keys = self.database.keys
        self.database.engine.dispose()
        self.die_at_commit = self.far.die_before = self.far.die_after = False
        fresh = Database(self.url, keys=keys, subscriptions=self._listeners(), clock=self.clock)
        self.database = self._watched(fresh)
        self.dispatcher = Dispatcher(self.database)
        self.money = type(self.money)(self.database, self.money.hospital_id, self.money.patient_id)

    def survive(self, act: Callable[[], Any]) -> Any:
        """Do something; when the process is killed in it, restart. None then."""
        try:
            return act()
        except Killed:
            self.restart()
            return None

    def write(self, act: Callable[[Session], Any]) -> Any:
        """One command in a unit of work of its own."""
        with self.database.write(SYSTEM) as session:
            return act(session)

    def tell(self, status: TradeStatus | RefundStatus) -> None:
        """A notification arrives."""
        if isinstance(status, RefundStatus):
            self.money.report_refund(status)
        else:
            self.money.report(status)

    def work(self, deliveries: int = 40) -> None:
        """The dispatcher delivers what is due."""
        self.survive(lambda: self.dispatcher.drain(deliveries))

    def come_to_rest(self) -> None:
        """No more faults: far ends answer, time passes, the timers do their work, people hand cash over."""
        self.far.fail_next.clear()
        self.far.lose_next.clear()
        self.restart()
        for minutes in (1, 10, 20, 60, 60, 360, 360, 720, 1440):
            self.clock.advance(dt.timedelta(minutes=minutes))
            self.far.refund_state = RefundState.SUCCESS
            self.far.finish_refunds(RefundState.SUCCESS)
            self.dispatcher.drain(2000)
        watch.report_silence(self.database, SILENCE)
        watch.issue_missing_receipts(self.database)

    def assert_explained(self) -> None:
        """The ledger is balanced and every fen has its document."""
        with self.database.read(SYSTEM) as session:
            assert verify_ledger(session).problems == []

    def assert_at_rest(self) -> None:
        """Nothing is lost, nothing happened twice, and everything that is not settled is in front of a person."""
        self.assert_explained()
        with self.database.read(SYSTEM) as session:
            payments = list(session.scalars(select(Payment)))
            refunds = list(session.scalars(select(Refund)))
            open_cases = list(
                session.scalars(select(MoneyCase).where(MoneyCase.state == CaseState.OPEN))
            )
            receipts = list(session.scalars(select(Receipt)))
        seen = {case.reference for case in open_cases}
        for payment in payments:
            self._assert_payment_at_rest(payment, refunds, seen)
        for refund in refunds:
            assert refund.state is Booked.SUCCEEDED or refund.out_refund_no in seen, refund.state
        moved = [p.id for p in payments if p.received_fen]
        gone = [r.id for r in refunds if r.state is Booked.SUCCEEDED]
        assert sorted(r.payment_id for r in receipts if r.payment_id) == sorted(moved)
        assert sorted(r.refund_id for r in receipts if r.refund_id) == sorted(gone)

    def _assert_payment_at_rest(
        self, payment: Payment, refunds: list[Refund], seen: set[str]
    ) -> None:
        assert not is_in_flight(payment.state), payment.state
        back = [r for r in refunds if r.payment_id == payment.id]
        if payment.is_suspended and payment.received_fen > payment.refunded_fen:
            assert payment.state is PaymentState.FROZEN
            assert payment.id.hex in seen
        if payment.out_trade_no is None:
            return
        order = self.far.orders.get(payment.out_trade_no)
        came = order.amount_fen if order is not None and order.state.is_paid else 0
        assert payment.received_fen == came, (payment.state, payment.received_fen, came)
        given = {
            number: one.amount_fen
            for number, one in self.far.refunds.items()
            if one.out_trade_no == payment.out_trade_no and one.state is RefundState.SUCCESS
        }
        booked = {r.out_refund_no: r.amount_fen for r in back if r.state is Booked.SUCCEEDED}
        assert given == booked

    def _watched(self, database: Database) -> Database:
        """The same database, in whose commits the process can die."""

        def die(connection: Connection) -> None:
            # A reading unit of work commits too; a process that dies there has nothing to lose.
            if self.die_at_commit and connection.get_execution_options().get(WRITE):
                self.die_at_commit = False
                raise Killed

        event.listen(database.engine, "commit", die)
        return database

    def _listeners(self) -> Subscriptions:
        subscriptions = Subscriptions()
        far_ends = (Tender.WECHAT_NATIVE, Tender.ALIPAY_QR, Tender.INSURANCE, Tender.BANK_CARD)
        handlers.subscribe(subscriptions, dict.fromkeys(far_ends, self.far))
        return subscriptions

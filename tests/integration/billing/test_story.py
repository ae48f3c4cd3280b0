"""Any order of acts and reports leaves books that the verifier can explain (a state machine)."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from backend.billing import handlers, queries, service
from backend.billing.ports import RefundState, RefundStatus, TradeState, TradeStatus
from backend.billing.rules import Tender
from backend.billing.verify import verify_ledger
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.errors import XinglinError
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from tests.factories.billing import MoneyWorld, ScriptedGateway, make_world, paid
from tests.factories.bills import refund_part
from tests.factories.databases import MONDAY_MORNING, SYSTEM, make_empty_database

PICK = st.integers(min_value=0, max_value=3)


class MoneyStory(RuleBasedStateMachine):
    """Patients, cashiers, timers and the platform act in any order on a few bills."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FixedClock(MONDAY_MORNING)
        self.gateway = ScriptedGateway()
        subscriptions = Subscriptions()
        handlers.subscribe(subscriptions, {Tender.WECHAT_NATIVE: self.gateway})
        url = f"sqlite:///{Path(self.folder.name) / 'story.db'}"
        self.database = make_empty_database(url, self.clock, subscriptions)
        self.dispatcher = Dispatcher(self.database)
        self.bills: list[Id] = []
        self.payments: list[tuple[Id, str]] = []

    def teardown(self) -> None:
        self.database.engine.dispose()
        self.folder.cleanup()

    @initialize()
    def open_hospital(self) -> None:
        self.world: MoneyWorld = make_world(self.database)

    def bill_at(self, index: int) -> Id:
        if not self.bills:
            self.bills.append(
                self.world.bill("REG-ASSOC", "LAB-CBC", expires_in=dt.timedelta(minutes=15))
            )
        return self.bills[index % len(self.bills)]

    @rule()
    def open_bill(self) -> None:
        self.bills.append(self.world.bill("DRUG-1", expires_in=dt.timedelta(minutes=15)))

    @rule(index=PICK)
    def start_qr(self, index: int) -> None:
        invoice_id = self.bill_at(index)
        with self.database.read(SYSTEM) as session:
            due = queries.get_invoice(session, invoice_id).total_fen
        try:
            self.payments.append(self.world.start_qr(invoice_id, due))
        except XinglinError as refusal:
            assert refusal.status == 409

    @rule(index=PICK)
    def pay_cash(self, index: int) -> None:
        invoice_id = self.bill_at(index)
        try:
            with self.database.write(SYSTEM) as session:
                service.pay_cash(session, invoice_id=invoice_id, received_fen=10_000)
        except XinglinError as refusal:
            assert refusal.status == 409

    @rule(index=PICK, state=st.sampled_from(list(TradeState)), wrong_fen=st.sampled_from([0, 0, 1]))
    def report(self, index: int, state: TradeState, wrong_fen: int) -> None:
        if not self.payments:
            return
        payment_id, number = self.payments[index % len(self.payments)]
        with self.database.read(SYSTEM) as session:
            asked = queries.get_payment(session, payment_id).amount_fen
        status = TradeStatus(number, state, asked)
        if state.is_paid:
            status = paid(number, asked + wrong_fen)
            if number in self.gateway.orders:
                self.gateway.orders[number] = status
        self.world.report(status)

    @rule(index=PICK)
    def cancel(self, index: int) -> None:
        if self.payments:
            with self.database.write(SYSTEM) as session:
                service.cancel_payment(session, self.payments[index % len(self.payments)][0])

    @rule(index=PICK, cancel_charges=st.booleans())
    def void(self, index: int, cancel_charges: bool) -> None:
        invoice_id = self.bill_at(index)
        try:
            with self.database.write(SYSTEM) as session:
                service.void_invoice(
                    session, invoice_id, reason="story", cancel_charges=cancel_charges
                )
        except XinglinError as refusal:
            assert refusal.status == 409

    @rule(index=PICK, fen=st.sampled_from([1, 1000, 3333, 4500]))
    def refund(self, index: int, fen: int) -> None:
        invoice_id = self.bill_at(index)
        with self.database.read(SYSTEM) as session:
            settling = queries.list_settling_payments(session, invoice_id)
        if not settling:
            return
        try:
            with self.database.write(SYSTEM) as session:
                refund_part(session, invoice_id, fen, reason="story")
        except XinglinError as refusal:
            assert refusal.status == 409

    @rule(state=st.sampled_from(list(RefundState)))
    def platform_refunds_turn(self, state: RefundState) -> None:
        self.gateway.refund_state = state
        for number, known in self.gateway.refunds.items():
            if known.state is RefundState.PROCESSING:
                self.gateway.refunds[number] = RefundStatus(
                    number, known.out_trade_no, state, known.amount_fen, "r"
                )

    @rule(seconds=st.sampled_from([1, 10, 60, 1000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(dt.timedelta(seconds=seconds))
        self.dispatcher.drain(50)

    @invariant()
    def books_are_explained(self) -> None:
        with self.database.read(SYSTEM) as session:
            assert verify_ledger(session).problems == []


MoneyStory.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TestMoneyStory = MoneyStory.TestCase

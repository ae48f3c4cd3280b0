"""A counter that takes cards: books, clock and cashier, joined to the sandbox's bank."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.billing import handlers, queries, service
from backend.billing.models import CardAct
from backend.billing.rules import InvoiceState, RefundState
from backend.billing.verify import verify_ledger
from backend.billing.views import PaymentView
from backend.channels.bank_card import BankCardGateway, load_bank_file
from backend.contracts.billing import PaymentCheckDue
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from backend.kernel.outbox import RetryLater, Subscriptions
from backend.kernel.uow import Database
from tests.contract.wechat.sandbox_process import Sandbox
from tests.factories.billing import MoneyWorld, make_world
from tests.factories.bills import refund_part
from tests.factories.databases import SYSTEM, make_empty_database

GOOD, POOR, MUTE = (f"62999900000000{end}" for end in ("17", "25", "33"))
NINE = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)


@dataclass
class CardDesk:
    """A hospital that takes cards: its books, its bank, its clock."""

    world: MoneyWorld
    clock: FixedClock
    bank: BankCardGateway
    sandbox: Sandbox
    cashier: handlers.CardCashier

    @property
    def database(self) -> Database:
        return self.world.database

    def swipe(self, card: str, invoice_id: Id | None = None) -> tuple[Id, Id]:
        """The counter's act and the bank's answer: bill and payment."""
        bill = invoice_id or self.world.bill("REG-ASSOC")
        with self.database.write(SYSTEM) as session:
            payment = service.start_card_payment(
                session, invoice_id=bill, amount_fen=2500, swiped=card
            )
            payment_id = payment.id
        Dispatcher(self.database).drain()
        return bill, payment_id

    def check(self, payment_id: Id) -> bool:
        """The timer comes; True when it wants to come again."""
        self.clock.advance(dt.timedelta(seconds=2))
        try:
            self.cashier.check(self.database, PaymentCheckDue(self.world.hospital_id, payment_id))
        except RetryLater:
            return True
        return False

    def payment(self, payment_id: Id) -> PaymentView:
        with self.database.read(SYSTEM) as session:
            return queries.get_payment(session, payment_id)

    def act(self, payment_id: Id) -> CardAct:
        with self.database.read(SYSTEM) as session:
            return session.scalars(
                select(CardAct).where(CardAct.payment_id == payment_id)
            ).first() or pytest.fail("no act")

    def bill_state(self, invoice_id: Id) -> InvoiceState:
        with self.database.read(SYSTEM) as session:
            return queries.get_invoice(session, invoice_id).state

    def refund(self, invoice_id: Id, fen: int) -> Id:
        with self.database.write(SYSTEM) as session:
            [refund] = refund_part(session, invoice_id, fen)
            refund_id = refund.id
        Dispatcher(self.database).drain()
        return refund_id

    def refund_state(self, refund_id: Id) -> RefundState:
        with self.database.read(SYSTEM) as session:
            return queries.get_refund(session, refund_id).state

    def fault(self, mode: str, operation: str, count: int = 1) -> None:
        self.sandbox.put(
            "/sandbox/faults", bank=mode, operation=operation, count=count, seconds=0.05
        )

    def problems(self) -> list[str]:
        with self.database.read(SYSTEM) as session:
            return verify_ledger(session).problems


@contextmanager
def open_card_desk(sandbox: Sandbox, folder: Path) -> Iterator[CardDesk]:
    """A desk over a fresh database and the sandbox's bank, which has forgotten everything."""
    sandbox.reset()
    config = replace(load_bank_file(sandbox.directory / "bank.json"), answer_seconds=2.0)
    bank = BankCardGateway(lambda: config)
    subscriptions, clock = Subscriptions(), FixedClock(NINE)
    handlers.subscribe_cards(subscriptions, bank)
    database = make_empty_database(f"sqlite:///{folder / 'cards.db'}", clock, subscriptions)
    cashier = handlers.CardCashier(bank, service.apply_trade_status)
    try:
        yield CardDesk(make_world(database), clock, bank, sandbox, cashier)
    finally:
        database.engine.dispose()

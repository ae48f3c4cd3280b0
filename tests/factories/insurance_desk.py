"""A counter that settles with the insurance: books, clock and clerk, joined to the sandbox's centre."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from backend.billing import handlers, queries, service
from backend.billing.models import InsuranceClaim, Payment
from backend.billing.rules import Channel, InvoiceState
from backend.billing.verify import verify_ledger
from backend.channels.insurance import NationalInsurance, load_insurance_file
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

EMPLOYEE, FROZEN = "310000001", "999000001"
NINE = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
#: 35 % of the registration's 25.00 and 70 % of the blood count's 20.00.
FUND, OWN = 875 + 1400, 4500 - 875 - 1400


@dataclass
class Desk:
    """A hospital that settles with the insurance."""

    world: MoneyWorld
    clock: FixedClock
    sandbox: Sandbox
    clerk: handlers.InsuranceClerk

    @property
    def database(self) -> Database:
        return self.world.database

    def claim(self, credential: str = EMPLOYEE) -> tuple[Id, Id]:
        """Bill and claim, after the centre was asked."""
        bill = self.world.bill("REG-ASSOC", "LAB-CBC")
        with self.database.write(SYSTEM) as session:
            claim_id = service.claim_insurance(session, invoice_id=bill, credential=credential).id
        Dispatcher(self.database).drain()
        return bill, claim_id

    def read(self, claim_id: Id) -> InsuranceClaim:
        with self.database.read(SYSTEM) as session:
            return session.get_one(InsuranceClaim, claim_id)

    def payment(self, claim_id: Id) -> Payment:
        with self.database.read(SYSTEM) as session:
            return session.get_one(Payment, self.read(claim_id).payment_id)

    def check(self, claim_id: Id, seconds: float = 3) -> bool:
        """The timer comes; True when it wants to come again."""
        self.clock.advance(dt.timedelta(seconds=seconds))
        event = PaymentCheckDue(self.world.hospital_id, self.payment(claim_id).id)
        try:
            self.clerk.check(self.database, event)
        except RetryLater:
            return True
        return False

    def bill(self, invoice_id: Id) -> tuple[InvoiceState, int]:
        with self.database.read(SYSTEM) as session:
            view = queries.get_invoice(session, invoice_id)
            return view.state, view.due_fen

    def pay_rest(self, invoice_id: Id) -> None:
        with self.database.write(SYSTEM) as session:
            service.pay_cash(session, invoice_id=invoice_id, received_fen=10000)

    def refund(self, bill: Id, fen: int = FUND + OWN) -> Id:
        """Give back so much of a bill, all of it; the refund of the insurance's part."""
        with self.database.write(SYSTEM) as session:
            made = refund_part(session, bill, fen, channel=Channel.COUNTER)
            [refund_id] = [one.id for one in made if one.amount_fen == FUND]
        Dispatcher(self.database).drain()
        return refund_id

    def fault(self, mode: str, infno: str, count: int = 1) -> None:
        self.sandbox.put("/sandbox/faults", insurance=mode, operation=infno, count=count)

    def problems(self) -> list[str]:
        with self.database.read(SYSTEM) as session:
            return verify_ledger(session).problems


@contextmanager
def open_insurance_desk(sandbox: Sandbox, folder: Path) -> Iterator[Desk]:
    """A desk over a fresh database and the sandbox's centre, which has forgotten everything."""
    sandbox.reset()
    config = replace(load_insurance_file(sandbox.directory / "insurance.json"), timeout_seconds=2.0)
    centre = NationalInsurance(lambda: config)
    subscriptions, clock = Subscriptions(), FixedClock(NINE)
    handlers.subscribe_insurance(subscriptions, centre)
    database = make_empty_database(f"sqlite:///{folder / 'claims.db'}", clock, subscriptions)
    clerk = handlers.InsuranceClerk(centre, service.apply_trade_status)
    try:
        yield Desk(make_world(database), clock, sandbox, clerk)
    finally:
        database.engine.dispose()

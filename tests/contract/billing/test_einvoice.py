"""Electronic bills follow the money over the real wire: issued, written off, issued anew; silence is asked about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.billing import handlers, queries, service
from backend.billing.models import ElectronicInvoice
from backend.billing.rules import Channel
from backend.billing.rules.einvoice import EInvoiceState
from backend.channels.einvoice import EInvoicePlatform, load_einvoice_file
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.errors import Conflict
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from tests.contract.wechat.sandbox_process import Sandbox, http
from tests.factories.billing import MoneyWorld, make_world
from tests.factories.bills import refund_part
from tests.factories.databases import SYSTEM, make_empty_database

NINE = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
ISSUE, FIND, RED = "invoiceEBillOutpatient", "getEBillByBusNo", "writeOffEBill"


@dataclass
class Desk:
    """A hospital that issues electronic bills."""

    world: MoneyWorld
    clock: FixedClock
    sandbox: Sandbox

    @property
    def database(self) -> Database:
        return self.world.database

    def drain(self, seconds: float = 0) -> None:
        self.clock.advance(dt.timedelta(seconds=seconds))
        Dispatcher(self.database).drain()

    def pay(self) -> Id:
        """A bill of 45 yuan, paid in cash."""
        bill = self.world.bill("REG-ASSOC", "LAB-CBC")
        with self.database.write(SYSTEM) as session:
            service.pay_cash(session, invoice_id=bill, received_fen=4500)
        self.drain()
        return bill

    def refund(self, bill: Id, places: slice, fen: int) -> None:
        with self.database.write(SYSTEM) as session:
            lines = queries.get_invoice(session, bill).lines[places]
            charges = (line.charge_id for line in lines)
            refund_part(session, bill, fen, *charges, channel=Channel.COUNTER)
        self.drain()

    def rows(self, bill: Id) -> list[ElectronicInvoice]:
        with self.database.read(SYSTEM) as session:
            return list(
                session.scalars(
                    select(ElectronicInvoice)
                    .where(ElectronicInvoice.invoice_id == bill)
                    .order_by(ElectronicInvoice.sequence)
                )
            )

    def states(self, bill: Id) -> list[tuple[EInvoiceState, int]]:
        return [(row.state, row.amount_fen) for row in self.rows(bill)]

    def fault(self, mode: str, service_name: str, count: int = 1) -> None:
        self.sandbox.put("/sandbox/faults", einvoice=mode, operation=service_name, count=count)


@pytest.fixture
def desk(sandbox_process: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    sandbox_process.reset()
    path = sandbox_process.directory / "einvoice.json"
    platform = EInvoicePlatform(lambda: load_einvoice_file(path))
    subscriptions, clock = Subscriptions(), FixedClock(NINE)
    handlers.subscribe_einvoices(subscriptions, platform)
    database = make_empty_database(f"sqlite:///{tmp_path / 'bills.db'}", clock, subscriptions)
    yield Desk(make_world(database), clock, sandbox_process)
    database.engine.dispose()


def test_a_paid_bill_gets_its_electronic_bill(desk: Desk) -> None:
    bill = desk.pay()
    [row] = desk.rows(bill)
    assert (row.state, row.amount_fen) == (EInvoiceState.ISSUED, 4500)
    page = http("GET", row.url).text
    assert "张*三" in page
    assert "张小三" not in page, "the payer's name goes out masked"


def test_a_part_given_back_is_written_off_and_the_rest_billed_anew(desk: Desk) -> None:
    bill = desk.pay()
    desk.refund(bill, slice(1, 2), 2000)
    red, blue = desk.rows(bill)
    assert (red.state, blue.state, blue.amount_fen) == (
        EInvoiceState.RED_LETTERED,
        EInvoiceState.ISSUED,
        2500,
    )
    assert red.red_number
    assert "已冲红" in http("GET", red.url).text
    desk.refund(bill, slice(0, 1), 2500)
    assert [state for state, _fen in desk.states(bill)] == [EInvoiceState.RED_LETTERED] * 2


@pytest.mark.parametrize("mode", ["silent", "swallow"])
def test_after_silence_the_platform_is_asked_before_anything_is_sent_again(
    mode: str, desk: Desk
) -> None:
    desk.fault(mode, ISSUE)
    bill = desk.pay()
    assert desk.states(bill) == [(EInvoiceState.UNKNOWN, 4500)]
    desk.drain(6)
    assert desk.states(bill) == [(EInvoiceState.ISSUED, 4500)]
    assert desk.rows(bill)[0].number == "0000000001", "one bill, however often it was asked for"


@pytest.mark.parametrize("mode", ["silent", "swallow"])
def test_money_that_goes_back_while_the_bill_is_unknown_leaves_no_wrong_bill(
    mode: str, desk: Desk
) -> None:
    desk.fault(mode, ISSUE)
    bill = desk.pay()
    desk.refund(bill, slice(1, 2), 2000)
    desk.drain(6)
    desk.drain(6)
    assert desk.states(bill) == [(EInvoiceState.RED_LETTERED, 4500), (EInvoiceState.ISSUED, 2500)]
    assert bool(desk.rows(bill)[0].red_number) is (mode == "silent")


def test_writing_off_is_repeated_until_it_is_answered(desk: Desk) -> None:
    bill = desk.pay()
    desk.fault("silent", RED)
    desk.refund(bill, slice(0, 2), 4500)
    assert desk.states(bill) == [(EInvoiceState.RED_PENDING, 4500)]
    desk.drain(6)
    assert desk.states(bill) == [(EInvoiceState.RED_LETTERED, 4500)]


def test_a_writing_off_that_stays_unanswered_is_repeated_more_and_more_rarely(desk: Desk) -> None:
    bill = desk.pay()
    desk.fault("swallow", RED, count=2)
    desk.refund(bill, slice(0, 2), 4500)
    desk.drain(6)
    assert desk.rows(bill)[0].attempts == 2
    desk.drain(6)
    assert desk.states(bill) == [(EInvoiceState.RED_PENDING, 4500)], "a quarter of a minute now"
    desk.drain(10)
    assert desk.states(bill) == [(EInvoiceState.RED_LETTERED, 4500)]


def test_a_refusal_waits_for_a_person_who_tries_again(desk: Desk) -> None:
    desk.fault("refuse", ISSUE)
    bill = desk.pay()
    [row] = desk.rows(bill)
    assert (row.state, row.words) == (EInvoiceState.FAILED, "票据库存不足")
    with desk.database.write(SYSTEM) as session:
        service.retry_einvoice(session, row.id)
    desk.drain()
    assert desk.states(bill) == [(EInvoiceState.ISSUED, 4500)]
    with pytest.raises(Conflict), desk.database.write(SYSTEM) as session:
        service.retry_einvoice(session, row.id)

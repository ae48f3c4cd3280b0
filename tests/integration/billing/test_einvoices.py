"""Electronic bills and money that goes back at the worst moment: nothing stands there that we take for gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from backend.billing import handlers, queries, service
from backend.billing.models import ElectronicInvoice
from backend.billing.ports import GatewayUnknown, RefundState, RefundStatus
from backend.billing.ports.einvoice import EInvoiceOrder, IssuedEInvoice
from backend.billing.rules import Channel
from backend.billing.rules.einvoice import EInvoiceState
from backend.billing.services import einvoice
from backend.contracts.billing import ElectronicInvoiceDue
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from backend.kernel.outbox import RetryLater, Subscriptions
from tests.factories.billing import MoneyWorld, paid
from tests.factories.databases import SYSTEM

CREATED, UNKNOWN, ISSUED = EInvoiceState.CREATED, EInvoiceState.UNKNOWN, EInvoiceState.ISSUED
GONE = EInvoiceState.RED_LETTERED


@dataclass
class BillPlatform:
    """A platform with bills of its own; ``lose`` answers get lost, before they arrive there or after."""

    bills: dict[str, IssuedEInvoice] = field(default_factory=dict)
    lose: list[str] = field(default_factory=list)
    #: Happens between the question for a bill and its answer.
    meanwhile: Callable[[], None] = lambda: None

    def issue(self, order: EInvoiceOrder) -> IssuedEInvoice:
        lost = self.lose.pop() if self.lose else ""
        if lost == "request":
            raise GatewayUnknown("lost")
        bill = IssuedEInvoice("01", f"{len(self.bills) + 1:010d}", "c", "u", order.total_fen)
        self.bills.setdefault(order.number, bill)
        if lost:
            raise GatewayUnknown("lost")
        return self.bills[order.number]

    def find(self, number: str) -> IssuedEInvoice | None:
        found = self.bills.get(number)
        self.meanwhile()
        return found

    def write_off(self, bill: IssuedEInvoice, *, number: str, reason: str) -> IssuedEInvoice:
        known = self.bills[number]
        self.bills[number] = IssuedEInvoice(
            known.batch_code, known.number, "c", "u", known.total_fen, f"R{known.number}"
        )
        return self.bills[number]

    @property
    def standing_fen(self) -> list[int]:
        """What stands there."""
        return [bill.total_fen for bill in self.bills.values() if not bill.red_number]


@pytest.fixture
def platform() -> BillPlatform:
    return BillPlatform()


@pytest.fixture
def subscriptions(platform: BillPlatform) -> Subscriptions:
    subscriptions = Subscriptions()
    handlers.subscribe_einvoices(subscriptions, platform)
    return subscriptions


@dataclass
class Books:
    """One bill of 45 yuan, paid by WeChat."""

    world: MoneyWorld
    bill: Id
    dispatcher: Dispatcher
    clock: FixedClock

    def drain(self, seconds: float = 0) -> None:
        self.clock.advance(dt.timedelta(seconds=seconds))
        self.dispatcher.drain()

    def refund(self, *, is_done: bool) -> None:
        """The blood count's 20 yuan: asked for, and if so paid out."""
        with self.world.database.write(SYSTEM) as session:
            line = queries.get_invoice(session, self.bill).lines[1]
            [refund] = service.refund_charges(
                session,
                invoice_id=self.bill,
                parts={line.charge_id: line.amount_fen},
                reason="退费",
                channel=Channel.COUNTER,
            )
            number, fen = refund.out_refund_no, refund.amount_fen
        if is_done:
            self.world.report_refund(RefundStatus(number, None, RefundState.SUCCESS, fen))

    def rows(self) -> list[tuple[EInvoiceState, int]]:
        with self.world.database.read(SYSTEM) as session:
            rows = session.scalars(
                select(ElectronicInvoice).order_by(ElectronicInvoice.sequence)
            ).all()
        return [(row.state, row.amount_fen) for row in rows]

    def first(self) -> Id:
        with self.world.database.read(SYSTEM) as session:
            return session.scalars(
                select(ElectronicInvoice.id).where(ElectronicInvoice.sequence == 1)
            ).one()

    def bring(self, platform: BillPlatform) -> None:
        """A worker comes for the first electronic bill."""
        event = ElectronicInvoiceDue(self.world.hospital_id, self.first())
        handlers.EInvoiceClerk(platform).bring(self.world.database, event)


@pytest.fixture
def books(world: MoneyWorld, dispatcher: Dispatcher, clock: FixedClock) -> Books:
    bill = world.bill("REG-ASSOC", "LAB-CBC")
    _payment_id, number = world.start_qr(bill, 4500)
    world.report(paid(number, 4500))
    books = Books(world, bill, dispatcher, clock)
    assert dispatcher.deliver_one(external=False)
    assert books.rows() == [(CREATED, 4500)]
    return books


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_refund_that_is_only_asked_for_leaves_the_rest_billed(
    lost: str, books: Books, platform: BillPlatform
) -> None:
    platform.lose.append(lost)
    books.drain()
    assert books.rows() == [(UNKNOWN, 4500)]
    books.refund(is_done=False)
    books.drain(6)
    assert books.rows() == [(GONE, 4500), (ISSUED, 2500)]
    assert platform.standing_fen == [2500]


def test_a_bill_that_is_gone_before_it_is_sent_is_not_sent(
    books: Books, platform: BillPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = einvoice.issued_of

    def a_refund_is_quicker(row: ElectronicInvoice) -> IssuedEInvoice:
        monkeypatch.undo()
        books.refund(is_done=True)
        assert books.dispatcher.deliver_one(external=False)
        return real(row)

    monkeypatch.setattr(einvoice, "issued_of", a_refund_is_quicker)
    books.bring(platform)
    assert (books.rows(), platform.bills) == ([(GONE, 4500), (CREATED, 2500)], {})
    books.drain()
    assert platform.standing_fen == [2500]


def test_a_bill_that_was_given_up_and_arrived_all_the_same_is_written_off(
    books: Books, platform: BillPlatform
) -> None:
    """Two workers: one asks for the bill before the other's has arrived."""
    platform.lose.append("request")
    with pytest.raises(RetryLater):
        books.bring(platform)

    def the_other_gives_it_up() -> None:
        platform.meanwhile = lambda: None
        books.refund(is_done=False)
        books.bring(platform)
        assert books.rows()[0] == (GONE, 4500)

    platform.meanwhile = the_other_gives_it_up
    books.bring(platform)
    books.drain()
    assert books.rows() == [(GONE, 4500), (ISSUED, 2500)]
    assert platform.standing_fen == [2500]

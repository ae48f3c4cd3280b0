"""``ledger verify`` finds every tampered row and names it; on sound books it says what it checked."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update

from backend.billing import service
from backend.billing.models import JournalEntry, Posting
from backend.billing.rules import Channel, EntryKind
from backend.billing.verify import verify_ledger
from backend.kernel.verify import VerifyReport
from tests.factories.billing import MoneyWorld, paid
from tests.factories.bills import refund_part
from tests.factories.databases import SYSTEM


@pytest.fixture
def books(world: MoneyWorld) -> MoneyWorld:
    """Books with a bit of everything: cash, QR, a refund, a void bill, a frozen and a stray payment."""
    for received in (4500, 5000):
        invoice_id = world.bill("REG-ASSOC", "LAB-CBC")
        with world.database.write(SYSTEM) as session:
            service.pay_cash(session, invoice_id=invoice_id, received_fen=received)
    _payment_id, number = world.start_qr(world.bill("CT-CHEST"), 18000)
    world.report(paid(number, 18000))
    _payment_id, number = world.start_qr(world.bill("CT-CHEST"), 18000)
    world.report(paid(number, 17999))
    with world.database.write(SYSTEM) as session:
        service.void_invoice(session, world.bill_in(session, "DRUG-1").id, reason="test")
        service.record_stray_trade(session, paid("f" * 32, 77))
        invoice = world.bill_in(session, "REG-ASSOC")
        service.pay_cash(session, invoice_id=invoice.id, received_fen=2500)
        refund_part(session, invoice.id, 1000, channel=Channel.COUNTER)
    return world


def verify(world: MoneyWorld) -> VerifyReport:
    with world.database.read(SYSTEM) as session:
        return verify_ledger(session)


def tamper(world: MoneyWorld, statement: str) -> None:
    """Change rows behind the program's back."""
    with world.database.write(SYSTEM, housekeeping=True) as session:
        assert session.execute(text(statement)).rowcount > 0  # type: ignore[attr-defined]


def test_sound_books_are_explained_and_counted(books: MoneyWorld) -> None:
    report = verify(books)
    assert report.problems == []
    assert report.counts["charges"] == 8
    assert report.counts["payments"] == 5
    assert report.counts["invoices"] == 6
    assert report.counts["refunds"] == 1
    assert report.counts["journal entries"] == 17
    assert report.counts["postings"] == 34


def test_empty_books_are_sound(world: MoneyWorld) -> None:
    assert verify(world).problems == []


def test_one_posting_changed_by_one_fen_is_named(books: MoneyWorld) -> None:
    with books.database.read(SYSTEM) as session:
        entry_id = session.scalars(
            select(JournalEntry.id)
            .where(JournalEntry.kind == EntryKind.PAYMENT_RECEIVED)
            .order_by(JournalEntry.id)
            .limit(1)
        ).one()
    with books.database.write(SYSTEM, housekeeping=True) as session:
        session.execute(
            update(Posting)
            .where(Posting.entry_id == entry_id, Posting.line == 2)
            .values(amount_fen=Posting.amount_fen + 1)
        )
    report = verify(books)
    assert not report.is_sound
    assert any(f"posting 2 of entry {entry_id} " in problem for problem in report.problems)
    assert any("does not balance: 1 fen" in problem for problem in report.problems)
    assert any("all postings together are 1 fen" in problem for problem in report.problems)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "DELETE FROM billing_posting WHERE account = 'suspense' AND amount_fen = -77",
            "lacks",
        ),
        (
            "UPDATE billing_posting SET account = 'cash:pocket' WHERE account = 'cash:drawer'",
            "account cash:pocket is not in the chart",
        ),
        (
            (
                "UPDATE billing_journal_entry SET kind = 'charge_cancelled'"
                " WHERE kind = 'payment_suspended'"
            ),
            "must not post charge_cancelled",
        ),
        (
            (
                "UPDATE billing_charge SET amount_fen = 1, unit_price_fen = 1, refunded_fen = 0"
                " WHERE price_item_code = 'CT-CHEST'"
            ),
            "its charges are 1",
        ),
        ("UPDATE billing_charge SET state = 'pending' WHERE state = 'invoiced'", "is pending on"),
        ("UPDATE billing_charge SET refunded_fen = 999 WHERE refunded_fen = 1000", "notes 999 fen"),
        ("UPDATE billing_payment SET refunded_fen = 1 WHERE refunded_fen = 1000", "notes 1 fen"),
        ("UPDATE billing_refund SET amount_fen = 2", "its lines are 1000"),
        ("UPDATE billing_refund SET state = 'processing'", "must not post refund_paid"),
        (
            "UPDATE billing_invoice SET state = 'paid' WHERE state = 'open'",
            "is paid and notes 0 fen paid, its payments are 0 fen",
        ),
        (
            "UPDATE billing_payment SET received_fen = received_fen + 1 WHERE state = 'frozen'",
            "18000 fen",
        ),
        ("UPDATE billing_invoice SET ordinal = 99 WHERE ordinal = 3", "from 1 to 99"),
        ("UPDATE billing_invoice SET ordinal = NULL WHERE ordinal = 3", "has no number"),
        ("UPDATE billing_invoice_counter SET last = 7", "its counter says 7"),
        ("DELETE FROM billing_money_case WHERE kind = 'unknown_order'", "has no document"),
    ],
)
def test_tampering_is_found(books: MoneyWorld, statement: str, words: str) -> None:
    tamper(books, statement)
    assert any(words in problem for problem in verify(books).problems), verify(books).problems

"""``ledger verify`` on parts, prepaid accounts and receipts: every kind of damage is found and names its row."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from backend.billing import queries, service
from backend.billing.rules import Channel
from backend.billing.tasks import watch
from backend.billing.verify import verify_ledger
from backend.kernel.uow import today
from tests.factories.billing import MoneyWorld
from tests.factories.databases import SYSTEM


@pytest.fixture
def books(world: MoneyWorld) -> MoneyWorld:
    """A bill paid half, one that ended with a part paid, an account that was topped up, used and drawn from."""
    with world.database.write(SYSTEM) as session:
        account = service.open_account(
            session, hospital_id=world.hospital_id, patient_id=world.patient_id
        )
        top_up = service.start_top_up(session, account_id=account.id, amount_fen=9000)
        service.pay_cash(session, invoice_id=top_up.id, received_fen=9000, channel=Channel.COUNTER)
        half = world.bill_in(session, "LAB-CBC")
        service.pay_prepaid(session, invoice_id=half.id, amount_fen=1500)
        ended = world.bill_in(session, "REG-ASSOC")
        service.pay_cash(session, invoice_id=ended.id, received_fen=600, amount_fen=600)
        service.void_invoice(session, ended.id, reason="hold_expired")
        service.withdraw(
            session,
            account_id=account.id,
            amount_fen=2000,
            reason="退",
            channel=Channel.COUNTER,
        )
    watch.issue_missing_receipts(world.database)
    return world


def problems(world: MoneyWorld) -> list[str]:
    with world.database.read(SYSTEM) as session:
        return verify_ledger(session).problems


def test_sound_books_are_sound(books: MoneyWorld) -> None:
    assert problems(books) == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE billing_deposit_account SET balance_fen = balance_fen + 1", "holds 5501 fen"),
        ("UPDATE billing_posting SET holder_id = NULL WHERE amount_fen = 1500", "is not explained"),
        ("UPDATE billing_payment SET account_id = NULL", "has the wrong kind of account"),
        ("UPDATE billing_invoice SET paid_fen = 1499 WHERE paid_fen = 1500", "notes 1499 fen"),
        ("UPDATE billing_payment SET is_suspended = false WHERE received_fen = 600", "is void"),
        (
            "UPDATE billing_payment SET released_at = NULL WHERE received_fen = 600",
            "must not post payment_released",
        ),
        (
            "DELETE FROM billing_posting WHERE account = 'deposit:awaited' AND amount_fen > 0",
            "lacks 9000 fen",
        ),
        ("UPDATE billing_receipt SET ordinal = 9 WHERE series LIKE 'S%' AND ordinal = 1", "to 9"),
        (
            "UPDATE billing_refund SET state = 'processing' WHERE state = 'succeeded'",
            "is of money that has not moved",
        ),
        (
            "UPDATE billing_charge SET account_id = NULL WHERE category = 'deposit'",
            "must not post deposit_topped_up",
        ),
        (
            "UPDATE billing_invoice_counter SET last = last + 1 WHERE series LIKE 'T%'",
            "its counter says 2",
        ),
    ],
)
def test_damage_is_found_and_named(books: MoneyWorld, statement: str, words: str) -> None:
    with books.database.write(SYSTEM, housekeeping=True) as session:
        assert session.execute(text(statement)).rowcount > 0  # type: ignore[attr-defined]
    found = problems(books)
    assert any(words in problem for problem in found), found


def test_the_daily_bill_has_what_was_charged_and_no_top_ups(books: MoneyWorld) -> None:
    with books.database.read(SYSTEM) as session:
        day = queries.list_day_charges(session, books.patient_id, today(session))
    assert [(line.name, line.amount_fen) for line in day] == [("血常规（五分类）", 2000)]

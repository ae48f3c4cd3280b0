"""Many at once on one bill: it is paid once, refunded once, numbered without gaps.

The negative control takes the locks and the last defence away and sees one payment posted twice.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.billing import queries, rules, service
from backend.billing.models import Invoice, JournalEntry, Payment
from backend.billing.rules import ChargeState, EntryKind, InvoiceState
from backend.billing.verify import verify_ledger
from backend.kernel import locks
from backend.kernel.errors import XinglinError
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from tests.factories.billing import MoneyWorld, make_world, paid
from tests.factories.bills import refund_part
from tests.factories.databases import SYSTEM

DEADLINE = 60.0
DUE = 2500


@pytest.fixture
def world(postgres_database: Database) -> MoneyWorld:
    return make_world(postgres_database)


def at_once(*acts: Callable[[], object]) -> Counter[str]:
    """Run all acts together from one barrier; how often each outcome came."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        barrier.wait(DEADLINE)
        try:
            act()
        except XinglinError as refused:
            return refused.error_code
        except IntegrityError:
            return "constraint"
        return "ok"

    with ThreadPoolExecutor(len(acts)) as pool:
        futures = [pool.submit(run, act) for act in acts]
        return Counter(future.result(DEADLINE) for future in futures)


def problems(world: MoneyWorld) -> list[str]:
    with world.database.read(SYSTEM) as session:
        return verify_ledger(session).problems


def receipts(world: MoneyWorld) -> int:
    """How often money was posted as received."""
    with world.database.read(SYSTEM) as session:
        return session.scalars(
            select(func.count())
            .select_from(JournalEntry)
            .where(JournalEntry.kind == EntryKind.PAYMENT_RECEIVED)
        ).one()


def cashier(world: MoneyWorld, invoice_id: Id) -> Callable[[], object]:
    def act() -> None:
        with world.database.write(SYSTEM) as session:
            service.pay_cash(session, invoice_id=invoice_id, received_fen=DUE)

    return act


def test_ten_notifications_of_one_payment_post_it_once(world: MoneyWorld) -> None:
    invoice_id = world.bill("REG-ASSOC")
    _payment_id, number = world.start_qr(invoice_id, DUE)
    outcomes = at_once(*[lambda: world.report(paid(number, DUE))] * 10)
    assert outcomes == {"ok": 10}
    assert receipts(world) == 1
    assert problems(world) == []


def test_ten_cashiers_take_the_money_of_one_bill_once(world: MoneyWorld) -> None:
    invoice_id = world.bill("REG-ASSOC")
    outcomes = at_once(*[cashier(world, invoice_id)] * 10)
    assert outcomes == {"ok": 1, "invoice_not_open": 9}
    assert receipts(world) == 1
    assert problems(world) == []


def test_one_button_hit_ten_times_starts_one_payment(world: MoneyWorld) -> None:
    invoice_id = world.bill("REG-ASSOC")
    outcomes = at_once(*[lambda: world.start_qr(invoice_id, DUE)] * 10)
    assert outcomes == {"ok": 10}
    with world.database.read(SYSTEM) as session:
        assert len(queries.list_payments(session, invoice_id)) == 1


def test_one_key_sent_ten_times_pays_once(world: MoneyWorld) -> None:
    invoice_id = world.bill("REG-ASSOC")

    def act() -> None:
        with world.database.write(SYSTEM) as session:
            service.pay_cash(session, invoice_id=invoice_id, received_fen=DUE, key="one")

    assert at_once(*[act] * 10) == {"ok": 10}
    assert receipts(world) == 1


def test_cash_phone_and_voiding_at_once_leave_one_payment_or_a_refund(world: MoneyWorld) -> None:
    for _round in range(5):
        invoice_id = world.bill("REG-ASSOC")
        payment_id, number = world.start_qr(invoice_id, DUE)
        with world.database.write(SYSTEM) as session:
            service.cancel_payment(session, payment_id)

        def void(invoice_id: Id = invoice_id) -> None:
            with world.database.write(SYSTEM) as session:
                service.void_invoice(session, invoice_id, reason="hold_expired")

        at_once(
            cashier(world, invoice_id),
            lambda number=number: world.report(paid(number, DUE)),  # type: ignore[misc]
            void,
        )
        with world.database.read(SYSTEM) as session:
            assert queries.get_invoice(session, invoice_id).state is InvoiceState.PAID
    assert problems(world) == []


def test_eight_refunds_of_the_whole_give_it_back_once(world: MoneyWorld) -> None:
    invoice_id = world.bill("REG-ASSOC")
    cashier(world, invoice_id)()

    def act() -> None:
        with world.database.write(SYSTEM) as session:
            refund_part(session, invoice_id, DUE)

    assert at_once(*[act] * 8) == {"ok": 1, "refund_too_much": 7}
    assert problems(world) == []


def test_forty_bills_paid_at_once_are_numbered_without_gaps(world: MoneyWorld) -> None:
    def pay(session: Session) -> None:
        invoice = world.bill_in(session, "REG-ASSOC")
        service.pay_cash(session, invoice_id=invoice.id, received_fen=DUE)

    def act() -> None:
        with world.database.write(SYSTEM) as session:
            pay(session)

    def give_up() -> None:
        with world.database.write(SYSTEM) as session:
            pay(session)
            raise XinglinError(code="given_up")

    acts: list[Callable[[], object]] = [act] * 40
    assert at_once(*acts, *[give_up] * 10) == {"ok": 40, "given_up": 10}
    with world.database.read(SYSTEM) as session:
        ordinals = session.scalars(select(Invoice.ordinal).order_by(Invoice.ordinal)).all()
    assert ordinals == list(range(1, 41))
    assert problems(world) == []


def test_one_charge_is_put_on_one_bill(world: MoneyWorld) -> None:
    with world.database.write(SYSTEM) as session:
        charge_id = world.charge_in(session, "LAB-CBC").id

    def act() -> None:
        with world.database.write(SYSTEM) as session:
            service.open_invoice(session, patient_id=world.patient_id, charge_ids=[charge_id])

    assert at_once(*[act] * 8) == {"ok": 1, "charge_not_pending": 7}
    assert problems(world) == []


@pytest.mark.parametrize("is_defended", [True, False])
def test_without_the_locks_one_payment_is_posted_twice(
    world: MoneyWorld, monkeypatch: pytest.MonkeyPatch, is_defended: bool
) -> None:
    """Two notifications both read the payment before either writes: the race the locks prevent.

    With the last defences still there the second fails; without them the books are wrong, and the
    verifier says so.
    """
    invoice_id = world.bill("REG-ASSOC")
    _payment_id, number = world.start_qr(invoice_id, DUE)
    both_have_read = threading.Barrier(2)

    def read_without_lock(session: Session, model: type[Any], ids: Iterable[Id]) -> list[Any]:
        rows = list(session.scalars(select(model).where(model.id.in_(set(ids)))))
        if model is Payment:
            both_have_read.wait(DEADLINE)
        return rows

    monkeypatch.setattr(locks, "lock_rows", read_without_lock)
    if not is_defended:
        with world.database.write(SYSTEM, housekeeping=True) as session:
            session.execute(
                text(
                    "ALTER TABLE billing_journal_entry"
                    " DROP CONSTRAINT uq_billing_journal_entry_source_id_kind"
                )
            )
        # The table of moves would notice, too: a charge that is paid cannot be paid.
        monkeypatch.setitem(
            rules.CHARGE_MOVES,
            ChargeState.PAID,
            frozenset({ChargeState.PAID, ChargeState.REFUNDED}),
        )
    outcomes = at_once(*[lambda: world.report(paid(number, DUE))] * 2)
    if is_defended:
        # The table of moves is asked before the books are written; their constraint stands behind it.
        assert outcomes == {"ok": 1, "illegal_move": 1}
        assert problems(world) == []
    else:
        assert outcomes["ok"] == 2
        assert receipts(world) == 2
        assert any("is not explained" in problem for problem in problems(world))

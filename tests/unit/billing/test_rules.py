"""The rules of money on plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.billing import rules
from backend.billing.errors import CashTooLittle, IllegalMove
from backend.billing.rules import (
    ChargeState,
    InvoiceState,
    PaymentState,
    PriceCategory,
    RefundState,
    Step,
    Tender,
    Verdict,
)
from backend.kernel.ids import new_id

NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
FEN = st.integers(min_value=0, max_value=10**9)
TABLES: list[Mapping[StrEnum, frozenset[StrEnum]]] = [
    rules.CHARGE_MOVES,  # type: ignore[list-item]
    rules.INVOICE_MOVES,  # type: ignore[list-item]
    rules.PAYMENT_MOVES,  # type: ignore[list-item]
    rules.REFUND_MOVES,  # type: ignore[list-item]
]


@pytest.mark.parametrize("table", TABLES)
def test_every_state_has_its_row(table: Mapping[StrEnum, frozenset[StrEnum]]) -> None:
    kind = type(next(iter(table)))
    assert set(table) == set(kind)


@pytest.mark.parametrize("table", TABLES)
def test_only_listed_moves_happen(table: Mapping[StrEnum, frozenset[StrEnum]]) -> None:
    for state, allowed in table.items():
        for wanted in table:
            if wanted in allowed:
                assert rules.move(table, state, wanted) is wanted
            else:
                with pytest.raises(IllegalMove):
                    rules.move(table, state, wanted)


def test_money_that_arrived_is_an_end() -> None:
    assert not rules.PAYMENT_MOVES[PaymentState.SUCCEEDED]
    assert not rules.PAYMENT_MOVES[PaymentState.FROZEN]
    assert not rules.REFUND_MOVES[RefundState.SUCCEEDED]
    assert not rules.CHARGE_MOVES[ChargeState.CANCELLED]
    assert not rules.INVOICE_MOVES[InvoiceState.VOID]


def test_what_is_in_flight() -> None:
    flying = {state for state in PaymentState if rules.is_in_flight(state)}
    assert flying == {
        PaymentState.CREATED,
        PaymentState.PENDING,
        PaymentState.UNKNOWN,
        PaymentState.CLOSING,
    }


def test_charge_amounts() -> None:
    assert rules.charge_amount(3333, 3) == 9999
    assert rules.charge_amount(0, 1) == 0
    for price, quantity in ((100, 0), (-1, 1)):
        with pytest.raises(ValueError):
            rules.charge_amount(price, quantity)


def test_change() -> None:
    assert rules.cash_change(2500, 5000) == 2500
    assert rules.cash_change(2500, 2500) == 0
    with pytest.raises(CashTooLittle) as refusal:
        rules.cash_change(2500, 2499)
    assert refusal.value.facts == {"due_fen": 2500, "received_fen": 2499}


@pytest.mark.parametrize(
    ("bill_ends_in", "minutes"), [(None, 15), (60, 15), (10, 10), (0.5, 1), (-5, 1)]
)
def test_a_code_lasts_with_the_bill_but_as_the_platform_allows(
    bill_ends_in: float | None, minutes: int
) -> None:
    ends = None if bill_ends_in is None else NOW + dt.timedelta(minutes=bill_ends_in)
    assert rules.qr_expiry(NOW, ends) == NOW + dt.timedelta(minutes=minutes)


def test_checks_come_at_5_10_20_40_and_then_every_30_seconds() -> None:
    age, ages = 0, []
    for _check in range(7):
        age += rules.next_check_seconds(age)
        ages.append(age)
    assert ages == [5, 10, 20, 40, 70, 100, 130]
    assert rules.next_check_seconds(4.8) == 5
    assert rules.next_check_seconds(15 * 60) == 30
    assert rules.next_check_seconds(3600) == 90
    assert rules.next_check_seconds(24 * 3600) == 900


def test_closing_is_pressed_and_then_left_to_rarer_tries() -> None:
    ages = (0, 600, 3600, 24 * 3600, 10**7)
    assert [rules.next_close_seconds(age) for age in ages] == [5, 5, 30, 720, 900]


def test_refund_checks_grow_to_ten_minutes() -> None:
    assert [rules.next_refund_check_seconds(age) for age in (0, 10, 40, 5000)] == [
        10,
        10,
        40,
        600,
    ]


LATER = NOW + dt.timedelta(minutes=5)


@pytest.mark.parametrize(
    ("state", "has_code", "expires_at", "step"),
    [
        (PaymentState.CREATED, False, LATER, Step.CREATE),
        (PaymentState.CREATED, False, NOW, Step.CLOSE),
        (PaymentState.UNKNOWN, False, LATER, Step.ASK_AND_CREATE),
        (PaymentState.UNKNOWN, False, NOW, Step.CLOSE),
        (PaymentState.PENDING, True, LATER, Step.ASK),
        (PaymentState.PENDING, True, NOW, Step.CLOSE),
        (PaymentState.CLOSING, True, LATER, Step.CLOSE),
        (PaymentState.SUCCEEDED, True, NOW, Step.NOTHING),
        (PaymentState.CLOSED, True, NOW, Step.NOTHING),
        (PaymentState.FAILED, False, LATER, Step.NOTHING),
        (PaymentState.FROZEN, True, LATER, Step.NOTHING),
    ],
)
def test_the_next_step_at_the_platform(
    state: PaymentState, has_code: bool, expires_at: dt.datetime, step: Step
) -> None:
    assert rules.next_step(state, has_code=has_code, expires_at=expires_at, now=NOW) is step


@pytest.mark.parametrize(
    ("state", "reported", "bill", "due", "verdict"),
    [
        (PaymentState.PENDING, 100, InvoiceState.OPEN, 100, Verdict.SETTLE),
        (PaymentState.CREATED, 100, InvoiceState.OPEN, 100, Verdict.SETTLE),
        (PaymentState.CLOSING, 100, InvoiceState.OPEN, 100, Verdict.SETTLE),
        (PaymentState.CLOSED, 100, InvoiceState.OPEN, 100, Verdict.SETTLE),
        (PaymentState.PENDING, 99, InvoiceState.OPEN, 100, Verdict.FREEZE),
        (PaymentState.PENDING, None, InvoiceState.OPEN, 100, Verdict.FREEZE),
        (PaymentState.PENDING, 101, InvoiceState.VOID, 0, Verdict.FREEZE),
        (PaymentState.PENDING, 100, InvoiceState.VOID, 0, Verdict.GIVE_BACK),
        (PaymentState.PENDING, 100, InvoiceState.PAID, 0, Verdict.GIVE_BACK),
        (PaymentState.SUCCEEDED, 100, InvoiceState.PAID, 0, Verdict.NOTHING),
        (PaymentState.SUCCEEDED, 99, InvoiceState.PAID, 0, Verdict.NOTHING),
        (PaymentState.FROZEN, 99, InvoiceState.OPEN, 100, Verdict.NOTHING),
    ],
)
def test_the_verdict_on_money(
    state: PaymentState, reported: int | None, bill: InvoiceState, due: int, verdict: Verdict
) -> None:
    found = rules.judge_paid(
        state, asked_fen=100, reported_fen=reported, invoice_state=bill, due_fen=due
    )
    assert found is verdict


@given(
    FEN,
    st.sampled_from(list(Tender)),
    st.lists(st.tuples(st.sampled_from(list(PriceCategory)), FEN), max_size=5),
)
def test_every_fact_posts_balanced_lines_on_known_accounts(
    amount: int, tender: Tender, parts: list[tuple[PriceCategory, int]]
) -> None:
    holder = new_id()
    facts = [
        rules.charge_raised(PriceCategory.DRUG, amount),
        rules.charge_raised(PriceCategory.DEPOSIT, amount),
        rules.charge_cancelled(PriceCategory.DRUG, amount),
        rules.payment_received(tender, amount, holder),
        rules.payment_released(amount),
        rules.deposit_topped_up(amount, holder),
        rules.refund_owed(parts, holder),
        rules.suspense_owed(amount),
        rules.refund_paid(tender, amount, holder),
    ]
    if (
        tender is not Tender.PREPAID
    ):  # a balance is taken at once or not at all: it never comes late
        facts.append(rules.payment_suspended(tender, amount))
    for lines in facts:
        assert sum(line.amount_fen for line in lines) == 0
        assert all(line.amount_fen and line.account in rules.ACCOUNTS for line in lines)
        assert all((line.holder is not None) == (line.account == rules.DEPOSIT) for line in lines)


def test_money_paid_ahead_is_always_somebodys() -> None:
    with pytest.raises(ValueError, match="belongs to an account"):
        rules.payment_received(Tender.PREPAID, 100)


def test_a_visit_leaves_only_money_and_revenue() -> None:
    facts = [
        rules.charge_raised(PriceCategory.REGISTRATION, 2500),
        rules.charge_raised(PriceCategory.DRUG, 1000),
        rules.payment_received(Tender.WECHAT_NATIVE, 3500),
        rules.refund_owed([(PriceCategory.DRUG, 400)]),
        rules.refund_paid(Tender.WECHAT_NATIVE, 400),
    ]
    totals: dict[str, int] = {}
    for line in (line for lines in facts for line in lines):
        totals[line.account] = totals.get(line.account, 0) + line.amount_fen
    assert {account: total for account, total in totals.items() if total} == {
        "wechat:clearing": 3100,
        "revenue:registration": -2500,
        "revenue:drug": -600,
    }


def test_a_posting_never_runs_backwards() -> None:
    with pytest.raises(ValueError):
        rules.payment_received(Tender.CASH, -1)

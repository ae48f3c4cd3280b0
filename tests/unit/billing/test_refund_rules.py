"""How a refund is spread over the payments of its bill, on plain values."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.billing import rules
from backend.billing.errors import InsuranceWholeOnly, RefundTooMuch
from backend.billing.rules import Channel, RefundSource, Tender
from backend.kernel.ids import Id

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)


def source(number: int, tender: Tender, left_fen: int, minutes: int = 0) -> RefundSource:
    return RefundSource(Id(int=number), tender, left_fen, NOON + dt.timedelta(minutes=minutes))


def spread(amount_fen: int, *sources: RefundSource) -> list[tuple[int, int]]:
    return [(found.int, fen) for found, fen in rules.spread_refund(amount_fen, sources)]


def test_a_balance_first_then_what_is_electronic_cash_last() -> None:
    sources = [
        source(1, Tender.CASH, 100),
        source(2, Tender.WECHAT_NATIVE, 100),
        source(3, Tender.PREPAID, 100),
    ]
    assert spread(300, *sources) == [(3, 100), (2, 100), (1, 100)]
    assert spread(150, *sources) == [(3, 100), (2, 50)]


def test_the_newest_payment_first() -> None:
    early, late = source(1, Tender.BANK_CARD, 100), source(2, Tender.ALIPAY_QR, 100, minutes=5)
    assert spread(120, early, late) == [(2, 100), (1, 20)]


def test_no_tender_gives_more_than_came_from_it() -> None:
    with pytest.raises(RefundTooMuch) as refusal:
        spread(201, source(1, Tender.CASH, 100), source(2, Tender.WECHAT_NATIVE, 100))
    assert refusal.value.facts["refundable_fen"] == 200
    for nothing in (0, -1):
        with pytest.raises(RefundTooMuch):
            spread(nothing, source(1, Tender.CASH, 100))


def test_insurance_comes_back_whole_or_not_at_all() -> None:
    insured = [source(1, Tender.INSURANCE, 700), source(2, Tender.WECHAT_NATIVE, 300)]
    with pytest.raises(InsuranceWholeOnly):
        spread(300, *insured)
    assert sorted(spread(1000, *insured)) == [(1, 700), (2, 300)]
    gone = [source(1, Tender.INSURANCE, 0), source(2, Tender.WECHAT_NATIVE, 300)]
    assert spread(100, *gone) == [(2, 100)]


@given(st.lists(st.integers(0, 500), min_size=1, max_size=5), st.data())
def test_shares_add_up_on_both_sides(lefts: list[int], data: st.DataObject) -> None:
    tenders = st.sampled_from([Tender.CASH, Tender.WECHAT_NATIVE, Tender.PREPAID])
    sources = [source(i + 1, data.draw(tenders), left) for i, left in enumerate(lefts)]
    total = sum(lefts)
    if not total:
        return
    amount = data.draw(st.integers(1, total))
    payments = rules.spread_refund(amount, sources)
    first = data.draw(st.integers(0, amount))
    charges = [(Id(int=101), first), (Id(int=102), amount - first)]
    shares = rules.pair_off(charges, payments)
    for payment_id, fen in payments:
        assert sum(s.amount_fen for s in shares if s.payment_id == payment_id) == fen
        assert fen <= next(s.left_fen for s in sources if s.payment_id == payment_id)
    for charge_id, fen in charges:
        assert sum(s.amount_fen for s in shares if s.charge_id == charge_id) == fen
    assert all(share.amount_fen > 0 for share in shares)


def test_shares_of_unequal_sums_are_a_fault() -> None:
    with pytest.raises(ValueError, match="give back"):
        rules.pair_off([(Id(int=1), 5)], [(Id(int=2), 4)])


def test_cash_leaves_the_drawer_at_a_counter_only() -> None:
    at_once = [channel for channel in Channel if rules.is_handed_over_at_once(channel)]
    assert at_once == [Channel.COUNTER]

"""Shifts and days: what is closed is what was moved, to the fen, once, and for good."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update

from backend.billing import queries, service
from backend.billing.errors import (
    CountUnexplained,
    DayClosedAlready,
    DayNotOver,
    LedgerDisagrees,
    NothingToClose,
    ShiftMoved,
)
from backend.billing.models import DayLine, JournalEntry, Posting, ShiftEntry, ShiftLine
from backend.billing.ports import RefundState, RefundStatus
from backend.billing.queries import DayView, MoveLine, ShiftView
from backend.billing.rules import Channel, EntryKind, MovementKind, Tender
from backend.billing.verify import verify_ledger
from backend.kernel.clock import FixedClock, at_local
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Actor, ActorKind, Permission
from tests.factories.billing import MoneyWorld, paid
from tests.factories.bills import refund_part
from tests.factories.databases import SYSTEM
from tests.factories.webapp import staff_actor

DAY = dt.date(2026, 11, 23)
NEXT = DAY + dt.timedelta(days=1)


def cashier(world: MoneyWorld, label: str = "S0009") -> Actor:
    """A member of staff with an account; the same label is the same person."""
    actor = staff_actor(
        world.hospital_id, Permission.BILLING_PAYMENT_TAKE, account_id=Id(int=int(label[1:]))
    )
    return Actor(
        ActorKind.STAFF,
        id=actor.id,
        hospital_id=actor.hospital_id,
        label=label,
        grants=actor.grants,
    )


def kiosk(world: MoneyWorld) -> Actor:
    return Actor(ActorKind.DEVICE, id=new_id(), hospital_id=world.hospital_id, label="K01")


def take_cash(world: MoneyWorld, who: Actor, code: str = "REG-ASSOC", fen: int = 10000) -> Id:
    invoice_id = world.bill(code)
    with world.database.write(who) as session:
        return service.pay_cash(session, invoice_id=invoice_id, received_fen=fen).id


def take_wechat(world: MoneyWorld, who: Actor, fen: int = 2500) -> Id:
    invoice_id = world.bill("REG-ASSOC")
    with world.database.write(who) as session:
        payment = service.start_qr_payment(session, invoice_id=invoice_id, amount_fen=fen)
        number = payment.out_trade_no or ""
    world.report(paid(number, fen))
    return payment.id


def refund(world: MoneyWorld, who: Actor, payment_id: Id, fen: int) -> str:
    with world.database.write(who) as session:
        payment = queries.get_payment(session, payment_id)
        [made] = refund_part(session, payment.invoice_id, fen)
        return made.out_refund_no


def in_hand(world: MoneyWorld, who: Actor) -> ShiftView:
    assert who.id is not None
    with world.database.read(who) as session:
        return queries.get_open_shift(
            session, who.id, hospital_id=world.hospital_id, label=who.label
        )


def close(
    world: MoneyWorld,
    who: Actor,
    pieces: dict[int, int],
    *,
    float_fen: int = 0,
    reason: str = "",
    seen: int | None = None,
) -> ShiftView:
    number = in_hand(world, who).entries if seen is None else seen
    with world.database.write(who) as session:
        shift = service.close_shift(
            session,
            pieces=pieces,
            float_fen=float_fen,
            reason=reason,
            handed_to="鄢丽丽",
            seen=number,
        )
        shift_id = shift.id
    with world.database.read(who) as session:
        return queries.get_shift(session, shift_id)


def day(world: MoneyWorld, on: dt.date = DAY) -> DayView:
    with world.database.read(SYSTEM) as session:
        return queries.get_day(session, world.hospital_id, on)


def close_day(world: MoneyWorld, on: dt.date = DAY, note: str = "") -> DayView:
    with world.database.write(SYSTEM) as session:
        service.close_day(session, hospital_id=world.hospital_id, day=on, note=note)
    return day(world, on)


def problems(world: MoneyWorld) -> list[str]:
    with world.database.read(SYSTEM) as session:
        return verify_ledger(session).problems


def test_a_shift_sums_what_its_cashier_moved_and_nobody_else(world: MoneyWorld) -> None:
    mine, other = cashier(world), cashier(world, "S0010")
    first = take_cash(world, mine)
    take_cash(world, mine, "LAB-CBC")
    take_wechat(world, mine)
    refund(world, mine, first, 500)
    take_cash(world, other)
    take_wechat(world, kiosk(world))
    shift = close(world, mine, {2000: 1, 1000: 2})
    assert shift.lines == (
        MoveLine(Tender.CASH, MovementKind.PAYMENT, 2, 4500),
        MoveLine(Tender.CASH, MovementKind.REFUND, 1, -500),
        MoveLine(Tender.WECHAT_NATIVE, MovementKind.PAYMENT, 1, 2500),
    )
    assert (shift.cash_fen, shift.counted_fen, shift.difference_fen) == (4000, 4000, 0)
    assert (shift.label, shift.handed_to, shift.entries) == ("S0009", "鄢丽丽", 4)
    assert in_hand(world, mine).lines == ()
    assert in_hand(world, other).entries == 1
    assert problems(world) == []


def test_what_comes_after_the_close_is_the_next_shifts(
    world: MoneyWorld, clock: FixedClock
) -> None:
    mine = cashier(world)
    sold = take_wechat(world, mine)
    number = refund(world, mine, sold, 1000)
    first = close(world, mine, {})
    clock.advance(dt.timedelta(hours=1))
    # Asked for in the first shift, paid out by the platform in the second.
    world.report_refund(RefundStatus(number, None, RefundState.SUCCESS, 1000))
    take_cash(world, mine)
    second = close(world, mine, {1000: 2, 500: 1})
    assert [line.fen for line in first.lines] == [2500]
    assert [(line.tender, line.kind, line.fen) for line in second.lines] == [
        (Tender.CASH, MovementKind.PAYMENT, 2500),
        (Tender.WECHAT_NATIVE, MovementKind.REFUND, -1000),
    ]
    assert second.opened_at == first.closed_at
    with world.database.read(SYSTEM) as session:
        assert queries.get_shift(session, first.id or new_id()) == first
    assert problems(world) == []


def test_a_drawer_that_is_short_needs_a_reason(world: MoneyWorld) -> None:
    mine = cashier(world)
    take_cash(world, mine)
    with pytest.raises(CountUnexplained) as refused:
        close(world, mine, {2000: 1})
    assert "-¥5.00" in str(refused.value.message)
    assert in_hand(world, mine).entries == 1
    shift = close(world, mine, {2000: 1}, reason="找零时少收一张五元")
    assert (shift.difference_fen, shift.reason) == (-500, "找零时少收一张五元")
    assert shift.pieces == {2000: 1}
    assert problems(world) == []


def test_who_gave_back_more_than_came_in_counts_what_is_left_of_the_float(
    world: MoneyWorld,
) -> None:
    mine, other = cashier(world), cashier(world, "S0010")
    refund(world, mine, take_cash(world, other), 2500)
    shift = close(world, mine, {10000: 4, 5000: 1, 2000: 1, 500: 1}, float_fen=50000)
    assert (shift.cash_fen, shift.counted_fen, shift.difference_fen) == (-2500, -2500, 0)
    assert (shift.float_fen, in_hand(world, mine).float_fen) == (50000, 50000)
    with pytest.raises(InvalidInput):
        close(world, other, {2000: 1}, float_fen=-500)
    assert problems(world) == []


def test_what_a_balance_paid_is_not_counted_again(world: MoneyWorld, clock: FixedClock) -> None:
    mine = cashier(world)
    with world.database.write(mine) as session:
        account = service.open_account(
            session, hospital_id=world.hospital_id, patient_id=world.patient_id
        )
        bill = service.start_top_up(session, account_id=account.id, amount_fen=10000)
        service.pay_cash(session, invoice_id=bill.id, received_fen=10000)
    with world.database.write(mine) as session:
        paid_by_balance = world.bill_in(session, "REG-ASSOC")
        service.pay_prepaid(session, invoice_id=paid_by_balance.id)
    assert (in_hand(world, mine).entries, in_hand(world, mine).net_fen) == (2, 10000)
    assert day(world).net_fen == 10000
    assert day(world).open_cashiers == {"S0009": 10000}
    shift = close(world, mine, {10000: 1})
    assert shift.net_fen == 10000
    clock.set(at_local(NEXT, dt.time(8)))
    assert close_day(world).net_fen == 10000


def test_money_that_moves_while_the_drawer_is_counted_is_looked_at_again(
    world: MoneyWorld,
) -> None:
    mine = cashier(world)
    take_cash(world, mine)
    seen = in_hand(world, mine).entries
    take_cash(world, mine)
    with pytest.raises(ShiftMoved):
        close(world, mine, {2000: 1, 500: 1}, seen=seen)
    assert close(world, mine, {5000: 1}).entries == 2


def test_nothing_moved_is_nothing_to_close(world: MoneyWorld) -> None:
    mine = cashier(world)
    with pytest.raises(NothingToClose):
        close(world, mine, {})
    take_cash(world, mine)
    with pytest.raises(InvalidInput):
        close(world, mine, {300: 1})
    with pytest.raises(InvalidInput):
        close(world, mine, {2000: -1, 500: 9})


def test_a_day_sums_every_channel_and_equals_the_ledger(
    world: MoneyWorld, clock: FixedClock
) -> None:
    mine = cashier(world)
    first = take_cash(world, mine)
    take_wechat(world, kiosk(world))
    refund(world, mine, first, 500)
    close(world, mine, {2000: 1})
    clock.set(at_local(NEXT, dt.time(0, 30)))
    take_cash(world, mine)
    closed = close_day(world)
    assert closed.lines == (
        MoveLine(Tender.CASH, MovementKind.PAYMENT, 1, 2500, Channel.COUNTER),
        MoveLine(Tender.CASH, MovementKind.REFUND, 1, -500, Channel.COUNTER),
        MoveLine(Tender.WECHAT_NATIVE, MovementKind.PAYMENT, 1, 2500, Channel.KIOSK),
    )
    assert (closed.net_fen, closed.open_cashiers, closed.can_close) == (4500, {}, False)
    with world.database.read(SYSTEM) as session:
        posted = queries.sum_ledger_day(session, world.hospital_id, DAY)
    assert posted == queries.add_up((line.tender, line.fen) for line in closed.lines)
    with pytest.raises(DayClosedAlready):
        close_day(world)
    assert problems(world) == []


@pytest.mark.parametrize(("hour", "minute"), [(23, 59), (24, 9)])
def test_a_day_that_is_not_over_stays_open(
    hour: int, minute: int, world: MoneyWorld, clock: FixedClock
) -> None:
    take_cash(world, cashier(world))
    clock.set(at_local(DAY, dt.time(0)) + dt.timedelta(hours=hour, minutes=minute))
    with pytest.raises(DayNotOver):
        close_day(world)


def test_open_shifts_are_listed_and_need_a_note(world: MoneyWorld, clock: FixedClock) -> None:
    take_cash(world, cashier(world))
    take_cash(world, cashier(world, "S0010"), "LAB-CBC")
    clock.set(at_local(NEXT, dt.time(8)))
    assert day(world).open_cashiers == {"S0009": 2500, "S0010": 2000}
    with pytest.raises(InvalidInput):
        close_day(world)
    closed = close_day(world, note="两位收费员夜班未交")
    assert closed.open_cashiers == {"S0009": 2500, "S0010": 2000}
    # Their shifts are closed later; the frozen day keeps what it said.
    close(world, cashier(world), {2000: 1, 500: 1})
    assert day(world) == closed
    assert problems(world) == []


def test_the_verifier_names_what_was_changed_after_closing(
    world: MoneyWorld, clock: FixedClock
) -> None:
    mine = cashier(world)
    take_cash(world, mine)
    shift = close(world, mine, {2000: 1, 500: 1})
    clock.set(at_local(NEXT, dt.time(8)))
    close_day(world)
    assert problems(world) == []
    with world.database.write(SYSTEM, housekeeping=True) as session:
        session.execute(update(ShiftLine).values(amount_fen=2400))
        session.execute(update(DayLine).values(amount_fen=2400))
    found = problems(world)
    assert any(str(shift.id) in problem for problem in found)
    assert any(f"closed day {DAY}" in problem for problem in found)
    with world.database.write(SYSTEM, housekeeping=True) as session:
        session.execute(update(ShiftLine).values(amount_fen=2500))
        session.execute(update(DayLine).values(amount_fen=2500))
        session.execute(update(ShiftEntry).values(shift_id=shift.id))
        # Somebody dates money back to a closed day.
        entry = session.scalars(
            select(JournalEntry).where(JournalEntry.kind == EntryKind.PAYMENT_RECEIVED)
        ).one()
        entry.business_date = NEXT
    assert any("closed day" in problem for problem in problems(world))


def test_a_posting_that_no_document_explains_stops_the_day(
    world: MoneyWorld, clock: FixedClock
) -> None:
    take_cash(world, kiosk(world))
    with world.database.write(SYSTEM, housekeeping=True) as session:
        session.execute(
            update(Posting)
            .where(Posting.account == "cash:drawer")
            .values(amount_fen=Posting.amount_fen + 1)
        )
    clock.set(at_local(NEXT, dt.time(8)))
    with pytest.raises(LedgerDisagrees):
        close_day(world)

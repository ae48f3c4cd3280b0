"""Any order of commands, notifications, lost answers and kills: books explained, nothing twice, nothing lost."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from backend.billing import queries, service
from backend.billing.models import Refund
from backend.billing.ports import GatewayRefused, GatewayUnknown, RefundState, TradeState
from backend.billing.rules import Channel, Tender
from backend.billing.rules import RefundState as Booked
from backend.billing.services.payments import start_payment
from backend.billing.views import InvoiceView
from backend.kernel.errors import XinglinError
from backend.kernel.ids import Id
from tests.factories.databases import SYSTEM
from tests.factories.money_machine import MoneyMachineWorld

PICK = st.integers(min_value=0, max_value=3)
FEN = st.sampled_from([1, 500, 2500, 3333])
FAR = st.sampled_from([Tender.WECHAT_NATIVE, Tender.ALIPAY_QR, Tender.INSURANCE, Tender.BANK_CARD])


class MoneyMachine(RuleBasedStateMachine):
    """Cashiers, patients, timers, far ends and power cuts act in any order on a few bills."""

    def __init__(self) -> None:
        super().__init__()
        self.world = MoneyMachineWorld()
        self.bills: list[Id] = []
        self.payments: list[Id] = []
        self.last: tuple[Any, str] | None = None
        self.keys = 0

    def teardown(self) -> None:
        try:
            self.world.come_to_rest()
            self.world.assert_at_rest()
        finally:
            self.world.close()

    @initialize()
    def open_an_account_and_a_bill(self) -> None:
        money = self.world.money
        self.account = self.world.write(
            lambda s: (
                service.open_account(
                    s, hospital_id=money.hospital_id, patient_id=money.patient_id
                ).id
            )
        )
        self.open_bill()

    def command(self, act: Any) -> Any:
        """One command with a key of its own; refusals are fine, a kill loses it whole or keeps it whole."""
        self.keys += 1
        key = f"k{self.keys}"
        self.last = (act, key)
        return self._do(act, key)

    def _do(self, act: Any, key: str) -> Any:
        try:
            return self.world.survive(lambda: self.world.write(lambda s: act(s, key)))
        except XinglinError as refusal:
            assert refusal.status in (404, 409, 422), refusal
            return None

    def bill(self, index: int) -> Id:
        return self.bills[index % len(self.bills)]

    @rule()
    def open_bill(self) -> None:
        made = self.world.survive(
            lambda: self.world.money.bill("REG-ASSOC", "LAB-CBC", expires_in=dt.timedelta(hours=2))
        )
        if made is not None:
            self.bills.append(made)

    @rule(index=PICK, fen=FEN, whole=st.booleans())
    def pay_cash(self, index: int, fen: int, whole: bool) -> None:
        bill = self.bill(index)
        self.command(
            lambda s, key: service.pay_cash(
                s,
                invoice_id=bill,
                received_fen=10_000,
                amount_fen=None if whole else fen,
                channel=Channel.COUNTER,
                key=key,
            )
        )

    @rule(index=PICK, fen=FEN)
    def pay_prepaid(self, index: int, fen: int) -> None:
        bill = self.bill(index)
        self.command(
            lambda s, key: service.pay_prepaid(s, invoice_id=bill, amount_fen=fen, key=key)
        )

    @rule(index=PICK, tender=FAR, fen=FEN, whole=st.booleans())
    def start(self, index: int, tender: Tender, fen: int, whole: bool) -> None:
        bill = self.bill(index)
        with self.world.database.read(SYSTEM) as session:
            due = queries.get_invoice(session, bill).due_fen
        made = self.command(
            lambda s, key: (
                start_payment(
                    s,
                    invoice_id=bill,
                    amount_fen=due if whole else fen,
                    tender=tender,
                    is_part=not whole,
                    key=key,
                ).id
            )
        )
        if made is not None:
            self.payments.append(made)

    @rule()
    def the_answer_was_lost_and_the_command_comes_again(self) -> None:
        if self.last is not None:
            self._do(*self.last)

    @rule(index=PICK)
    def cancel(self, index: int) -> None:
        if self.payments:
            payment = self.payments[index % len(self.payments)]
            self.command(lambda s, key: service.cancel_payment(s, payment))

    @rule(index=PICK, keep=st.booleans())
    def the_hold_runs_out(self, index: int, keep: bool) -> None:
        bill = self.bill(index)
        self.command(
            lambda s, key: service.void_invoice(
                s, bill, reason="hold_expired", cancel_charges=not keep
            )
        )

    @rule(index=PICK, fen=FEN, channel=st.sampled_from([Channel.COUNTER, Channel.PHONE]))
    def refund(self, index: int, fen: int, channel: Channel) -> None:
        with self.world.database.read(SYSTEM) as session:
            views = [queries.get_invoice(session, bill) for bill in self.bills]
        paid = [view for view in views if view.paid_fen == view.total_fen] or views
        self._refund(paid[index % len(paid)], fen, channel)

    def _refund(self, view: InvoiceView, fen: int, channel: Channel) -> None:
        bill, lines = view.id, view.lines
        whole = {line.charge_id: line.amount_fen - line.refunded_fen for line in lines}
        parts = whole if fen == 1 else {lines[0].charge_id: fen} if lines else {}
        self.command(
            lambda s, key: service.refund_charges(
                s, invoice_id=bill, parts=parts, reason="story", channel=channel, key=key
            )
        )

    @rule(fen=FEN)
    def top_up(self, fen: int) -> None:
        made = self.command(
            lambda s, key: (
                service.start_top_up(s, account_id=self.account, amount_fen=fen, key=key).id
            )
        )
        if made is not None:
            self.bills.append(made)

    @rule(fen=FEN)
    def withdraw(self, fen: int) -> None:
        self.command(
            lambda s, key: service.withdraw(
                s, account_id=self.account, amount_fen=fen, reason="story", key=key
            )
        )

    @rule(frozen=st.booleans())
    def freeze(self, frozen: bool) -> None:
        act = service.freeze_account if frozen else service.unfreeze_account
        self.command(lambda s, key: act(s, self.account, reason="story"))

    @rule()
    def hand_cash_over(self) -> None:
        with self.world.database.read(SYSTEM) as session:
            waiting = session.scalar(select(Refund.id).where(Refund.state == Booked.CREATED))
        if waiting is not None:
            self.command(lambda s, key: service.hand_over_cash(s, waiting))

    @rule(index=PICK, tender=FAR, fen=FEN, whole=st.booleans(), is_told=st.booleans())
    def somebody_pays_by_phone(
        self, index: int, tender: Tender, fen: int, whole: bool, is_told: bool
    ) -> None:
        """From the code to the money at once, as most do; the notification may come later or never."""
        with self.world.database.read(SYSTEM) as session:
            if not any(queries.get_invoice(session, bill).due_fen for bill in self.bills):
                index = len(self.bills)
        if index == len(self.bills):
            self.open_bill()
        self.start(index, tender, fen, whole)
        self.world.work()
        self.the_payer_pays(0, 0)
        if is_told and self.world.far.told:
            self.world.survive(lambda: self.world.tell(self.world.far.told[-1]))

    @rule(tender=FAR, is_told=st.booleans())
    def somebody_pays_a_code_that_was_called_off(self, tender: Tender, is_told: bool) -> None:
        """The cashier takes cash instead; the phone is quicker than our call to the platform."""
        self.open_bill()
        newest = len(self.bills) - 1
        self.start(newest, tender, 0, True)
        self.world.work()
        self.cancel(len(self.payments) - 1)
        self.pay_cash(newest, 0, True)
        self.the_payer_pays(-1, 0)
        if is_told and self.world.far.told:
            self.world.survive(lambda: self.world.tell(self.world.far.told[-1]))

    @rule(tender=FAR, is_told=st.booleans())
    def somebody_pays_another_amount(self, tender: Tender, is_told: bool) -> None:
        self.open_bill()
        self.start(len(self.bills) - 1, tender, 0, True)
        self.world.work()
        self.the_payer_pays(-1, 1)
        if is_told and self.world.far.told:
            self.world.survive(lambda: self.world.tell(self.world.far.told[-1]))

    @rule(tender=FAR, how=st.sampled_from(["lost", "cut"]))
    def a_refund_goes_over_a_bad_line(self, tender: Tender, how: str) -> None:
        self.open_bill()
        newest = len(self.bills) - 1
        self.start(newest, tender, 0, True)
        self.world.work()
        self.the_payer_pays(-1, 0)
        if self.world.far.told:
            self.world.survive(lambda: self.world.tell(self.world.far.told[-1]))
        self.world.work()
        with self.world.database.read(SYSTEM) as session:
            view = queries.get_invoice(session, self.bills[newest])
        self._refund(view, 1, Channel.PHONE)
        self.the_line_is_bad(how, 1)
        self.world.work()

    @rule(fen=FEN)
    def top_up_by_cash(self, fen: int) -> None:
        self.top_up(fen)
        self.pay_cash(len(self.bills) - 1, 0, True)

    @rule(fen=FEN, is_whole=st.booleans())
    def somebody_spends_what_was_paid_ahead(self, fen: int, is_whole: bool) -> None:
        self.top_up_by_cash(5000)
        self.open_bill()
        self.pay_prepaid(len(self.bills) - 1, 4500 if is_whole else fen)

    # --- the far end and the line to it --------------------------------------------------

    @rule(index=PICK, wrong=st.sampled_from([0, 0, 0, 1]))
    def the_payer_pays(self, index: int, wrong: int) -> None:
        open_orders = [
            order for order in self.world.far.orders.values() if order.state is TradeState.NOT_PAID
        ]
        if open_orders:
            order = open_orders[index % len(open_orders)]
            self.world.far.pay(order.out_trade_no, (order.amount_fen or 0) + wrong)

    @rule(index=st.integers(0, 11))
    def a_notification_arrives(self, index: int) -> None:
        """Any of those ever sent: late, repeated, out of order, or never."""
        told = self.world.far.told
        if told:
            self.world.survive(lambda: self.world.tell(told[index % len(told)]))

    @rule(how=st.sampled_from(["lost", "cut", "refused"]), times=st.integers(1, 3))
    def the_line_is_bad(self, how: str, times: int) -> None:
        """Answers are lost, requests never arrive, or the far end says no for a reason of its own."""
        if how == "refused":
            self.world.far.fail_next.append(GatewayRefused("SYSTEM_BUSY", "later"))
            return
        queue = self.world.far.lose_next if how == "lost" else self.world.far.fail_next
        queue.extend([GatewayUnknown("line")] * times)

    @rule(state=st.sampled_from([RefundState.SUCCESS, RefundState.PROCESSING]))
    def refunds_take_their_time(self, state: RefundState) -> None:
        self.world.far.refund_state = state
        self.world.far.finish_refunds(state)

    @rule(where=st.sampled_from(["now", "commit", "before", "after"]))
    def the_power_will_be_cut(self, where: str) -> None:
        """At once, in the next commit, before the next request to the far end, or before its answer."""
        if where == "now":
            self.world.restart()
            return
        if where == "commit":
            self.world.die_at_commit = True
        elif where == "before":
            self.world.far.die_before = True
        else:
            self.world.far.die_after = True

    @rule(seconds=st.sampled_from([1, 10, 60, 600, 1800]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(dt.timedelta(seconds=seconds))
        self.world.work()

    @invariant()
    def books_are_explained(self) -> None:
        self.world.assert_explained()


MoneyMachine.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TestMoneyMachine = MoneyMachine.TestCase

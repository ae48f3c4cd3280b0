"""Paying by code: paid, closed, failed, unknown; and the person who walks away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiosk_agent.flows.events import (
    Answered,
    CancelBooking,
    CancelPayment,
    CheckIn,
    EndSession,
    LeavePayment,
    LoadHome,
    PollPayment,
    Presented,
    Print,
    Refused,
    SettlePayment,
    StartPayment,
    Touched,
    WentAway,
)
from kiosk_agent.flows.state import PrintJob
from kiosk_agent.messages import Home
from kiosk_agent.screens.document import qr_payload
from tests.unit.kiosk_agent.conftest import INVOICE, MORNING, Kiosk, payment
from tests.unit.kiosk_agent.drive import enter, reach_payment


def test_the_code_is_shown_once_the_platform_gives_it(kiosk: Kiosk) -> None:
    enter(kiosk, Home(due=(INVOICE,)), "pay").touch("pay")
    kiosk.answer(StartPayment, payment("created", code_url=None))
    assert (kiosk.name, qr_payload(kiosk.state)) == ("pay", "")
    assert kiosk.screen()["lead"] == "正在生成付款码，请稍候"
    kiosk.answer(PollPayment, payment("pending"))
    assert qr_payload(kiosk.state) == "weixin://pay/1"
    kiosk.answer(PollPayment, payment("pending", code_url=None))
    assert qr_payload(kiosk.state) == "weixin://pay/1"


def test_a_bill_is_paid_in_three_touches_and_gets_a_receipt(kiosk: Kiosk) -> None:
    enter(kiosk, Home(due=(INVOICE,)), "pay").touch("pay")  # tile, "it is me", "pay"
    kiosk.answer(StartPayment, payment()).answer(PollPayment, payment("succeeded"))
    kiosk.take(SettlePayment)
    printing = kiosk.take(Print)
    assert (printing.kind, printing.subject_id) == ("receipt", "invoice-1")
    kiosk.open.append(printing)
    kiosk.answer(Print, PrintJob("receipt", "invoice-1", "printed"))
    assert (kiosk.screen()["title"], kiosk.screen()["data"]["paid"]) == ("缴费成功", "¥25.00")


def test_one_of_several_bills_is_chosen_first(kiosk: Kiosk) -> None:
    other = INVOICE.model_copy(update={"invoice_id": "invoice-2", "total_fen": 900})
    enter(kiosk, Home(due=(INVOICE, other)), "pay")
    assert kiosk.screen()["data"]["invoices"][1]["opened"] == "今天 09:00"
    kiosk.touch("invoice", "invoice-2")
    assert kiosk.screen()["data"]["invoice"]["total"] == "¥9.00"
    kiosk.touch("back")
    assert kiosk.name == "due"
    assert kiosk.touch("invoice", "invoice-2").touch("pay").take(StartPayment).amount_fen == 900


def test_nothing_due_says_so(kiosk: Kiosk) -> None:
    assert enter(kiosk, purpose="pay").screen()["title"] == "没有待缴的费用"


def test_cancelling_closes_the_order_and_gives_the_slot_back(kiosk: Kiosk) -> None:
    reach_payment(kiosk).touch("cancel_payment")
    assert kiosk.name == "closing"
    kiosk.answer(CancelPayment).answer(PollPayment, payment("pending"))
    assert kiosk.name == "closing"
    kiosk.answer(PollPayment, payment("closed"))
    assert kiosk.take(SettlePayment).outcome == "closed"
    assert kiosk.take(CancelBooking).appointment_id == "appointment-1"
    kiosk.answer(LoadHome, Home())
    assert kiosk.name == "menu"


def test_paid_while_cancelling_goes_on_as_paid(kiosk: Kiosk) -> None:
    reach_payment(kiosk).touch("cancel_payment").refuse(CancelPayment, "already_paid")
    kiosk.answer(PollPayment, payment("succeeded"))
    assert kiosk.take(CheckIn).appointment_id == "appointment-1"
    assert not any(isinstance(effect, CancelBooking) for effect in kiosk.open)


def test_a_failed_payment_may_be_begun_again(kiosk: Kiosk) -> None:
    reach_payment(kiosk).answer(PollPayment, payment("failed"))
    assert kiosk.screen()["title"] == "付款没有完成"
    kiosk.take(SettlePayment)
    again = kiosk.touch("pay_again").take(StartPayment)
    assert (again.amount_fen, again.appointment_id) == (2500, "appointment-1")


def test_a_payment_that_came_too_late_is_told_in_the_backends_words(kiosk: Kiosk) -> None:
    words = "付款时号源已被他人取走，款项正在原路退回，请重新选择"
    reach_payment(kiosk).answer(PollPayment, payment("failed", outcome_words=words))
    assert kiosk.screen()["lead"] == words
    assert kiosk.screen()["actions"][0]["id"] == "menu"


def test_no_answer_to_starting_a_payment_is_not_sent_again(kiosk: Kiosk) -> None:
    enter(kiosk, Home(due=(INVOICE,)), "pay").touch("pay").lose(StartPayment)
    assert kiosk.screen()["title"] == "没有收到医院系统的答复"
    assert kiosk.open == []


def test_the_backend_away_keeps_the_code_and_keeps_asking(kiosk: Kiosk) -> None:
    reach_payment(kiosk).lose(PollPayment)
    assert kiosk.screen()["data"]["is_unreachable"] is True
    assert qr_payload(kiosk.state) == "weixin://pay/1"
    kiosk.answer(PollPayment, payment("pending"))
    assert kiosk.screen()["data"]["is_unreachable"] is False


def test_time_is_up_the_order_is_closed_and_the_person_wiped(kiosk: Kiosk) -> None:
    reach_payment(kiosk).pass_time(181)
    assert kiosk.name == "closing"
    kiosk.answer(CancelPayment).answer(PollPayment, payment("closed"))
    assert (kiosk.name, kiosk.state.patient) == ("home", None)
    assert kiosk.take(CancelBooking)
    assert kiosk.take(EndSession)


def test_an_order_that_expires_sooner_ends_sooner(kiosk: Kiosk) -> None:
    enter(kiosk, Home(due=(INVOICE,)), "pay").touch("pay")
    kiosk.answer(StartPayment, payment(expires_at=MORNING + timedelta(seconds=40)))
    assert kiosk.pass_time(39).name == "pay"
    assert kiosk.pass_time(2).name == "closing"


def test_neither_paid_nor_closed_ends_unknown_and_is_wiped(kiosk: Kiosk) -> None:
    reach_payment(kiosk).pass_time(181).answer(CancelPayment)
    kiosk.answer(PollPayment, payment("unknown")).pass_time(16)
    assert kiosk.name == "payment_unknown"
    assert "不要重复付款" in kiosk.screen()["lead"]
    assert kiosk.take(LeavePayment).payment_id == "payment-1"
    kiosk.pass_time(21)
    assert (kiosk.name, kiosk.state.session) == ("home", "")
    # The background ends slot and session with the payment: the screen must not.
    assert not any(isinstance(effect, EndSession | CancelBooking) for effect in kiosk.open)


def test_home_during_payment_wipes_the_screen_and_not_the_payment(kiosk: Kiosk) -> None:
    reach_payment(kiosk).touch("home")
    assert kiosk.name == "home"
    assert kiosk.take(LeavePayment).payment_id == "payment-1"
    assert not any(isinstance(effect, EndSession | CancelBooking) for effect in kiosk.open)


def test_a_late_answer_after_the_wipe_changes_nothing(kiosk: Kiosk) -> None:
    reach_payment(kiosk)
    epoch, poll = kiosk.state.epoch, kiosk.take(PollPayment)
    kiosk.touch("home")
    before = kiosk.state
    kiosk.happen(Answered(epoch, poll, payment("succeeded")))
    kiosk.happen(WentAway(epoch, poll)).happen(Refused(epoch, poll, 410, "gone"))
    assert kiosk.state == before


def test_an_answer_about_another_payment_is_not_looked_at(kiosk: Kiosk) -> None:
    reach_payment(kiosk)
    other = payment("succeeded", payment_id="payment-0")
    kiosk.happen(Answered(kiosk.state.epoch, PollPayment("session-1", "payment-0"), other))
    assert kiosk.name == "pay"


def test_a_session_that_ended_while_paying_ends_unknown(kiosk: Kiosk) -> None:
    reach_payment(kiosk).refuse(PollPayment, "patient_session_ended", 410)
    assert kiosk.name == "payment_unknown"
    assert kiosk.take(LeavePayment)


def test_idle_rules_do_not_hold_while_a_code_is_open(kiosk: Kiosk) -> None:
    reach_payment(kiosk).pass_time(80)
    assert (kiosk.name, kiosk.state.warned) == ("pay", False)


@pytest.mark.parametrize("name", ["pay", "closing"])
def test_a_card_during_payment_is_ignored(kiosk: Kiosk, name: str) -> None:
    reach_payment(kiosk)
    if name == "closing":
        kiosk.touch("back")
    kiosk.happen(Presented({"kind": "hospital_card", "number": "9"}, "hospital_card:9"))
    assert (kiosk.name, kiosk.state.patient is not None) == (name, True)


def test_ten_hits_on_cancel_ask_once(kiosk: Kiosk) -> None:
    reach_payment(kiosk)
    for _hit in range(10):
        kiosk.happen(Touched("cancel_payment"))
    assert len([effect for effect in kiosk.open if isinstance(effect, CancelPayment)]) == 1


def test_a_payment_that_is_paid_at_once_needs_no_poll(kiosk: Kiosk) -> None:
    enter(kiosk, Home(due=(INVOICE,)), "pay").touch("pay")
    kiosk.answer(StartPayment, payment("succeeded"))
    assert kiosk.name == "printing"
    assert not any(isinstance(effect, PollPayment) for effect in kiosk.open)


def test_an_ended_session_anywhere_sends_to_the_beginning(kiosk: Kiosk) -> None:
    enter(kiosk, Home(due=(INVOICE,)), "pay").touch("pay")
    kiosk.refuse(StartPayment, "patient_session_ended", 410)
    assert kiosk.screen()["title"] == "本次办理已超时"
    assert kiosk.touch("home").name == "home"

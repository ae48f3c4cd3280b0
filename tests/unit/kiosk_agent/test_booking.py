"""Booking today's visit, and everything that may happen while a person hesitates."""

from __future__ import annotations

from kiosk_agent.flows.events import (
    Book,
    CancelBooking,
    CheckIn,
    EndSession,
    LoadDepartments,
    LoadHome,
    LoadSchedules,
    PollPayment,
    Print,
    SettlePayment,
    StartPayment,
    Touched,
)
from kiosk_agent.flows.state import PrintJob
from kiosk_agent.messages import Home
from tests.unit.kiosk_agent.conftest import (
    BOOKING,
    DEPARTMENTS,
    INVOICE,
    SCHEDULES,
    TICKET,
    Kiosk,
    payment,
)
from tests.unit.kiosk_agent.drive import enter, reach_confirmation, reach_payment


def test_from_card_to_ticket_in_five_touches(kiosk: Kiosk) -> None:
    touches = 0
    original = kiosk.touch

    def count(action: str, value: str = "") -> Kiosk:
        nonlocal touches
        touches += 1
        return original(action, value)

    kiosk.touch = count  # type: ignore[method-assign]
    reach_confirmation(kiosk).touch("book")
    start = kiosk.answer(Book, BOOKING).take(StartPayment)
    assert (start.invoice_id, start.amount_fen) == ("invoice-1", 2500)
    kiosk.open.append(start)
    kiosk.answer(StartPayment, payment())
    assert kiosk.name == "pay"
    kiosk.answer(PollPayment, payment("succeeded"))
    assert kiosk.take(SettlePayment).outcome == "succeeded"
    kiosk.answer(CheckIn, TICKET)
    kiosk.answer(Print, PrintJob("ticket", "ticket-1", "printed"))
    assert kiosk.name == "done"
    assert kiosk.screen()["data"]["ticket"]["number"] == "A012"
    assert kiosk.open == []
    assert touches == 5


def test_ten_hits_on_confirm_book_once(kiosk: Kiosk) -> None:
    reach_confirmation(kiosk)
    for _hit in range(10):
        kiosk.happen(Touched("book"))
    assert len([effect for effect in kiosk.open if isinstance(effect, Book)]) == 1


def test_full_departments_and_doctors_cannot_be_chosen(kiosk: Kiosk) -> None:
    enter(kiosk, purpose="visit").answer(LoadDepartments, DEPARTMENTS)
    choices = [a["value"] for a in kiosk.screen()["actions"] if a["id"] == "department"]
    assert choices == ["d1"]
    kiosk.touch("department", "d1").answer(LoadSchedules, SCHEDULES)
    choices = [a["value"] for a in kiosk.screen()["actions"] if a["id"] == "schedule"]
    assert choices == ["s1"]


def test_a_slot_gone_meanwhile_costs_nothing_and_shows_what_is_left(kiosk: Kiosk) -> None:
    reach_confirmation(kiosk).touch("book").refuse(Book, "slot_gone")
    assert kiosk.screen()["title"] == "这个号刚刚被约走"
    kiosk.touch("choose_another").answer(LoadSchedules, SCHEDULES)
    assert kiosk.name == "schedules"
    assert not any(isinstance(effect, StartPayment) for effect in kiosk.open)


def test_a_department_that_filled_up_sends_to_the_others(kiosk: Kiosk) -> None:
    enter(kiosk, purpose="visit").answer(LoadDepartments, DEPARTMENTS).touch("department", "d1")
    kiosk.answer(LoadSchedules, ())
    assert kiosk.screen()["title"] == "这个科室刚刚约满"
    kiosk.touch("other_department").answer(LoadDepartments, DEPARTMENTS)
    assert kiosk.name == "departments"


def test_no_clinics_today(kiosk: Kiosk) -> None:
    enter(kiosk, purpose="visit").answer(LoadDepartments, ())
    assert kiosk.screen()["title"] == "今天没有可挂的号"


def test_already_booked_leads_to_the_menu(kiosk: Kiosk) -> None:
    reach_confirmation(kiosk).touch("book").refuse(Book, "already_booked")
    kiosk.touch("menu").answer(LoadHome, Home(due=(INVOICE,)))
    assert kiosk.name == "menu"
    assert kiosk.screen()["data"]["tiles"][0]["hint"] == "1 笔待缴，共 ¥25.00"


def test_no_answer_to_a_booking_is_never_sent_again_by_itself(kiosk: Kiosk) -> None:
    reach_confirmation(kiosk).touch("book").lose(Book)
    assert kiosk.screen()["title"] == "没有收到医院系统的答复"
    assert [a["id"] for a in kiosk.screen()["actions"]] == [
        "menu",
        "language",
        "elderly",
        "back",
        "home",
    ]
    assert kiosk.open == []


def test_an_amount_other_than_shown_needs_a_new_yes(kiosk: Kiosk) -> None:
    dearer = BOOKING.model_copy(update={"invoice": INVOICE.model_copy(update={"total_fen": 3000})})
    reach_confirmation(kiosk).touch("book").answer(Book, dearer)
    data = kiosk.screen()["data"]
    assert (kiosk.name, data["old"], data["new"]) == ("amount_changed", "¥25.00", "¥30.00")
    assert kiosk.open == []
    assert kiosk.touch("agree").take(StartPayment).amount_fen == 3000


def test_no_to_the_new_amount_gives_the_slot_back(kiosk: Kiosk) -> None:
    dearer = BOOKING.model_copy(update={"invoice": INVOICE.model_copy(update={"total_fen": 3000})})
    reach_confirmation(kiosk).touch("book").answer(Book, dearer).touch("decline")
    assert kiosk.take(CancelBooking).appointment_id == "appointment-1"
    kiosk.answer(LoadSchedules, SCHEDULES)
    assert kiosk.name == "schedules"


def test_the_backend_says_the_amount_differs(kiosk: Kiosk) -> None:
    reach_confirmation(kiosk).touch("book").answer(Book, BOOKING)
    kiosk.refuse(StartPayment, "amount_differs", fields={"due_fen": 2800})
    data = kiosk.screen()["data"]
    assert (data["old"], data["new"]) == ("¥25.00", "¥28.00")
    assert kiosk.touch("agree").take(StartPayment).amount_fen == 2800


def test_a_visit_that_costs_nothing_needs_no_code(kiosk: Kiosk) -> None:
    free = BOOKING.model_copy(update={"invoice": INVOICE.model_copy(update={"total_fen": 0})})
    reach_confirmation(kiosk).touch("book").answer(Book, free).answer(CheckIn, TICKET)
    assert kiosk.name == "printing"


def test_back_leads_one_question_back_each_time(kiosk: Kiosk) -> None:
    names = []
    reach_confirmation(kiosk)
    for _step in range(4):
        kiosk.touch("back")
        names.append(kiosk.name)
    assert names == ["schedules", "departments", "menu", "home"]
    kiosk.take(EndSession)
    assert kiosk.open == []


def test_no_doctor_no_ticket_when_check_in_is_refused_after_payment(kiosk: Kiosk) -> None:
    reach_payment(kiosk).answer(PollPayment, payment("succeeded"))
    kiosk.refuse(CheckIn, "too_early", title="还没到签到时间", detail="请 13:00 后再来签到。")
    assert kiosk.screen()["title"] == "还没到签到时间"
    assert kiosk.touch("print_receipt").take(Print).kind == "receipt"


def test_the_network_fails_between_payment_and_check_in(kiosk: Kiosk) -> None:
    reach_payment(kiosk).answer(PollPayment, payment("succeeded")).lose(CheckIn)
    assert kiosk.screen()["title"] == "已付款，取号时网络中断"
    kiosk.touch("try_again").answer(CheckIn, TICKET)
    assert kiosk.name == "printing"


def test_long_lists_have_pages_and_every_choice_keeps_working(kiosk: Kiosk) -> None:
    many = tuple(DEPARTMENTS[0].model_copy(update={"department_id": f"d{i}"}) for i in range(25))
    enter(kiosk, purpose="visit").answer(LoadDepartments, many)
    assert (kiosk.screen()["data"]["page"], kiosk.screen()["data"]["pages"]) == (1, 3)
    kiosk.touch("next_page").touch("next_page")
    assert kiosk.screen()["data"]["first"] == 20
    assert "next_page" not in [action["id"] for action in kiosk.screen()["actions"]]
    kiosk.touch("elderly")
    assert (kiosk.screen()["data"]["page"], kiosk.screen()["data"]["pages"]) == (1, 5)
    kiosk.touch("department", "d24")
    assert kiosk.name == "working"

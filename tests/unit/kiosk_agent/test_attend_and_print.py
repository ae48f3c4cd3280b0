"""Check-in, tickets on paper, and paper that fails before and during the print."""

from __future__ import annotations

import pytest

from kiosk_agent.flows.events import CheckIn, DevicesChanged, LoadHome, Print
from kiosk_agent.flows.state import Devices, PrintJob
from kiosk_agent.messages import Home
from kiosk_agent.screens.document import qr_payload
from tests.unit.kiosk_agent.conftest import APPOINTMENT, INVOICE, TICKET, Kiosk
from tests.unit.kiosk_agent.drive import enter, reach_printing


def test_one_appointment_is_checked_in_with_two_touches(kiosk: Kiosk) -> None:
    enter(kiosk, Home(appointments=(APPOINTMENT,)), "check_in")
    assert kiosk.take(CheckIn).appointment_id == "appointment-1"


def test_one_of_several_appointments_is_chosen(kiosk: Kiosk) -> None:
    other = APPOINTMENT.model_copy(update={"appointment_id": "appointment-2"})
    late = APPOINTMENT.model_copy(update={"appointment_id": "a3", "can_check_in": False})
    enter(kiosk, Home(appointments=(APPOINTMENT, other, late)), "check_in")
    offered = [a["value"] for a in kiosk.screen()["actions"] if a["id"] == "appointment"]
    assert offered == ["appointment-1", "appointment-2"]
    kiosk.touch("appointment", "appointment-2")
    assert kiosk.take(CheckIn).appointment_id == "appointment-2"


@pytest.mark.parametrize(
    ("home", "title", "way_out"),
    [
        (Home(), "今天没有可签到的预约", ("purpose", "visit")),
        (Home(tickets=(TICKET,)), "您已经签到过了", ("purpose", "reprint")),
        (
            Home(
                due=(INVOICE,),
                appointments=(
                    APPOINTMENT.model_copy(update={"state": "held", "can_check_in": False}),
                ),
            ),
            "请先缴挂号费",
            ("purpose", "pay"),
        ),
    ],
)
def test_nothing_to_check_in_for_shows_the_next_step(
    kiosk: Kiosk, home: Home, title: str, way_out: tuple[str, str]
) -> None:
    enter(kiosk, home, "check_in")
    first = kiosk.screen()["actions"][0]
    assert (kiosk.screen()["title"], (first["id"], first["value"])) == (title, way_out)
    kiosk.touch(*way_out)


def test_a_refused_check_in_says_why(kiosk: Kiosk) -> None:
    enter(kiosk, Home(appointments=(APPOINTMENT,)), "check_in")
    kiosk.refuse(CheckIn, "too_late", title="已过时段", next_step="请到分诊台")
    assert (kiosk.screen()["title"], kiosk.screen()["lead"]) == ("已过时段", "请到分诊台")
    kiosk.touch("menu").answer(LoadHome, Home())
    assert kiosk.name == "menu"


def test_the_number_is_shown_while_it_is_printed(kiosk: Kiosk) -> None:
    reach_printing(kiosk)
    assert kiosk.screen()["data"]["ticket"]["number"] == "A012"
    assert kiosk.take(Print).reprint is False


def test_no_button_leaves_a_running_print(kiosk: Kiosk) -> None:
    actions = [action["id"] for action in reach_printing(kiosk).screen()["actions"]]
    assert actions == ["language", "elderly"]


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("paper_out", "本机没有纸了，小票没有打出"),
        ("cover_open", "打印机盖子开着，小票没有打出"),
        ("unreachable", "打印机有故障，小票没有打出"),
    ],
)
def test_nothing_printed_keeps_the_number_and_offers_the_phone(
    kiosk: Kiosk, code: str, title: str
) -> None:
    reach_printing(kiosk).answer(Print, PrintJob("ticket", "ticket-1", "failed", code))
    assert kiosk.screen()["title"] == title
    assert kiosk.screen()["data"]["ticket"]["number"] == "A012"
    assert qr_payload(kiosk.state) == TICKET.url
    # Not a byte was sent: printing it is a first print, not a copy.
    assert kiosk.touch("print_again").take(Print).reprint is False


def test_an_ambiguous_print_is_repeated_by_the_persons_touch_alone(kiosk: Kiosk) -> None:
    reach_printing(kiosk).answer(Print, PrintJob("ticket", "ticket-1", "ambiguous", "paper_out"))
    assert kiosk.screen()["title"] == "请看一下小票是否完整"
    kiosk.pass_time(30)
    assert kiosk.open == []
    assert kiosk.touch("print_again").take(Print).reprint is True


def test_the_person_says_that_the_paper_is_fine(kiosk: Kiosk) -> None:
    reach_printing(kiosk).answer(Print, PrintJob("ticket", "ticket-1", "ambiguous", ""))
    assert kiosk.touch("paper_fine").name == "done"


def test_the_network_fails_before_the_document_comes(kiosk: Kiosk) -> None:
    reach_printing(kiosk).lose(Print)
    assert kiosk.screen()["title"] == "打印前网络中断"
    assert kiosk.touch("print_again").name == "printing"


def test_a_refused_document_says_why(kiosk: Kiosk) -> None:
    reach_printing(kiosk).refuse(Print, "nothing_to_print", 404, title="没有可以打印的内容")
    assert kiosk.screen()["title"] == "没有可以打印的内容"


def test_a_printer_that_never_answers_ends_for_a_person_to_look(kiosk: Kiosk) -> None:
    reach_printing(kiosk).pass_time(91)
    assert kiosk.screen()["title"] == "请看一下小票是否完整"
    kiosk.answer(Print, PrintJob("ticket", "ticket-1", "printed"))
    assert kiosk.name == "problem"


def test_a_ticket_is_printed_again(kiosk: Kiosk) -> None:
    enter(kiosk, Home(tickets=(TICKET,)), "reprint")
    assert kiosk.take(Print).reprint is True


def test_one_of_several_tickets_is_printed_again(kiosk: Kiosk) -> None:
    other = TICKET.model_copy(update={"ticket_id": "ticket-2", "number": "F003"})
    enter(kiosk, Home(tickets=(TICKET, other)), "reprint").touch("ticket", "ticket-2")
    assert kiosk.take(Print).subject_id == "ticket-2"


def test_nothing_to_print_again(kiosk: Kiosk) -> None:
    assert enter(kiosk, purpose="reprint").screen()["title"] == "没有可补打的小票"


def test_missing_paper_is_said_before_anything_is_begun(kiosk: Kiosk) -> None:
    kiosk.happen(DevicesChanged(Devices(printer="paper_out")))
    assert "缺纸" in kiosk.screen()["data"]["printer"]
    kiosk.happen(DevicesChanged(Devices(printer="cutter_error")))
    assert "故障" in kiosk.screen()["data"]["printer"]
    kiosk.happen(DevicesChanged(Devices(printer="paper_near_end")))
    assert kiosk.screen()["data"]["printer"] == ""

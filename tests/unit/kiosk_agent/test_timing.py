"""Who walks away is wiped; language and large type change nothing else."""

from __future__ import annotations

import pytest

from kiosk_agent.flows.events import (
    Active,
    Book,
    CancelBooking,
    EndSession,
    LoadDepartments,
    Print,
    StartPayment,
)
from kiosk_agent.flows.state import PrintJob, State
from tests.unit.kiosk_agent.conftest import BOOKING, ID_CARD, Kiosk
from tests.unit.kiosk_agent.drive import enter, reach_confirmation, reach_printing


def test_sixty_idle_seconds_warn_and_fifteen_more_wipe(kiosk: Kiosk) -> None:
    enter(kiosk)
    assert kiosk.pass_time(59).state.warned is False
    kiosk.pass_time(1)
    assert kiosk.screen()["warned"] is True
    assert "stay" in [action["id"] for action in kiosk.screen()["actions"]]
    assert kiosk.pass_time(14).name == "menu"
    kiosk.pass_time(1)
    assert kiosk.state == State(epoch=1, service=kiosk.state.service, devices=kiosk.state.devices)
    assert kiosk.take(EndSession).session == "session-1"


@pytest.mark.parametrize("how", ["stay", "touch of the glass", "language"])
def test_anyone_still_there_begins_the_time_anew(kiosk: Kiosk, how: str) -> None:
    enter(kiosk).pass_time(65)
    if how == "touch of the glass":
        kiosk.happen(Active())
    else:
        kiosk.touch(how)
    assert kiosk.state.warned is False
    assert kiosk.pass_time(59).name == "menu"


def test_a_slot_held_and_not_paid_is_given_back_by_the_wipe(kiosk: Kiosk) -> None:
    reach_confirmation(kiosk).touch("book").answer(Book, BOOKING)
    kiosk.refuse(StartPayment, "unavailable", title="暂时不能付款")
    kiosk.pass_time(75)
    assert kiosk.name == "home"
    assert kiosk.take(CancelBooking).appointment_id == "appointment-1"
    assert kiosk.take(EndSession)


def test_the_last_screen_goes_by_itself(kiosk: Kiosk) -> None:
    reach_printing(kiosk).answer(Print, PrintJob("ticket", "ticket-1", "printed"))
    assert kiosk.pass_time(19).name == "done"
    assert kiosk.pass_time(1).name == "home"


def test_touching_the_glass_does_not_prolong_a_payment_or_the_last_screen(kiosk: Kiosk) -> None:
    reach_printing(kiosk).answer(Print, PrintJob("ticket", "ticket-1", "printed"))
    kiosk.pass_time(19).happen(Active())
    assert kiosk.pass_time(1).name == "home"


def test_waiting_for_the_backend_is_not_idleness(kiosk: Kiosk) -> None:
    enter(kiosk, purpose="visit").pass_time(500)
    assert kiosk.name == "working"
    assert kiosk.take(LoadDepartments)


def test_language_and_large_type_change_at_any_step_and_end_with_the_person(kiosk: Kiosk) -> None:
    kiosk.touch("language").touch("elderly").happen(ID_CARD)
    assert kiosk.screen()["title"] == "Looking you up"
    kiosk.touch("language")
    assert kiosk.screen()["title"] == "正在核对您的信息"
    assert kiosk.state.elderly is True
    kiosk.open.clear()
    kiosk = enter(Kiosk()).touch("language").touch("home")
    assert (kiosk.state.language, kiosk.state.elderly) == ("zh", False)


def test_large_type_offers_fewer_tiles(kiosk: Kiosk) -> None:
    assert len(kiosk.screen()["data"]["tiles"]) == 5
    assert len(kiosk.touch("elderly").screen()["data"]["tiles"]) == 3


def test_home_time_has_no_end(kiosk: Kiosk) -> None:
    assert kiosk.pass_time(10_000).name == "home"
    assert kiosk.state.deadline is None

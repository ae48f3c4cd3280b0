"""Who stands here: cards, codes, second cards, and cards that do not help."""

from __future__ import annotations

import pytest

from kiosk_agent.flows.events import (
    Answered,
    Book,
    CancelBooking,
    DeviceTrouble,
    EndSession,
    Identify,
    Presented,
    ServiceChanged,
)
from kiosk_agent.flows.state import Service
from tests.unit.kiosk_agent.conftest import BOOKING, ID_CARD, Kiosk, identified
from tests.unit.kiosk_agent.drive import enter, present


def test_a_card_on_the_home_screen_begins_without_a_touch(kiosk: Kiosk) -> None:
    present(kiosk)
    assert kiosk.name == "confirm_person"
    assert kiosk.screen()["data"]["person"]["name"] == "张小三"
    kiosk.touch("confirm_person")
    assert kiosk.name == "menu"


def test_a_tile_asks_for_a_card_first_and_remembers_what_for(kiosk: Kiosk) -> None:
    kiosk.touch("purpose", "register")
    assert kiosk.screen()["title"] == "登记建档：请放身份证"
    kiosk.happen(ID_CARD).answer(Identify, identified(created=True))
    assert kiosk.screen()["data"]["created"] is True
    kiosk.touch("confirm_person")
    assert (kiosk.name, kiosk.screen()["title"]) == ("done", "建档成功")
    kiosk.touch("purpose", "visit")
    assert kiosk.name == "working"


def test_someone_else_than_the_card_says_wipes_it(kiosk: Kiosk) -> None:
    present(kiosk).touch("not_me")
    assert kiosk.name == "home"
    assert kiosk.state.patient is None
    assert isinstance(kiosk.take(EndSession), EndSession)


def test_a_second_card_is_ignored_with_a_notice_that_goes_by_itself(kiosk: Kiosk) -> None:
    enter(kiosk)
    kiosk.happen(Presented({"kind": "hospital_card", "number": "2"}, "hospital_card:2"))
    assert kiosk.open == []
    assert "首页" in kiosk.screen()["notice"]["text"]
    assert kiosk.pass_time(6.1).screen()["notice"] is None


def test_the_same_card_again_says_nothing(kiosk: Kiosk) -> None:
    enter(kiosk).happen(ID_CARD)
    assert kiosk.screen()["notice"] is None
    assert kiosk.open == []


def test_a_card_put_down_while_the_first_is_looked_up_is_ignored(kiosk: Kiosk) -> None:
    kiosk.happen(ID_CARD).happen(Presented({"kind": "id_card"}, "id_card:2"))
    assert len([e for e in kiosk.open if isinstance(e, Identify)]) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("torn_frame", "再平放到读卡区"),
        ("checksum", "再平放到读卡区"),
        ("card_unresponsive", "再平放到读卡区"),
        ("card_removed", "拿开得太早"),
        ("unreadable_code", "正对扫码口"),
    ],
)
def test_what_was_not_read_is_asked_for_again(kiosk: Kiosk, code: str, words: str) -> None:
    kiosk.happen(DeviceTrouble("id_reader", code))
    assert kiosk.name == "identify"
    assert words in kiosk.screen()["notice"]["text"]
    kiosk.happen(ID_CARD)
    assert kiosk.name == "working"


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("unknown_card", "这张卡没有登记"),
        ("foreigner_card", "外国人永久居留证暂不能自助办理"),
        ("hmt_resident_card", "港澳台居民居住证暂不能自助办理"),
        ("malformed_card", "证件内容读出有误"),
    ],
)
def test_a_card_that_can_never_be_used_says_where_to_go(
    kiosk: Kiosk, code: str, title: str
) -> None:
    kiosk.happen(DeviceTrouble("id_reader", code))
    assert kiosk.screen()["title"] == title
    kiosk.touch("present_again")
    assert kiosk.name == "identify"


def test_a_payment_code_held_to_the_scanner_pays_nothing(kiosk: Kiosk) -> None:
    kiosk.happen(DeviceTrouble("scanner", "payment_code"))
    assert kiosk.name == "home"
    assert "付款码" in kiosk.screen()["notice"]["text"]
    assert kiosk.open == []


@pytest.mark.parametrize(
    ("code", "status", "title"),
    [
        ("id_card_expired", 422, "身份证已过有效期"),
        ("card_unknown", 404, "这张卡没有登记"),
        ("code_not_understood", 422, "这个码不能在本机使用"),
    ],
)
def test_refused_identification_offers_another_card(
    kiosk: Kiosk, code: str, status: int, title: str
) -> None:
    kiosk.happen(ID_CARD).refuse(Identify, code, status)
    assert kiosk.screen()["title"] == title
    kiosk.happen(Presented({"kind": "hospital_card", "number": "2"}, "hospital_card:2"))
    assert kiosk.name == "working"


def test_other_refusals_are_said_in_the_backends_words(kiosk: Kiosk) -> None:
    kiosk.happen(ID_CARD)
    kiosk.refuse(Identify, "patient_locked", title="档案已锁定", next_step="请到窗口")
    assert (kiosk.screen()["title"], kiosk.screen()["lead"]) == ("档案已锁定", "请到窗口")


def test_an_absent_backend_while_identifying_may_be_tried_again(kiosk: Kiosk) -> None:
    kiosk.happen(ID_CARD).lose(Identify)
    assert kiosk.screen()["title"] == "网络暂时中断"
    kiosk.touch("present_again").happen(ID_CARD)
    assert kiosk.name == "working"


@pytest.mark.parametrize(
    ("service", "words"),
    [
        (Service.AWAY, "人工窗口"),
        (Service.STOPPED, "停用"),
        (Service.NOT_ENROLLED, "尚未登记"),
        (Service.STARTING, "正在启动"),
    ],
)
def test_out_of_service_begins_nothing(kiosk: Kiosk, service: Service, words: str) -> None:
    kiosk.happen(ServiceChanged(service)).happen(ID_CARD)
    assert kiosk.name == "out_of_service"
    assert words in kiosk.screen()["lead"]
    assert [action["id"] for action in kiosk.screen()["actions"]] == ["language", "elderly"]
    assert kiosk.open == []


def test_an_answer_for_someone_who_has_gone_is_not_shown_and_not_left_open(kiosk: Kiosk) -> None:
    earlier = kiosk.state.epoch - 1
    kiosk.happen(Answered(earlier, Identify({}), identified()))
    assert kiosk.name == "home"
    assert kiosk.take(EndSession).session == "session-1"
    kiosk.happen(Answered(earlier, Book("session-1", "s1"), BOOKING))
    assert kiosk.take(CancelBooking).appointment_id == "appointment-1"

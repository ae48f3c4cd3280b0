"""A whole kiosk over real wires: a visit, and everything a kiosk must survive."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from PIL import Image
from pyzbar import pyzbar

from hardware_drivers.simulators.id_reader import Fault
from hardware_drivers.simulators.printer.mechanism import PrintFault, Roll
from tests.factories.kiosk_rig import Rig, running_kiosk, wait_until


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A kiosk in service."""
    with running_kiosk(tmp_path) as found:
        yield found


def read_code(picture: bytes) -> str:
    """What a phone's camera reads in `picture`."""
    with Image.open(io.BytesIO(picture)) as image:
        (code,) = pyzbar.decode(image.convert("L"))
    return str(code.data.decode())


def reach_confirmation(rig: Rig) -> None:
    """Tile, card, person, department, doctor."""
    rig.glass.press("purpose", "visit")
    rig.put_id_card()
    rig.glass.wait_for("confirm_person")
    rig.glass.press("confirm_person")
    rig.glass.wait_for("departments")
    rig.glass.press("department", "department-0")
    rig.glass.wait_for("schedules")
    rig.glass.press("schedule", "schedule-0")


def reach_payment(rig: Rig) -> None:
    """The code is on the screen."""
    reach_confirmation(rig)
    rig.glass.press("book")
    rig.glass.wait(lambda screen: screen.name == "pay" and bool(screen.document["has_qr"]))


def check_in(rig: Rig) -> None:
    """Card and person; the only appointment is checked in for."""
    rig.backend.appointments = [{"appointment_id": "appointment-1", "can_check_in": True}]
    rig.glass.press("purpose", "check_in")
    rig.put_id_card()
    rig.glass.wait_for("confirm_person")
    rig.glass.press("confirm_person")


def test_a_visit_from_card_to_paper(rig: Rig) -> None:
    reach_payment(rig)
    assert read_code(rig.glass.picture()).startswith("weixin://wxpay/bizpayurl?pr=payment-")
    rig.backend.pay()
    done = rig.glass.wait_for("done")
    assert done.data["ticket"]["number"] == "A012"
    (receipt,) = rig.printer.mechanism.receipts()
    assert receipt.complete
    assert "A012" in receipt.text
    assert "乳腺肿瘤科" in receipt.text
    assert read_code(receipt.png) == f"{rig.backend.url}/t/signed-token"
    assert [result["outcome"] for result in rig.backend.results.values()] == ["printed"]
    wait_until(lambda: rig.agent.journal.count_open() == 0)


def test_the_card_reaches_the_backend_as_the_contract_says(rig: Rig) -> None:
    rig.put_id_card()
    rig.glass.wait_for("confirm_person")
    (asked,) = [item for item in rig.backend.asked if item.path.endswith("/identify")]
    assert asked.body["kind"] == "id_card"
    card = asked.body["card"]
    assert (card["name"], card["birth_date"], card["valid_until"]) == ("张小三", "1980-01-01", None)
    assert "photo" not in card


def test_ten_fingers_on_one_button_book_once(rig: Rig) -> None:
    reach_confirmation(rig)
    no = rig.glass.see().no
    start = threading.Barrier(10)
    statuses: list[int] = []

    def hit() -> None:
        start.wait()
        statuses.append(rig.glass.touch("book", no=no).status_code)

    fingers = [threading.Thread(target=hit) for _finger in range(10)]
    for finger in fingers:
        finger.start()
    for finger in fingers:
        finger.join()
    assert sorted(statuses) == [200] + [409] * 9
    rig.glass.wait_for("pay")
    assert rig.backend.paths().count("/appointments") == 1


def test_a_stale_touch_gets_the_screen_that_is_shown(rig: Rig) -> None:
    old = rig.glass.see().no
    rig.glass.press("language")
    answer = rig.glass.touch("purpose", "visit", no=old)
    assert (answer.status_code, answer.json()["language"]) == (409, "en")


def test_a_button_that_is_not_there_does_nothing(rig: Rig) -> None:
    answer = rig.glass.touch("book")
    assert (answer.status_code, answer.json()["name"]) == (422, "home")


def test_a_torn_frame_is_read_again_by_itself(rig: Rig) -> None:
    rig.id_reader.reader.set_fault(Fault.TORN)
    rig.put_id_card()
    assert rig.glass.wait_for("confirm_person")


def test_a_card_lifted_while_it_is_read_is_asked_for_again(rig: Rig) -> None:
    rig.id_reader.reader.set_fault(Fault.LIFT)
    rig.put_id_card()
    screen = rig.glass.wait(lambda screen: screen.document["notice"] is not None)
    assert "拿开得太早" in screen.document["notice"]["text"]
    rig.put_id_card()
    assert rig.glass.wait_for("confirm_person")


def test_an_expired_card_is_sent_to_the_counter(rig: Rig) -> None:
    rig.backend.refusals["/identify"] = (422, {"code": "id_card_expired"})
    rig.put_id_card()
    screen = rig.glass.wait_for("problem")
    assert screen.title == "身份证已过有效期"


def test_a_scanned_code_identifies_and_a_payment_code_goes_nowhere(rig: Rig) -> None:
    rig.scanner.scan("134567890123456789")
    screen = rig.glass.wait(lambda screen: screen.document["notice"] is not None)
    assert "付款码" in screen.document["notice"]["text"]
    assert "/identify" not in rig.backend.paths()
    rig.scanner.scan("XL-TICKET-1")
    rig.glass.wait_for("confirm_person")
    (asked,) = [item for item in rig.backend.asked if item.path.endswith("/identify")]
    assert asked.body == {"kind": "code", "text": "XL-TICKET-1"}


def test_no_paper_before_the_print_prints_once_paper_is_there(rig: Rig) -> None:
    mechanism = rig.printer.mechanism
    mechanism.set_state(replace(mechanism.state, paper=Roll.OUT))
    check_in(rig)
    screen = rig.glass.wait_for("problem")
    assert screen.title == "本机没有纸了，小票没有打出"
    assert rig.printed() == []
    assert read_code(rig.glass.picture()) == f"{rig.backend.url}/t/signed-token"
    mechanism.set_state(replace(mechanism.state, paper=Roll.OK))
    rig.glass.press("print_again")
    rig.glass.wait_for("done")
    assert len(rig.printed()) == 1
    outcomes = [result["outcome"] for result in rig.backend.results.values()]
    assert outcomes == ["failed", "printed"]


def test_paper_that_ends_during_the_print_is_looked_at_by_a_person(rig: Rig) -> None:
    mechanism = rig.printer.mechanism
    mechanism.set_state(replace(mechanism.state, fail_during_next=PrintFault.PAPER_OUT))
    check_in(rig)
    screen = rig.glass.wait_for("problem")
    assert screen.title == "请看一下小票是否完整"
    (result,) = rig.backend.results.values()
    assert result["outcome"] == "ambiguous"
    mechanism.set_state(replace(mechanism.state, paper=Roll.OK))
    rig.glass.press("print_again")
    rig.glass.wait_for("done")
    orders = [item.body for item in rig.backend.asked if item.path.endswith("/prints")]
    assert [order["reprint"] for order in orders] == [False, True]


def test_a_printer_that_is_not_there_costs_only_the_paper(rig: Rig) -> None:
    rig.printer.close()
    wait_until(lambda: rig.agent.devices.current().printer == "unreachable")
    rig.printer.__init__(rig.printer.port)  # type: ignore[misc]  # switched on again afterwards
    wait_until(lambda: rig.agent.devices.current().printer == "ok")


def test_the_person_walks_away_from_a_payment(tmp_path: Path) -> None:
    with running_kiosk(tmp_path, payment_seconds=1.0) as rig:
        reach_payment(rig)
        rig.glass.wait_for("home")
        rig.backend.wait_for("/session/end")
        paths = rig.backend.paths()
        assert "/payments/payment-1/cancel" in paths
        assert "/appointments/appointment-1/cancel" in paths
        wait_until(lambda: rig.agent.journal.count_open() == 0)
        assert "张小三" not in requests.get(f"{rig.glass.base}/api/screen?html=1", timeout=5).text


def test_home_during_a_payment_leaves_it_to_the_background(rig: Rig) -> None:
    reach_payment(rig)
    rig.glass.press("home")
    assert rig.glass.see().name == "home"
    rig.backend.wait_for("/session/end")
    row = rig.agent.journal.get_payment("payment-1")
    assert row is not None
    wait_until(lambda: rig.agent.journal.count_open() == 0)


def test_the_backend_goes_away_and_comes_back(rig: Rig) -> None:
    rig.backend.is_away = True
    screen = rig.glass.wait_for("out_of_service")
    assert "人工窗口" in screen.document["lead"]
    rig.put_id_card()
    assert rig.glass.see().name == "out_of_service"
    rig.backend.is_away = False
    rig.glass.wait_for("home")
    assert "/identify" not in rig.backend.paths()


def test_the_backend_goes_away_while_a_code_is_open(rig: Rig) -> None:
    reach_payment(rig)
    rig.backend.is_away = True
    rig.glass.wait(lambda screen: bool(screen.data.get("is_unreachable")))
    rig.backend.is_away = False
    rig.backend.pay()
    rig.glass.wait_for("done")
    assert rig.backend.paths().count("/payments") == 1


def test_health_tells_kiosk_backend_and_devices(rig: Rig) -> None:
    health = requests.get(f"{rig.glass.base}/healthz", timeout=5).json()
    assert (health["status"], health["is_enrolled"]) == ("ok", True)
    assert health["devices"]["printer"] == {"state": "ok", "paper": "ok"}
    assert health["devices"]["card_reader"]["state"] == "not_configured"

"""One patient's visit from the kiosk to the last payment, step by step."""

from __future__ import annotations

import queue
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from backend.demo.id_cards import IdCardSpec
from backend.demo.journey.counter import Counter
from backend.demo.journey.desk import Desks
from backend.demo.journey.report import Report
from backend.demo.journey.wires import Bench, Kiosk, Phone, StepFailed, read_codes

T = TypeVar("T")

#: Over so many departments a crowd spreads.
FAVOURITES = 6
#: More than come to the kiosks at once.
ROOMY = 12
#: The kiosk's tiles in the order in which somebody tries them who does not know how far they have come.
PURPOSES = ("visit", "check_in", "reprint", "pay")


@dataclass(frozen=True)
class Patience:
    """How often a patient begins again, and how long they wait; in calm weather nobody has to."""

    tries: int = 1
    pause: float = 0
    phone_wait: float = 15
    kiosk_wait: float = 0


@dataclass
class System:
    """The running system as a patient meets it."""

    bench: Bench
    kiosks: queue.Queue[Kiosk]
    phone: Phone
    desks: Desks
    counter: Counter
    patience: Patience = Patience()


@dataclass(frozen=True)
class Ticket:
    """What is printed and shown."""

    number: str
    url: str
    practitioner: str
    department: str


def take_visit(system: System, report: Report, who: str, card: IdCardSpec) -> None:
    """The whole visit; StepFailed at the first thing that is wrong."""
    began = time.monotonic()
    ticket = _persist(
        system, lambda n: _come_for_ticket(system, report, who, card, PURPOSES[n % len(PURPOSES)])
    )
    with report.step(who, "手机打开号票 phone shows the ticket") as notes:
        state, ahead = _phone_state(system.phone.open(ticket.url), ticket.number)
        notes.append(f"{ticket.number} {state} ahead {ahead}")
    with report.step(who, "叫号、就诊、开单 called, seen, ordered") as notes:
        seen = system.desks.see(ticket.practitioner, ticket.department, ticket.number)
        notes.append(f"{seen.room} {seen.total_fen / 100:.2f} 元")
    _persist(system, lambda n: _come_to_pay(system, report, who, card, ticket, seen.total_fen, n))
    with report.step(who, "手机显示已完成 phone shows it is over") as notes:
        notes.append(_wait_until_done(system, ticket))
    with report.step(who, "人工窗口 at the counter") as notes:
        notes.append(system.counter.visit_ahead(card, is_stubborn=system.patience.tries > 1))
    report.done(who, time.monotonic() - began)


def _persist(system: System, attempt: Callable[[int], T]) -> T:
    """What ``attempt`` gives at the first try that goes well; the last try's failure is the patient's."""
    for number in range(system.patience.tries - 1):
        try:
            return attempt(number)
        except (StepFailed, OSError):
            time.sleep(system.patience.pause)
    return attempt(system.patience.tries - 1)


def _come_for_ticket(
    system: System, report: Report, who: str, card: IdCardSpec, purpose: str
) -> Ticket:
    kiosk = system.kiosks.get()
    try:
        return _get_ticket(system, report, who, kiosk, card, purpose)
    finally:
        _leave(system, kiosk)


def _come_to_pay(
    system: System,
    report: Report,
    who: str,
    card: IdCardSpec,
    ticket: Ticket,
    total_fen: int,
    attempt: int,
) -> None:
    if attempt and not _is_owing(system.phone.open(ticket.url)):
        return  # paid before; only the kiosk's word for it was lost
    kiosk = system.kiosks.get()
    try:
        _pay_orders(system, report, who, kiosk, card, total_fen, is_again=attempt > 0)
    finally:
        _leave(system, kiosk)


def _get_ticket(
    system: System, report: Report, who: str, kiosk: Kiosk, card: IdCardSpec, purpose: str
) -> Ticket:
    before = system.bench.latest_receipt(kiosk.index)
    with report.step(who, f"自助机 {kiosk.index + 1} 刷身份证 ID card read, record created"):
        kiosk.wait_for("home")
        kiosk.touch("purpose", purpose)
        kiosk.wait_for("identify")
        system.bench.put_id_card(kiosk.index, card)
        person = kiosk.wait_for("confirm_person")["data"]["person"]
        if person["name"] != card.name:
            raise StepFailed(f"the kiosk greets {person['name_masked']}")
        system.bench.lift_id_card(kiosk.index)
        kiosk.touch("confirm_person")
    if purpose == "visit":
        with report.step(who, "选科室、医生 department and doctor chosen") as notes:
            department, schedule = _choose(kiosk, turn=sum(card.number.encode()))
            notes.append(f"{department} {schedule['practitioner_name']} {schedule['fee']}")
        with report.step(who, "扫码付挂号费 fee paid by QR") as notes:
            kiosk.wait_for("confirm_booking")
            kiosk.touch("book")
            notes.append(_pay_on_screen(system, kiosk))
    elif purpose == "pay":
        with report.step(who, "补付挂号费 fee paid after all") as notes:
            shown = kiosk.wait_for("confirm_due", "due")
            if shown["name"] == "due":
                kiosk.touch("invoice", shown["data"]["invoices"][0]["id"])
                kiosk.wait_for("confirm_due")
            kiosk.touch("pay")
            notes.append(_pay_on_screen(system, kiosk))
    with report.step(who, "打印号票 ticket printed") as notes:
        shown = kiosk.wait_for("done", "appointments", "tickets", seconds=60)
        if shown["name"] != "done":  # several of today: the first will do
            kind = shown["name"]
            kiosk.touch(kind.removesuffix("s"), shown["data"][kind][0]["id"])
            shown = kiosk.wait_for("done", seconds=60)
        done = shown["data"]
        receipt = system.bench.wait_for_receipt(kiosk.index, before["id"] if before else None)
        links = [code for code in read_codes(system.bench.picture(receipt)) if "/t/" in code]
        if done["done"] != "ticket" or not links:
            raise StepFailed(f"the kiosk ended with {done['done']}, links on paper: {len(links)}")
        number = done["ticket"]["number"]
        paper = str(receipt["text"])
        if number not in paper:
            raise StepFailed(f"the paper does not show {number}")
        notes.append(number)
    doctor = re.search(r"医生\s+(\S+)", paper)
    return Ticket(number, links[0], doctor[1] if doctor else "", done["department_name"])


def _choose(kiosk: Kiosk, turn: int) -> tuple[str, dict[str, str]]:
    """One of the departments with most places left, and one of its doctors with one; ``turn`` spreads people."""
    for _page in range(10):
        shown = kiosk.wait_for("departments")
        free = [d for d in shown["data"]["departments"] if d["free_count"]]
        if free:
            break
    else:
        raise StepFailed("no department has a place left today")
    most = sorted(_roomy(free), key=lambda d: -int(d["free_count"]))[:FAVOURITES]
    best = most[turn % len(most)]
    kiosk.touch("department", best["id"])
    doctors = [s for s in kiosk.wait_for("schedules")["data"]["schedules"] if int(s["free_count"])]
    if not doctors:
        raise StepFailed(f"{best['name']} has no doctor with a place")
    doctors = _roomy(doctors)
    doctor = doctors[turn % len(doctors)]
    kiosk.touch("schedule", doctor["id"])
    return best["name"], doctor


def _roomy(offers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that others cannot fill while we choose, if there are any; late in the day few are left."""
    return [offer for offer in offers if int(offer["free_count"]) >= ROOMY] or offers


def _pay_on_screen(system: System, kiosk: Kiosk) -> str:
    shown = kiosk.wait_for("pay")["data"]
    code = kiosk.code_on_screen()
    paid = system.phone.pay(code, int(shown["amount_fen"]))
    return f"{paid['amount_fen'] / 100:.2f} 元"


def _pay_orders(
    system: System,
    report: Report,
    who: str,
    kiosk: Kiosk,
    card: IdCardSpec,
    total_fen: int,
    *,
    is_again: bool,
) -> None:
    before = system.bench.latest_receipt(kiosk.index)
    with report.step(who, f"自助机 {kiosk.index + 1} 缴费 orders paid at a kiosk") as notes:
        kiosk.wait_for("home")
        kiosk.touch("purpose", "pay")
        kiosk.wait_for("identify")
        system.bench.put_id_card(kiosk.index, card)
        shown = kiosk.wait_for("confirm_person", "confirm_due", "due")
        system.bench.lift_id_card(kiosk.index)
        if shown["name"] == "confirm_person":
            kiosk.touch("confirm_person")
            shown = kiosk.wait_for("confirm_due", "due")
        if shown["name"] == "due":
            bills = shown["data"]["invoices"]
            ours = [bill for bill in bills if bill["total_fen"] == total_fen] or bills
            kiosk.touch("invoice", ours[-1]["id"])
            shown = kiosk.wait_for("confirm_due")
        due = shown["data"]["invoice"]["total_fen"]
        if due != total_fen and is_again:
            return  # the orders are paid, and something else is left: a place held in an earlier try
        if due != total_fen:
            raise StepFailed(f"the kiosk asks for {due} fen, the doctor ordered {total_fen}")
        kiosk.touch("pay")
        notes.append(_pay_on_screen(system, kiosk))
    with report.step(who, "打印缴费凭条 receipt printed"):
        kiosk.wait_for("done", seconds=60)
        system.bench.wait_for_receipt(kiosk.index, before["id"] if before else None)


def _leave(system: System, kiosk: Kiosk) -> None:
    """Take the card, leave the screen at home, and let the next person come; to a kiosk that works again."""
    ends = time.monotonic() + system.patience.kiosk_wait
    try:
        while True:
            try:
                system.bench.lift_id_card(kiosk.index)
                kiosk.go_home()
                return
            except (StepFailed, OSError):
                if time.monotonic() > ends:
                    raise
                time.sleep(system.patience.pause)
    finally:
        system.kiosks.put(kiosk)


def _phone_state(page: str, number: str) -> tuple[str, str]:
    state = re.search(r'data-state="([a-z]+)"', page)
    if state is None or number not in page:
        raise StepFailed(f"the phone's page does not show {number}")
    ahead = re.search(r"data-ahead>\s*(\d+)", page)
    return state.group(1), ahead.group(1) if ahead else ""


def _is_owing(page: str) -> bool:
    return 'class="h-total"' in page


def _wait_until_done(system: System, ticket: Ticket) -> str:
    ends = time.monotonic() + system.patience.phone_wait
    while True:
        page = system.phone.open(ticket.url)
        state, _ahead = _phone_state(page, ticket.number)
        is_owing = _is_owing(page)
        # In bad weather a place held in an earlier try may still wait to lapse; the orders are paid, as the kiosk said.
        if state == "done" and (not is_owing or system.patience.tries > 1):
            return f"{ticket.number} {state}"
        if time.monotonic() > ends:
            raise StepFailed(f"the phone still shows {state}{', with a bill' if is_owing else ''}")
        time.sleep(0.3)

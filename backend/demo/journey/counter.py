"""The registrar's counter over staff HTTP: a visit booked ahead, paid with two tenders, cancelled, and given back.

Every step looks at the patient's page first and does what it asks for next, so that one lost answer changes nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
import time
from dataclasses import dataclass, field

import requests

from backend.demo.id_cards import IdCardSpec
from backend.demo.journey.desk import StaffBrowser, attribute
from backend.demo.journey.wires import Phone, StepFailed, code_in_svg

DESK = "/backoffice/front-desk"
DAYS_AHEAD = 7
CASH_PART_FEN = 300
PATIENCE = 60.0
LOOK_EVERY = 0.5


@dataclass
class Counter:
    """One counter; one thing is done at it at a time."""

    browser: StaffBrowser
    phone: Phone
    today: dt.date
    lock: threading.Lock = field(default_factory=threading.Lock)

    def visit_ahead(self, card: IdCardSpec, *, is_stubborn: bool = False) -> str:
        """Book a coming day, pay in cash and by phone, cancel, and wait until all of it is back; what was done."""
        ends = time.monotonic() + PATIENCE * (4 if is_stubborn else 1)
        errand = Errand()
        while True:
            try:
                # Others are served while this one waits for money to come back.
                with self.lock:
                    is_over = self._next(card, errand)
                if is_over:
                    return errand.words
            except (StepFailed, requests.RequestException):
                if not is_stubborn:
                    raise
            if time.monotonic() > ends:
                raise StepFailed(f"the counter got no further than: {errand.words or 'nothing'}")
            time.sleep(LOOK_EVERY)

    def _next(self, card: IdCardSpec, errand: Errand) -> bool:
        """Do the next thing; True once nothing is left to do."""
        if not errand.patient:
            found = self.browser.send(DESK, q=card.number)
            link = re.search(rf'href="({DESK}/patients/[0-9a-f-]{{36}})"', found)
            if link is None:
                raise StepFailed("the counter does not find the patient by the ID number")
            errand.patient = link[1]
        page = self.browser.page(errand.patient)
        if not errand.visit:
            return self._book(page, errand)
        stage = _stage_of(page, errand.visit)
        if stage == "to_pay":
            return self._pay(page, errand)
        if stage == "booked":
            path = f"{errand.patient}/appointments/{errand.visit}/refund"
            self.browser.send(path, _key=errand.key("refund"), reason="患者改期")
            errand.note("退号 cancelled")
            return False
        if stage == "cancelled":
            return self._is_given_back(errand)
        raise StepFailed(f"the visit booked ahead is {stage or 'not on the page'}")

    def _book(self, page: str, errand: Errand) -> bool:
        if errand.known is None:
            errand.known = _visits(page)
        day = self.today + dt.timedelta(days=1 + errand.days_tried % DAYS_AHEAD)
        offered = self.browser.fragment(f"{errand.patient}/bookable", day=day.isoformat())
        schedule = attribute_value(offered, "schedule_id")
        if not schedule:
            errand.days_tried += 1
            if errand.days_tried >= DAYS_AHEAD:
                raise StepFailed(f"no session of the next {DAYS_AHEAD} days has a place left")
            return False
        path = f"{errand.patient}/appointments"
        after = self.browser.send(path, _key=errand.key(f"book-{day}"), schedule_id=schedule)
        booked = [visit for visit in _visits(after) if visit not in errand.known]
        if not booked:
            raise StepFailed("the page shows no new visit after booking")
        errand.visit = booked[0]
        errand.note(f"预约 {day:%m-%d} booked ahead")
        return False

    def _pay(self, page: str, errand: Errand) -> bool:
        if 'class="xl-qr"' in page:
            self._scan(page, errand)
            return False
        bill, due_fen = re.search(r'id="bill-([0-9a-f-]{36})"', page), attribute(page, "due-fen")
        if bill is None or not due_fen.isdecimal():
            raise StepFailed("the page asks for no money for the visit booked ahead")
        path = f"{errand.patient}/invoices/{bill[1]}"
        if errand.cash_fen == 0:
            errand.cash_fen = CASH_PART_FEN
            self.browser.send(
                f"{path}/cash",
                _key=errand.key("cash"),
                received="5",
                part=f"{CASH_PART_FEN / 100:.2f}",
            )
            errand.note(f"现金 {CASH_PART_FEN / 100:.2f} cash")
            return False
        self.browser.send(f"{path}/qr", _key=errand.key("qr"), amount_fen=due_fen)
        return False

    def _scan(self, page: str, errand: Errand) -> None:
        """Scan the code once it is shown, and pay what is asked."""
        picture = re.search(r'<img src="(data:image/svg[^"]+)"', page)
        amount = re.search(r'class="xl-qr-amount">\D*(\d+)\.(\d\d)', page)
        if picture is None or amount is None or errand.code:
            return  # the platform has not given the code yet, or the page has not heard of the payment
        code = code_in_svg(picture[1])
        paid = self.phone.pay(code, int(amount[1] + amount[2]))
        errand.code = code
        errand.qr_fen = int(paid["amount_fen"])
        errand.note(f"扫码 {errand.qr_fen / 100:.2f} QR")

    def _is_given_back(self, errand: Errand) -> bool:
        if errand.code and self.phone.refunded_fen(errand.code) != errand.qr_fen:
            return False
        errand.note("原路退回 given back")
        return True


@dataclass
class Errand:
    """How far one patient's business at the counter has come."""

    patient: str = ""
    visit: str = ""
    #: The visits that were on the page before anything was booked here.
    known: list[str] | None = None
    days_tried: int = 0
    cash_fen: int = 0
    qr_fen: int = 0
    code: str = ""
    done: list[str] = field(default_factory=list)

    def key(self, what: str) -> str:
        """The form's key: the same for the same act, however often it is sent."""
        return f"journey-{self.patient[-36:]}-{self.visit}-{what}"

    def note(self, words: str) -> None:
        """Remember what was done."""
        self.done.append(words)

    @property
    def words(self) -> str:
        """What was done, in order."""
        return " → ".join(self.done)


def attribute_value(fragment: str, name: str) -> str:
    """The value of the first input of that name; empty when there is none."""
    found = re.search(rf'name="{name}" value="([^"]*)"', fragment)
    return found[1] if found else ""


def _visits(page: str) -> list[str]:
    return re.findall(r'id="visit-([0-9a-f-]{36})"', page)


def _stage_of(page: str, visit: str) -> str:
    found = re.search(rf'id="visit-{visit}" data-stage="([a-z_]+)"', page)
    return found[1] if found else ""

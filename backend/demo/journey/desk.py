"""Doctors at their workstations, over staff HTTP: log in, call, see whoever comes, write, order, finish."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field

import requests

from backend.demo import dataset
from backend.demo.journey.hall import HallScreens
from backend.demo.journey.wires import TIMEOUT, StepFailed, must, session

DIAGNOSIS = "C50.9"
DRUG = "昂丹司琼"
LABORATORY = "血常规"
PAGE = "/backoffice/workstation"
CALL_EVERY = 0.3
PATIENCE = 180


@dataclass(frozen=True)
class Seen:
    """What happened in the room for one ticket."""

    number: str
    room: str
    total_fen: int


class StaffBrowser:
    """A browser of a member of staff: keeps the session and the form token."""

    def __init__(self, base_url: str, username: str, password: str) -> None:
        self._base = base_url
        self._http: requests.Session = session()
        form = must(self._http.get(f"{base_url}/login", timeout=TIMEOUT), 200).text
        self._token = _token_of(form)
        answer = self._http.post(
            f"{base_url}/login",
            data={"username": username, "password": password, "csrf_token": self._token},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        must(answer, 302, 303)
        self._token = _token_of(self.page("/backoffice/"))

    def page(self, path: str) -> str:
        """A whole page."""
        return must(self._http.get(self._base + path, timeout=TIMEOUT), 200).text

    def fragment(self, path: str, **query: str) -> str:
        """What htmx gets for a part of a page."""
        answer = self._http.get(
            self._base + path, params=query, headers={"HX-Request": "true"}, timeout=TIMEOUT
        )
        return must(answer, 200, 204).text

    def send(self, path: str, **fields: str) -> str:
        """Submit a form as htmx does; the fragment that comes back."""
        answer = self._http.post(
            self._base + path,
            data={**fields, "csrf_token": self._token},
            headers={"HX-Request": "true", "X-CSRFToken": self._token},
            timeout=TIMEOUT,
        )
        return must(answer, 200).text


def _token_of(page: str) -> str:
    found = re.search(r'name="csrf[-_]token"\s+(?:content|value)="([^"]+)"', page)
    if found is None:
        raise StepFailed("the page carries no form token")
    return found.group(1)


def attribute(fragment: str, name: str) -> str:
    """The first value of a data attribute; empty when it is not there."""
    found = re.search(rf'data-{name}="([^"]*)"', fragment)
    return found.group(1) if found else ""


@dataclass
class Desk:
    """One doctor's workstation; one thread at a time works it."""

    browser: StaffBrowser
    screens: HallScreens
    lock: threading.Lock = field(default_factory=threading.Lock)
    seen: dict[str, Seen] = field(default_factory=dict)
    room_id: str = ""
    #: Finished as far as we know, but the answer was lost: the next look tells.
    unsure: Seen | None = None

    def see_next(self) -> bool:
        """Call the next patient and see them to the end; False when nobody waits."""
        page = self.browser.page(PAGE)
        if not self.room_id:
            self.room_id = self._choose_room(page)
        number, state = attribute(page, "ticket-number"), attribute(page, "ticket-state")
        if self.unsure is not None and self.unsure.number != number:
            self.seen[self.unsure.number] = self.unsure
        self.unsure = None
        if not number:
            if attribute(page, "waiting") in ("", "0"):
                return False
            page = self.browser.send(f"{PAGE}/call-next", room_id=self.room_id)
            number, state = attribute(page, "ticket-number"), attribute(page, "ticket-state")
            if not number:
                return False
        ticket_id = attribute(page, "ticket-id")
        if state == "called":
            call = self.screens.wait_for_call(number)
            page = self.browser.send(f"{PAGE}/tickets/{ticket_id}/start")
        else:
            call = {"room": ""}
        self.seen[number] = self._see(number, str(call["room"]), page)
        return True

    def _choose_room(self, page: str) -> str:
        rooms = re.search(r'<select[^>]*id="room".*?</select>', page, re.S)
        options = re.findall(
            r'<option value="([0-9a-f-]{36})"( selected)?', rooms.group(0) if rooms else ""
        )
        if not options:
            raise StepFailed("the workstation offers no room")
        chosen = [value for value, mark in options if mark]
        return str((chosen or [options[0][0]])[0])

    def _see(self, number: str, room: str, page: str) -> Seen:
        encounter = f"{PAGE}/encounters/{attribute(page, 'encounter-id')}"
        self.browser.send(
            f"{encounter}/note",
            version=attribute(page, "version"),
            complaint="发现乳房肿块2周",
            history="既往体健，无药物过敏史。",
            examination="一般情况好，心肺听诊未见异常。",
        )
        # After a page that was lost the orders may be there already: nobody wants them twice.
        total = attribute(page, "total-fen")
        if not total.isdigit() or int(total) == 0:
            total = self._order(encounter)
        if not total.isdigit() or int(total) == 0:
            raise StepFailed(f"the record's total reads {total!r}")
        seen = Seen(number, room, int(total))
        self.unsure = seen
        done = self.browser.send(f"{encounter}/finish")
        if not attribute(done, "finished-encounter-id"):
            raise StepFailed(f"the visit of {number} could not be finished")
        self.unsure = None
        return seen

    def _order(self, encounter: str) -> str:
        """A diagnosis, a drug and a laboratory test; what the record then totals."""
        code = self._first_option("diagnoses", DIAGNOSIS)
        self.browser.send(f"{encounter}/diagnoses", code=code)
        drug = self._first_option("drugs", DRUG)
        self.browser.send(f"{encounter}/drugs", code=drug, quantity="2")
        test = self._first_option("laboratory", LABORATORY)
        record = self.browser.send(f"{encounter}/laboratory", code=test)
        return attribute(record, "total-fen")

    def _first_option(self, catalogue: str, words: str) -> str:
        options = self.browser.fragment(f"{PAGE}/search/{catalogue}", q=words)
        value = attribute(options, "value")
        if not value:
            raise StepFailed(f"the {catalogue} search finds nothing for {words}")
        return value


class Desks:
    """The workstations of a running hospital, opened when a patient needs one."""

    def __init__(self, base_url: str, password: str) -> None:
        self._base, self._password = base_url, password
        self._lock = threading.Lock()
        self._desks: dict[str, Desk] = {}
        self._nurse: StaffBrowser | None = None
        self._screens = HallScreens(base_url)
        #: In bad weather a page that fails is loaded again, whatever it said.
        self.is_stubborn = False

    def see(self, practitioner: str, department: str, number: str) -> Seen:
        """Have the named doctor see patients until ``number`` has been seen."""
        patience = PATIENCE * (4 if self.is_stubborn else 1)
        ends = time.monotonic() + patience
        desk = self._open_desk(practitioner, department, ends)
        while time.monotonic() < ends:
            with desk.lock:
                if number in desk.seen:
                    return desk.seen.pop(number)
                try:
                    worked = desk.see_next()
                except (StepFailed, requests.RequestException) as trouble:
                    if not self.is_stubborn and not isinstance(trouble, requests.ConnectionError):
                        raise
                    worked = False  # a server went away under the page: the doctor loads it again
                if number in desk.seen:
                    return desk.seen.pop(number)
            if not worked:
                time.sleep(CALL_EVERY)
        raise StepFailed(f"{practitioner} did not get to {number} within {patience} s")

    def close(self) -> None:
        """End what was opened."""
        self._screens.close()

    def _open_desk(self, practitioner: str, department: str, ends: float) -> Desk:
        while True:
            try:
                return self._desk_of(practitioner, department)
            except (StepFailed, requests.RequestException):
                if not self.is_stubborn or time.monotonic() > ends:
                    raise
                time.sleep(1)

    def _desk_of(self, practitioner: str, department: str) -> Desk:
        username = _username(practitioner, department)
        with self._lock:
            if self._nurse is None:
                self._nurse = StaffBrowser(self._base, "triage", self._password)
            if username not in self._desks:
                browser = StaffBrowser(self._base, username, self._password)
                self._watch_hall(self._nurse, attribute(browser.page(PAGE), "queue-id"))
                self._desks[username] = Desk(browser, self._screens)
            return self._desks[username]

    def _watch_hall(self, nurse: StaffBrowser, queue_id: str) -> None:
        """Open the screen of the queue's hall by the link the triage nurse has."""
        link = re.search(
            r'href="(/screens/[^"?]+)"', nurse.page(f"/backoffice/queues?queue={queue_id}")
        )
        if link is None:
            raise StepFailed("the triage page has no link to the hall's screen")
        self._screens.watch(link.group(1))


def _username(practitioner: str, department: str) -> str:
    """The account of a doctor by name; ``department`` may be unknown (empty)."""
    data = dataset.load()
    codes = {row.name: row.code for row in data.departments}
    wanted = {codes[department]} if department else set(codes.values())
    for person in data.staff:
        if person.name == practitioner and person.department_code in wanted:
            for account in data.accounts:
                if account.staff_code == person.code and account.role == "doctor":
                    return account.username
    raise StepFailed(f"{practitioner} of {department} has no account")

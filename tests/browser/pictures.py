"""`make pictures`: pictures of every surface in docs/pictures, at true size, from the running demo.

Patients are taken through the demo as `xinglin journey` does it, and each surface is photographed at the moment that
shows what it is for. Everything is on loopback at the addresses of XINGLIN_PORT_BASE.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import requests
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from backend.demo import people
from backend.demo.dataset import DEMO_PASSWORD
from backend.demo.id_cards import IdCardSpec, id_card_of
from backend.demo.journey.desk import DIAGNOSIS, DRUG, LABORATORY, PAGE, StaffBrowser, attribute
from backend.demo.journey.desk import _username as username_of
from backend.demo.journey.wires import Bench, Kiosk, Phone, StepFailed, must, read_codes, session
from backend.kernel.clock import SHANGHAI
from backend.settings import Settings
from tests.browser.office_pictures import EXAMINATIONS, take_office_pictures
from tests.services.browser import running_chromium

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
#: Years: far from the age at which a queue lets one go first.
OLD = 60
KIOSK = {"width": 1080, "height": 1920}
SCREEN = {"width": 1920, "height": 1080}
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PATIENTS = 4
#: Whose doctor is photographed, if one sits now: their hall shows two departments.
DEPARTMENTS = ("乳腺外科", "胸外科", "胃肠外科", "肝胆胰外科", "泌尿肿瘤外科")
SETTLED_MS = 700


@dataclass
class Visit:
    """A booked patient: the ticket, its address, and who will see them."""

    number: str
    url: str
    practitioner: str
    department: str


class Album:
    """Takes pictures and keeps them small."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    def take(self, name: str, page: Page) -> None:
        """The page as it is on its screen, once it stands still."""
        page.wait_for_timeout(SETTLED_MS)
        self.keep(name, page.screenshot(animations="disabled"))

    def keep(self, name: str, picture: bytes) -> None:
        """Store a picture with a palette: a fifth of the size, the same to the eye."""
        image = Image.open(io.BytesIO(picture)).convert("RGB")
        small = image.quantize(128, dither=Image.Dither.NONE)
        path = self._folder / f"{name}.png"
        small.save(path, optimize=True)
        print(f"{path.name:28} {image.width}×{image.height}  {path.stat().st_size // 1024} kB")


class Tour:
    """One walk through the running demo."""

    def __init__(self, browser: Browser, base: int, album: Album) -> None:
        self.browser, self.album = browser, album
        self.backend = f"http://127.0.0.1:{base}"
        self.sandbox = f"http://127.0.0.1:{base + 20}"
        self.bench = Bench(f"http://127.0.0.1:{base + 30}")
        self.kiosk = Kiosk(0, f"http://127.0.0.1:{base + 10}")
        self.phone = Phone(self.sandbox)
        today = dt.datetime.now(SHANGHAI).date()
        # Other people at every run, all of them of a believable age.
        seed = today - dt.timedelta(days=int(time.time()) % 7000)
        # None so old that the queue lets her go first: the last to come is the last to be called.
        crowd = [
            person
            for person in people.walk_ins(seed, PATIENTS * 9)
            if person.gb_sex == "2" and today.year - person.birth_date.year < OLD
        ]
        self.cards = [id_card_of(person, today) for person in crowd[:PATIENTS]]
        self.examined = ""
        #: Where the first went: late in the day others may have fewer places than we have patients.
        self.department = self.schedule = ""

    def run(self) -> None:
        """Every picture."""
        with self._page(KIOSK, self.kiosk.url) as glass:
            first = self._book(self.cards[0], glass)
            others = [self._book(card, None) for card in self.cards[1:]]
            self._problem(glass)
        self._workstation([first, *others])
        self._backoffice()
        take_office_pictures(
            self.backend, self._logged_in, self.album.take, self.examined, self.cards
        )
        with self._page(DESKTOP, f"{self.bench.url}/") as page:
            self.album.take("bench", page)

    # The kiosk

    def _book(self, card: IdCardSpec, glass: Page | None) -> Visit:
        """One patient from the home screen to the ticket; photographed when there is a ``glass``."""

        def take(name: str, screen: str) -> None:
            if glass is not None:
                glass.wait_for_selector(f'[data-screen="{screen}"]')
                self.album.take(f"kiosk-{name}", glass)

        kiosk, before = self.kiosk, self.bench.latest_receipt(0)
        kiosk.go_home()
        take("home", "home")
        kiosk.touch("purpose", "visit")
        kiosk.wait_for("identify")
        take("identify", "identify")
        self.bench.put_id_card(0, card)
        kiosk.wait_for("confirm_person")
        take("person", "confirm_person")
        self.bench.lift_id_card(0)
        kiosk.touch("confirm_person")
        departments = kiosk.wait_for("departments")["data"]["departments"]
        take("departments", "departments")
        if not self.department:
            open_now = {d["name"]: d for d in departments if int(d["free_count"]) >= PATIENTS}
            wanted = [open_now[name] for name in DEPARTMENTS if name in open_now]
            self.department = (wanted or list(open_now.values()))[0]["id"]
        kiosk.touch("department", self.department)
        doctors = kiosk.wait_for("schedules")["data"]["schedules"]
        take("doctors", "schedules")
        if not self.schedule:
            self.schedule = max(doctors, key=lambda doctor: int(doctor["free_count"]))["id"]
        kiosk.touch("schedule", self.schedule)
        kiosk.wait_for("confirm_booking")
        take("confirm", "confirm_booking")
        kiosk.touch("book")
        due = int(kiosk.wait_for("pay")["data"]["amount_fen"])
        code = kiosk.code_on_screen()
        take("pay", "pay")
        if glass is not None:
            self._sandbox_phone(code)
        self.phone.pay(code, due)
        done = kiosk.wait_for("done", seconds=60)["data"]
        take("ticket", "done")
        receipt = self.bench.wait_for_receipt(0, before["id"] if before else None)
        paper = self.bench.picture(receipt)
        if glass is not None:
            self.album.keep("receipt", paper)
        link = next(text for text in read_codes(paper) if "/t/" in text)
        kiosk.go_home()
        return Visit(
            done["ticket"]["number"], link, done["practitioner_name"], done["department_name"]
        )

    def _problem(self, glass: Page) -> None:
        """An expired card, and the printer without paper."""
        expired = replace(
            self.cards[0], valid_from=dt.date(2005, 6, 1), valid_until=dt.date(2025, 6, 1)
        )
        self.kiosk.touch("purpose", "visit")
        self.kiosk.wait_for("identify")
        self.bench.put_id_card(0, expired)
        self.kiosk.wait_for("problem")
        glass.wait_for_selector('[data-screen="problem"]')
        self.album.take("kiosk-problem", glass)
        self.bench.lift_id_card(0)
        self.kiosk.go_home()

    def _sandbox_phone(self, code: str) -> None:
        """The phone that is about to pay."""
        token = code.rpartition("pr=")[2] or code.rpartition("/")[2]
        with self._page(DESKTOP, f"{self.sandbox}/phone") as page:
            with suppress(StepFailed):
                must(requests.get(f"{self.sandbox}/phone/order/{token}", timeout=5), 200)
                page.goto(f"{self.sandbox}/phone/order/{token}")
            self.album.take("sandbox-phone", page)

    # The doctor, the hall, the phone

    def _workstation(self, visits: list[Visit]) -> None:
        """The doctor sees the patients one after the other; the last one's phone and the hall look on."""
        last = visits[-1]
        username = username_of(last.practitioner, last.department)
        doctor = StaffBrowser(self.backend, username, DEMO_PASSWORD)
        nurse = StaffBrowser(self.backend, "triage", DEMO_PASSWORD)
        queue_id = attribute(doctor.page(PAGE), "queue-id")
        board = f"/backoffice/queues?queue={queue_id}"
        hall = re.search(r'href="(/screens/[^"?]+)"', nurse.page(board))
        if hall is None:
            raise StepFailed("the triage page has no link to the hall's screen")
        with (
            self._page(SCREEN, self.backend + hall.group(1)) as screen,
            self._page(PHONE, last.url) as phone,
        ):
            self.album.take("phone-ticket", phone)
            for visit in visits[:-1]:
                desk = self._call(doctor, doctor.page(PAGE))
                if visit is visits[1]:
                    with self._logged_in("triage") as context:
                        self._shoot(context, "triage", board)
                encounter = self._write(doctor, self._start(doctor, desk))
                if visit is visits[1]:
                    with self._logged_in(username) as context:
                        self._shoot(context, "workstation", PAGE)
                doctor.send(f"{encounter}/finish")
            desk = self._call(doctor, doctor.page(PAGE))
            phone.wait_for_selector('[data-state="called"]')
            self.album.take("phone-called", phone)
            self.album.take("hall-screen", screen)
        # Nobody is left before the doctor: others come after us.
        doctor.send(f"{self._write(doctor, self._start(doctor, desk))}/finish")

    def _shoot(self, context: BrowserContext, name: str, path: str) -> None:
        page = context.new_page()
        page.goto(self.backend + path)
        self.album.take(name, page)

    def _call(self, doctor: StaffBrowser, desk: str) -> str:
        """Call the next patient; the desk afterwards."""
        if attribute(desk, "ticket-number"):
            return desk
        rooms = re.search(r'<select[^>]*id="room".*?</select>', desk, re.S)
        options = re.findall(
            r'<option value="([0-9a-f-]{36})"( selected)?', rooms.group(0) if rooms else ""
        )
        chosen = [value for value, mark in options if mark] or [value for value, _ in options]
        return doctor.send(f"{PAGE}/call-next", room_id=chosen[0])

    def _start(self, doctor: StaffBrowser, desk: str) -> str:
        """The one who was called comes in; the desk afterwards."""
        return doctor.send(f"{PAGE}/tickets/{attribute(desk, 'ticket-id')}/start")

    def _write(self, doctor: StaffBrowser, desk: str) -> str:
        """A note, a diagnosis, a drug and a laboratory order; the encounter's address."""
        encounter = f"{PAGE}/encounters/{attribute(desk, 'encounter-id')}"
        doctor.send(
            f"{encounter}/note",
            version=attribute(desk, "version"),
            complaint="发现右乳肿块 2 周",
            history="2 周前洗澡时偶然触及右乳外上象限肿块，无疼痛，无乳头溢液。既往体健。",
            examination="右乳外上象限可触及约 1.5 cm 肿块，质硬，活动度差；腋窝未触及肿大淋巴结。",
        )
        for catalogue, words, path in (
            ("diagnoses", DIAGNOSIS, "diagnoses"),
            ("drugs", DRUG, "drugs"),
            ("laboratory", LABORATORY, "laboratory"),
        ):
            found = doctor.fragment(f"{PAGE}/search/{catalogue}", q=words)
            fields = {"code": attribute(found, "value")}
            if path == "drugs":
                fields["quantity"] = "2"
            doctor.send(f"{encounter}/{path}", **fields)
        for code in EXAMINATIONS:
            doctor.send(f"{encounter}/examinations", code=code)
        return encounter

    # The back office

    def _backoffice(self) -> None:
        with self._page(DESKTOP, f"{self.backend}/login") as page:
            self.album.take("login", page)
        surname = self.cards[0].name[:1]
        pages = {
            "registrar": {
                "home": "/backoffice/",
                "prices": "/backoffice/prices",
                "rooms": "/backoffice/rooms",
            },
            "scheduler": {"schedules": "/backoffice/schedules"},
            "device": {"fleet": "/backoffice/kiosks"},
            "auditor": {"audit": "/backoffice/audit"},
            "admin": {"accounts": "/backoffice/accounts", "staff": "/backoffice/staff"},
        }
        for username, shown in pages.items():
            with self._logged_in(username) as context:
                for name, path in shown.items():
                    self._shoot(context, name, path)
                if username == "registrar":
                    self._front_desk(context.new_page(), surname)

    def _front_desk(self, page: Page, surname: str) -> None:
        """Those of a name, and the page of the first patient of today: a number that is found opens it."""
        page.goto(f"{self.backend}/backoffice/front-desk")
        page.locator("[data-search]").fill(surname)
        page.locator("[data-item]").first.wait_for()
        self.album.take("front-desk-search", page)
        page.locator("[data-search]").fill(self.cards[0].number)
        page.keyboard.press("Enter")
        page.wait_for_url("**/front-desk/patients/**")
        self.examined = page.url.rpartition("/")[2]
        self.album.take("front-desk", page)

    @contextmanager
    def _page(self, size: dict[str, int], url: str) -> Iterator[Page]:
        with self._context(size) as context:
            page = context.new_page()
            page.goto(url)
            yield page

    @contextmanager
    def _logged_in(self, username: str) -> Iterator[BrowserContext]:
        with self._context(DESKTOP) as context:
            page = context.new_page()
            page.goto(f"{self.backend}/login")
            page.fill('[name="username"]', username)
            page.fill('[name="password"]', DEMO_PASSWORD)
            page.locator("form button[type=submit]").first.click()
            page.wait_for_url("**/backoffice/**")
            page.close()
            yield context

    @contextmanager
    def _context(self, size: dict[str, int]) -> Iterator[BrowserContext]:
        context = self.browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        context.set_default_timeout(20_000)
        try:
            yield context
        finally:
            context.close()


def main() -> int:
    """Take every picture; 1 with a sentence when no demo runs."""
    base = Settings().port_base
    try:
        must(session().get(f"http://127.0.0.1:{base}/readyz", timeout=5), 200)
        must(session().get(f"http://127.0.0.1:{base + 30}/healthz", timeout=5), 200)
    except (requests.RequestException, StepFailed):
        print(
            f"no demo runs on the ports from {base}: start it with `make run` in another terminal\n"
            "(XINGLIN_PORT_BASE says where it runs when it is not at 8000)"
        )
        return 1
    with running_chromium() as browser:
        Tour(browser, base, Album(FOLDER)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())

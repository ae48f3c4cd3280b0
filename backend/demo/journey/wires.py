"""The HTTP clients of a journey: the device bench, a kiosk's touch screen, the sandbox phone."""

from __future__ import annotations

import io
import re
import time
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import unquote

import requests
from PIL import Image, ImageDraw

from backend.demo.id_cards import IdCardSpec

TIMEOUT = 15
POLL = 0.2
#: Dots a module of a code is drawn with.
MODULE = 6


class StepFailed(Exception):
    """A step did not do what it should; the text says what was seen instead."""


def session() -> requests.Session:
    """A session that ignores the machine's proxies: everything is on loopback."""
    made = requests.Session()
    made.trust_env = False
    return made


def must(response: requests.Response, *statuses: int) -> requests.Response:
    """The response, or StepFailed with what came instead."""
    if response.status_code not in (statuses or (200, 201, 202, 204)):
        body = response.text[:300].replace("\n", " ")
        raise StepFailed(
            f"{response.request.method} {response.url} answered {response.status_code}: {body}"
        )
    return response


def read_codes(picture: bytes) -> list[str]:
    """Every QR code in a picture, by zbar."""
    from pyzbar import pyzbar

    image = Image.open(io.BytesIO(picture)).convert("L")
    found = pyzbar.decode(image, symbols=[pyzbar.ZBarSymbol.QRCODE])
    return [code.data.decode("utf-8") for code in found]


def code_in_svg(uri: str) -> str:
    """The QR code in an SVG data image as segno draws it (one stroked line a row of modules), read as a picture."""
    svg = unquote(uri)
    side, path = re.search(r"width='(\d+)'", svg), re.search(r" d='([^']+)'", svg)
    if side is None or path is None:
        raise StepFailed("the page's code is no picture of a code")
    image = Image.new("L", (int(side[1]) * MODULE, int(side[1]) * MODULE), 255)
    draw = ImageDraw.Draw(image)
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", path[1]):
        values = [float(number) for number in numbers.split()]
        if command == "h":
            box = [x * MODULE, (y - 0.5) * MODULE]
            draw.rectangle([*box, (x + values[0]) * MODULE - 1, (y + 0.5) * MODULE - 1], fill=0)
            x += values[0]
        else:
            x, y = (x, y) if command == "m" else (0.0, 0.0)
            x, y = x + values[0], y + values[1]
    picture = io.BytesIO()
    image.save(picture, "PNG")
    codes = read_codes(picture.getvalue())
    if not codes:
        raise StepFailed("the code on the page cannot be read")
    return codes[0]


@dataclass
class Bench:
    """The hands at the kiosks' devices."""

    url: str
    http: requests.Session = field(default_factory=session)

    def _at(self, kiosk: int, path: str) -> str:
        return f"{self.url}/api/kiosks/{kiosk}/{path}"

    def put_id_card(self, kiosk: int, card: IdCardSpec) -> None:
        """Lay an ID card on the reader."""
        body = {key: _plain(value) for key, value in asdict(card).items()}
        must(self.http.put(self._at(kiosk, "id-card"), json=body, timeout=TIMEOUT))

    def lift_id_card(self, kiosk: int) -> None:
        """Take it away again."""
        must(self.http.delete(self._at(kiosk, "id-card"), timeout=TIMEOUT))

    def latest_receipt(self, kiosk: int) -> dict[str, Any] | None:
        """The newest receipt the printer let out."""
        answer = must(self.http.get(self._at(kiosk, "receipts"), timeout=TIMEOUT)).json()
        newest: dict[str, Any] | None = answer[0] if answer else None
        return newest

    def picture(self, receipt: dict[str, Any]) -> bytes:
        """How the receipt looks."""
        return must(self.http.get(self.url + receipt["image_url"], timeout=TIMEOUT)).content

    def wait_for_receipt(self, kiosk: int, after: object, seconds: float = 20) -> dict[str, Any]:
        """The first complete receipt newer than ``after``."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            newest = self.latest_receipt(kiosk)
            if newest is not None and newest["id"] != after and newest.get("complete", True):
                return newest
            time.sleep(POLL)
        raise StepFailed(f"no receipt came out of kiosk {kiosk + 1} within {seconds:.0f} s")


def _plain(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else value


Screen = dict[str, Any]


@dataclass
class Kiosk:
    """The touch screen of one kiosk: sees the screen, touches buttons."""

    index: int
    url: str
    http: requests.Session = field(default_factory=session)

    def screen(self) -> Screen:
        """What is shown now."""
        answer: Screen = must(self.http.get(f"{self.url}/api/screen", timeout=TIMEOUT)).json()
        return answer

    def wait_for(self, *names: str, seconds: float = 30) -> Screen:
        """The screen once it has one of ``names``; StepFailed on a problem screen or when time is over."""
        ends = time.monotonic() + seconds
        shown = self.screen()
        while shown["name"] not in names:
            if shown["name"] in ("problem", "out_of_service") and shown["name"] not in names:
                raise StepFailed(f"the kiosk shows: {shown['title']} / {shown['lead']}")
            left = ends - time.monotonic()
            if left <= 0:
                raise StepFailed(
                    f"the kiosk shows {shown['name']} ({shown['title']}), not {' or '.join(names)}"
                )
            query = {"after": shown["no"], "wait": min(left, 10)}
            answer = self.http.get(f"{self.url}/api/screen", params=query, timeout=TIMEOUT + 10)
            shown = must(answer).json()
        return shown

    def touch(self, action: str, value: str = "") -> Screen:
        """Touch a button of the screen that is shown; a screen that changed meanwhile is looked at again."""
        for _try in range(5):
            shown = self.screen()
            body = {"no": shown["no"], "action": action, "value": value}
            answer = self.http.post(f"{self.url}/api/actions", json=body, timeout=TIMEOUT)
            if answer.status_code == requests.codes.conflict:
                continue
            touched: Screen = must(answer, 200).json()
            return touched
        raise StepFailed(f"the screen kept changing while {action} was touched")

    def code_on_screen(self, seconds: float = 20) -> str:
        """What the QR code on the screen says, read from its picture."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            answer = self.http.get(f"{self.url}/api/qr.png", timeout=TIMEOUT)
            if answer.status_code == requests.codes.ok:
                codes = read_codes(answer.content)
                if codes:
                    return codes[0]
            time.sleep(POLL)
        raise StepFailed("no readable code appeared on the kiosk's screen")

    def go_home(self) -> None:
        """Leave the kiosk as one found it."""
        ends = time.monotonic() + 40
        while time.monotonic() < ends:
            shown = self.screen()
            if shown["name"] == "home":
                return
            offered = {action["id"] for action in shown["actions"]}
            way = next((a for a in ("finish", "home", "cancel_payment") if a in offered), None)
            if way is not None:
                self.http.post(
                    f"{self.url}/api/actions",
                    json={"no": shown["no"], "action": way, "value": ""},
                    timeout=TIMEOUT,
                )
            time.sleep(POLL)
        raise StepFailed(f"kiosk {self.index + 1} did not come back to its home screen")


@dataclass
class Phone:
    """The patient's phone: scans payment codes and opens links."""

    sandbox_url: str
    http: requests.Session = field(default_factory=session)

    def pay(self, code_url: str, amount_fen: int) -> dict[str, Any]:
        """Scan a payment code, compare the amount with the one shown, pay."""
        look = must(
            self.http.post(
                f"{self.sandbox_url}/phone/look", json={"code_url": code_url}, timeout=TIMEOUT
            )
        ).json()
        if look["amount_fen"] != amount_fen:
            raise StepFailed(f"the phone shows {look['amount_fen']} fen, the kiosk {amount_fen}")
        answer = must(
            self.http.post(
                f"{self.sandbox_url}/phone/pay", json={"code_url": code_url}, timeout=TIMEOUT
            )
        )
        paid: dict[str, Any] = answer.json()
        if paid["state"] != "SUCCESS":
            raise StepFailed(f"the payment ended as {paid['state']}")
        return paid

    def refunded_fen(self, code_url: str) -> int:
        """How much of an order has come back, as the wallet's history shows it."""
        answer = must(self.http.get(f"{self.sandbox_url}/sandbox/orders", timeout=TIMEOUT), 200)
        orders = [row for row in answer.json()["orders"] if row["code_url"] == code_url]
        if not orders:
            raise StepFailed("the wallet knows nothing of the order")
        return int(orders[0]["refunded_fen"])

    def open(self, url: str) -> str:
        """The page behind a link, as HTML; loaded again when a server goes away under it."""
        for _try in range(5):
            try:
                return must(self.http.get(url, timeout=TIMEOUT), 200).text
            except requests.ConnectionError:
                time.sleep(1)
        raise StepFailed(f"{url} cannot be reached")

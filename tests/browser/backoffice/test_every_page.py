"""Every page there is, as its own people see it: it answers, axe finds nothing, the console is silent, nothing is wider
than the screen.

The pages come from the application's own URL map, so that a new one cannot be forgotten: what it needs in its address
must be among the examples of the demo's morning, or it fails here by name. What is a page is seen by its answer: a
whole HTML document. Parts of pages and empty answers are asked for and must be well, but are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect
from werkzeug.routing import Rule

from backend.app import create_app
from backend.demo.dataset import DEMO_PASSWORD
from backend.identity.rules import ROLE_PERMISSIONS, Role
from backend.kernel.permissions import Permission
from backend.kernel.web.access import access_of
from tests.factories.demo_morning import DOCTOR, DemoMorning, make_demo_morning
from tests.factories.serving import serving
from tests.services.browser import axe

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
HALL: ViewportSize = {"width": 1920, "height": 1080}
#: Blueprints whose pages are not made for a desk.
SCREENS = {"rush": PHONE, "ticket": PHONE, "screens": HALL}
#: The demo's account of each role.
USERNAMES = {
    Role.ADMINISTRATOR: "admin",
    Role.REGISTRAR: "registrar",
    Role.CASHIER: "cashier",
    Role.TRIAGE_NURSE: "triage",
    Role.DOCTOR: DOCTOR,
    Role.SCHEDULER: "scheduler",
    Role.DEVICE_OPERATOR: "device",
    Role.AUDITOR: "auditor",
    Role.FINANCE: "finance",
    Role.PRICE_CLERK: "pricer",
}
#: What follows the question mark, where an address needs it, or where it shows a page's other face.
QUERIES = {
    "identity.accounts": ("", "?q=nobody"),
    "organization.rooms": ("", "?q=nowhere"),
    "organization.staff": ("", "?q=nobody"),
    "prices.price_list": ("", "?q=nothing"),
    "schedules.calendar": ("", "?edit={day}"),
    "stops.stop_preview": ("?practitioner={person_id}&first={ahead}&reason=外出会诊",),
}
#: Asked by programs alone: kiosks with their credentials, supervisors.
PROGRAMS = ("kiosk_api", "health")
#: The code of the second factor is asked for after a password: tests/browser/identity.
AFTER_A_PASSWORD = "login.code"
HOME = "/backoffice/"


@dataclass(frozen=True)
class House:
    """The running application over a morning with something on every page."""

    morning: DemoMorning
    app: Flask
    url: str

    def rules(self, role: Role | None) -> list[Rule]:
        """What that role looks at (None: what anyone may), by address."""
        found = [rule for rule in asked_for(self.app) if role in looks_at(self.app, rule)]
        return sorted(found, key=lambda rule: rule.rule)

    def paths(self, rule: Rule) -> list[str]:
        """Its address, or addresses, with an example for each parameter; KeyError without one."""
        examples, blueprint = self.morning.examples, rule.endpoint.partition(".")[0]
        values = {
            name: examples.get(f"{blueprint}_{name}") or examples[name] for name in rule.arguments
        }
        built = self.app.url_map.bind("").build(rule.endpoint, values)
        return [built + query.format(**examples) for query in QUERIES.get(rule.endpoint, ("",))]


def asked_for(app: Flask) -> list[Rule]:
    """What people's browsers may ask for, but for files: static ones, and those whose ending says what they are."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and rule.endpoint.rpartition(".")[2] != "static"
        and rule.endpoint.partition(".")[0] not in PROGRAMS
        and rule.endpoint != AFTER_A_PASSWORD
        and "." not in rule.rule.rpartition("/")[2]
    ]


def permissions(app: Flask, rule: Rule) -> set[Permission]:
    """What has to be allowed to open it: one, or none where everybody may."""
    access = access_of(app.view_functions[rule.endpoint])
    assert access is not None
    return {access.permission} if access.permission is not None else set()


def looks_at(app: Flask, rule: Rule) -> set[Role | None]:
    """Of the roles that may open it the one that may do most around it, and so sees most; {None}: everybody may."""
    needed = permissions(app, rule)
    if not needed:
        return {None}
    blueprint = rule.endpoint.partition(".")[0] + "."
    around = set[Permission]().union(
        *(permissions(app, r) for r in app.url_map.iter_rules() if r.endpoint.startswith(blueprint))
    )

    def reach(role: Role) -> tuple[int, int]:
        allowed = ROLE_PERMISSIONS[role]
        return len(allowed & around), len(allowed)

    may = [role for role in Role if needed <= ROLE_PERMISSIONS[role]]
    return {max(may, key=reach)} if may else set()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    morning = make_demo_morning(tmp_path_factory.mktemp("morning"))
    app = create_app(morning.program)
    with serving(app) as served:
        yield House(morning, app, served.url)
    morning.program.database.engine.dispose()


def test_every_address_has_its_examples_and_somebody_who_may_open_it(house: House) -> None:
    wrong = {}
    for rule in asked_for(house.app):
        try:
            house.paths(rule)
        except KeyError as missing:
            wrong[rule.endpoint] = f"no example for {missing}"
        if not looks_at(house.app, rule):
            wrong[rule.endpoint] = "no role may open it"
    assert wrong == {}


@pytest.mark.parametrize("role", [None, *Role])
def test_every_page(
    house: House, role: Role | None, browser_context: Callable[..., BrowserContext]
) -> None:
    context = browser_context(viewport=DESKTOP)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"script: {error}"))
    found: dict[str, list[str]] = {}
    if role is not None:
        log_in(page, house.url, USERNAMES[role])
        found["home"] = faults(page)
    for rule in house.rules(role):
        page.set_viewport_size(SCREENS.get(rule.endpoint.partition(".")[0], DESKTOP))
        for path in house.paths(rule):
            answer = context.request.get(house.url + path, max_redirects=0)
            if answer.status not in (200, 204):
                found[path] = [f"answered {answer.status}"]
            elif "<html" in answer.text():
                page.goto(house.url + path)
                found[path] = faults(page)
            found.setdefault(path, []).extend(said)
            said.clear()
    assert {path: faulty for path, faulty in found.items() if faulty} == {}


def log_in(page: Page, url: str, username: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{HOME}")


def faults(page: Page) -> list[str]:
    """What is wrong with the page on the screen, once its parts have come."""
    expect(page.locator(".htmx-request")).to_have_count(0)
    found = axe(page)
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return [*found, f"{wide} px wider than the screen"] if wide > 0 else found

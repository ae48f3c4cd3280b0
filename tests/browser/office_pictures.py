"""The pictures of running a hospital: who sits when, stopping a clinic, planning examinations, closing, reconciling.

Part of `make pictures`; everything is opened as the role that works with it, on the running demo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from playwright.sync_api import BrowserContext, Page

from backend.demo.id_cards import IdCardSpec

LogIn = Callable[[str], AbstractContextManager[BrowserContext]]
Take = Callable[[str, Page], None]
#: Ordered for one patient in the workstation: two days' worth of preparation, contrast and a scope.
EXAMINATIONS = ("IMG-CT-CHEST-C", "IMG-MR-BREAST", "IMG-CT-ABD")

PLAIN = {
    "scheduler": {
        "template-week": "/backoffice/schedules/templates",
        "calendar": "/backoffice/schedules/calendar",
        "load": "/backoffice/schedules/load",
    },
    "finance": {
        "reconciliation": "/backoffice/reconciliation",
        "day-close": "/backoffice/day-close",
    },
    "registrar": {"shift-close": "/backoffice/shift"},
}


def take_office_pictures(
    backend: str, log_in: LogIn, take: Take, examined: str, cards: Sequence[IdCardSpec]
) -> None:
    """Every page; ``examined`` is the patient for whom examinations were ordered, ``cards`` those who come again."""
    with log_in("registrar") as context:
        stopped = _book_ahead(context.new_page(), backend, cards)
    for username, pages in PLAIN.items():
        with log_in(username) as context:
            for name, path in pages.items():
                page = context.new_page()
                page.goto(backend + path)
                page.wait_for_load_state("networkidle")
                take(name, page)
                if name == "reconciliation":
                    _first_run(page, take)
                if name == "template-week":
                    _stop_wizard(context.new_page(), backend, take, stopped)
    with log_in("registrar") as context:
        page = context.new_page()
        page.goto(f"{backend}/backoffice/examinations/patients/{examined}/plan")
        for question in page.locator(".xl-exam-question").all():
            question.locator('[value="no"]').check()
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            page.get_by_role("button", name="保存回答并重新安排").click()
        page.wait_for_load_state("networkidle")
        take("examination-plan", page)


def _book_ahead(page: Page, backend: str, cards: Sequence[IdCardSpec]) -> str:
    """Everybody books the same coming session and pays in cash; the session."""
    session = ""
    for card in cards:
        page.goto(f"{backend}/backoffice/front-desk")
        page.locator("[data-search]").fill(card.number)
        page.keyboard.press("Enter")
        page.wait_for_url("**/front-desk/patients/**")
        with page.expect_response("**/bookable?*"):
            page.locator("#book-day").select_option(index=1)
        page.wait_for_load_state("networkidle")
        same = f'[value="{session}"]' if session else ""
        form = page.locator("form", has=page.locator(f'[name="schedule_id"]{same}'))
        session = form.first.locator('[name="schedule_id"]').get_attribute("value") or ""
        form.first.locator("button").click()
        page.wait_for_load_state("networkidle")
        bills = page.locator("form", has=page.locator('[name="received"]'))
        for _bill in range(bills.count()):
            bills.first.locator('[name="received"]').fill("2000")
            bills.first.get_by_role("button", name="收现金").click()
            page.wait_for_load_state("networkidle")
    return session


def _first_run(page: Page, take: Take) -> None:
    """The newest run with WeChat Pay, opened."""
    run = page.locator("tr", has_text="微信支付").locator('a[href*="/backoffice/reconciliation/"]')
    if run.count():
        run.first.click()
        page.wait_for_load_state("networkidle")
        take("reconciliation-run", page)


def _stop_wizard(page: Page, backend: str, take: Take, schedule: str) -> None:
    """The first two steps: a session that patients have booked, and who is affected by stopping it."""
    page.goto(f"{backend}/backoffice/stops/new?schedule={schedule}")
    take("stop-clinic-1", page)
    page.locator('[name="reason"]').fill("医生外出会诊")
    page.get_by_role("button", name="看看影响到谁").click()
    page.wait_for_load_state("networkidle")
    take("stop-clinic-2", page)

"""The pictures of running a hospital: who sits when, stopping a clinic, planning examinations, closing, reconciling.

Part of `make pictures`; everything is opened as the role that works with it, on the running demo.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

from playwright.sync_api import BrowserContext, Page

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


def take_office_pictures(backend: str, log_in: LogIn, take: Take, examined: str) -> None:
    """Every page; ``examined`` is the patient for whom examinations were ordered."""
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
                    _stop_wizard(context.new_page(), backend, take)
    with log_in("registrar") as context:
        page = context.new_page()
        page.goto(f"{backend}/backoffice/examinations/patients/{examined}/plan")
        page.wait_for_load_state("networkidle")
        take("examination-plan", page)


def _first_run(page: Page, take: Take) -> None:
    """The newest run of the list, opened."""
    runs = page.locator('a[href*="/backoffice/reconciliation/"]')
    if runs.count():
        runs.first.click()
        page.wait_for_load_state("networkidle")
        take("reconciliation-run", page)


def _stop_wizard(page: Page, backend: str, take: Take) -> None:
    """The second step: a session that patients have booked, and who is affected by stopping it."""
    page.goto(f"{backend}/backoffice/schedules/day")
    # The busiest session of the day: stopping it concerns the most people.
    rows = page.locator("tr", has=page.locator("a[data-open]")).all()
    counts = [re.search(r"(\d+)/(\d+)", row.inner_text()) for row in rows]
    taken = [int(found[2]) - int(found[1]) if found else 0 for found in counts]
    if not rows:
        return
    busiest = rows[taken.index(max(taken))]
    href = busiest.locator("a[data-open]").get_attribute("href") or ""
    page.goto(f"{backend}/backoffice/stops/new?schedule={href.rpartition('/')[2]}")
    take("stop-clinic-1", page)
    page.locator('[name="reason"]').fill("医生外出会诊")
    page.get_by_role("button", name="看看影响到谁").click()
    page.wait_for_load_state("networkidle")
    take("stop-clinic-2", page)

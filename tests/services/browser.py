"""Headless Chromium for tests, and what every page must satisfy: no CSP message, no script
error, nothing that axe-core finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

CHROMIUM = "/usr/bin/chromium"

# As long as actions may take: a busy machine is slow, not wrong.
expect.set_options(timeout=15_000)

_FLAGS = [
    "--no-sandbox",  # the sandbox needs an unprivileged user; tests also run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    # No page may reach another machine, whatever it links to.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


class PageProblemError(AssertionError):
    """A page broke the content security policy or a script of it failed."""


@dataclass
class PageProblems:
    """What the pages of one context complained about."""

    messages: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Collect this page's policy violations and uncaught script errors."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.messages.append(f"script error: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            self.messages.append(f"CSP: {message.text}")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run the Debian Chromium headless for the length of the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def watched_context(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """Open a browser context whose pages fail the test by any CSP message or script error.

    Options are Playwright's, for example `viewport={"width": 1080, "height": 1920}`.
    """
    options.setdefault("locale", "zh-CN")
    options.setdefault("timezone_id", "Asia/Shanghai")
    # Colours are judged as they rest, not in the middle of a fade.
    options.setdefault("reduced_motion", "reduce")
    context = browser.new_context(**options)
    problems = PageProblems()
    context.on("page", problems.watch)
    context.set_default_timeout(15_000)
    try:
        yield context
    finally:
        context.close()
    if problems.messages:
        raise PageProblemError("\n".join(problems.messages))


def axe(page: Page) -> list[str]:
    """Return axe-core's findings for the page, one line a rule; an empty list is what we want."""
    response = Axe().run(page).response
    return [
        f"{finding['id']} ({finding['impact']}): "
        + ", ".join(str(node["target"]) for node in finding["nodes"])
        for finding in response["violations"]
    ]

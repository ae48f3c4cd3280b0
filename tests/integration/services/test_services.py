"""The servers behind the test fixtures are real, private and empty."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable

import psycopg
import pytest
import redis
from playwright.sync_api import Browser, BrowserContext

from tests.services.browser import PageProblemError, axe, watched_context
from tests.services.postgres import PostgresServer


def _rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_each_test_has_an_empty_database(postgres_url: str) -> None:
    tables = _rows(postgres_url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
    assert tables == []


def test_a_database_is_copied_from_a_template(postgres: PostgresServer) -> None:
    template = postgres.create_database()
    with psycopg.connect(postgres.url(template).replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE marker (name text)")
    copy = postgres.create_database(template)
    assert _rows(postgres.url(copy), "SELECT count(*) FROM marker") == [(0,)]
    for name in (copy, template):
        postgres.drop_database(name)


@pytest.mark.parametrize("_turn", [1, 2])
def test_redis_is_empty_for_each_test(redis_url: str, _turn: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def _page(body: str, policy: str = "default-src 'self'") -> str:
    html = (
        "<!doctype html><html lang='zh-CN'><head><title>页</title>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"></head>'
        f"<body><main><h1>杏林</h1>{body}</main></body></html>"
    )
    return "data:text/html;charset=utf-8," + urllib.parse.quote(html)


def test_a_clean_page_passes(browser_context: Callable[..., BrowserContext]) -> None:
    page = browser_context().new_page()
    page.goto(_page("<p>你好</p>"))
    assert axe(page) == []


def test_axe_names_what_it_finds(browser_context: Callable[..., BrowserContext]) -> None:
    page = browser_context().new_page()
    page.goto(_page("<input>"))
    assert any(finding.startswith("label ") for finding in axe(page))


def test_a_policy_violation_fails_the_test(chromium: Browser) -> None:
    with pytest.raises(PageProblemError, match="CSP"), watched_context(chromium) as context:
        context.new_page().goto(_page("<p style='color:red'>违例</p>"))


def _open_page_whose_script_fails(chromium: Browser) -> None:
    with watched_context(chromium) as context:
        page = context.new_page()
        page.goto(_page("<p>页</p>", policy="script-src 'unsafe-inline'"))
        with page.expect_event("pageerror"):
            page.evaluate("setTimeout(() => { throw new Error('boom') })")


def test_a_script_error_fails_the_test(chromium: Browser) -> None:
    with pytest.raises(PageProblemError, match="boom"):
        _open_page_whose_script_fails(chromium)

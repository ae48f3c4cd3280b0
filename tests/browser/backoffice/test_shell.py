"""The back office's shell in a real browser: keyboard, one act per press, problems where they arose."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.backoffice.conftest import Desk
from tests.services.browser import axe


def test_axe_finds_nothing_and_the_policy_is_kept(page: Page) -> None:
    assert axe(page) == []


def test_slash_searches_and_arrows_walk_the_list(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.locator("#global-search")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#rows tr").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#A012")


def test_hotkeys_work_outside_fields_only(page: Page) -> None:
    page.locator("#f-name").press("n")
    assert not page.url.endswith("#new")
    page.locator("#f-name").blur()
    page.keyboard.press("n")
    assert page.url.endswith("#new")


def test_question_mark_lists_this_pages_keys_and_single_keys_can_be_switched_off(
    page: Page,
) -> None:
    page.keyboard.press("?")
    sheet = page.locator("#shortcuts")
    expect(sheet).to_be_visible()
    expect(sheet.locator("[data-shortcuts-page]")).to_contain_text("新建患者")
    assert axe(page) == []
    sheet.locator("[data-shortcuts-toggle]").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.press("/")
    expect(page.locator("#global-search")).not_to_be_focused()
    assert not page.url.endswith("#new")


def test_combobox_chooses_by_keyboard(page: Page) -> None:
    box = page.locator("#f-icd")
    box.press_sequentially("rf")
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(box).to_have_attribute("aria-activedescendant", "f-icd-list-0")
    assert axe(page) == []
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("乳房上外象限恶性肿瘤")
    expect(page.locator("[data-combo-value]")).to_have_value("C50.4")
    expect(box).to_have_attribute("aria-expanded", "false")


def test_combobox_forgets_the_choice_when_the_words_change_and_says_when_nothing_fits(
    page: Page,
) -> None:
    box = page.locator("#f-icd")
    box.press_sequentially("rf")
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("Enter")
    box.fill("zz")
    expect(page.locator(".xl-options-note")).to_contain_text("没有找到")
    expect(page.locator("[data-combo-value]")).to_have_value("")


def test_a_form_button_hit_ten_times_is_sent_once_with_its_token_and_key(
    page: Page, desk: Desk
) -> None:
    busy = page.evaluate(
        "() => { const b = document.querySelector('#plain [type=submit]');"
        " for (let i = 0; i < 10; i += 1) b.click(); return b.getAttribute('aria-busy'); }"
    )
    assert busy == "true"
    desk.go_on.set()
    page.wait_for_url("**/desk/save")
    assert [form["_key"] for form in desk.saved] == ["key-1"]
    assert desk.saved[0]["version"] == "3"
    assert desk.saved[0]["csrf_token"]


def test_an_htmx_button_hit_ten_times_is_sent_once_and_works_again_afterwards(
    page: Page, desk: Desk
) -> None:
    page.evaluate(
        "() => { const b = document.querySelector('#slow button');"
        " for (let i = 0; i < 10; i += 1) b.click(); }"
    )
    desk.go_on.set()
    expect(page.locator("#counted")).to_have_text("1")
    page.locator("#slow button").click()
    expect(page.locator("#counted")).to_have_text("2")


def test_a_refusal_is_shown_beside_its_form_and_replaces_nothing(page: Page) -> None:
    page.locator("#live button").click()
    problem = page.locator("#live [data-problems]")
    expect(problem).to_contain_text("这个号刚被别人挂走了")
    expect(problem).to_contain_text("请选其他时段")
    expect(page.locator("#rows tr")).to_have_count(5)
    assert axe(page) == []


def test_a_lost_connection_is_said_in_words_and_keeps_what_was_typed(page: Page) -> None:
    page.locator("#f-name").fill("李四")
    page.context.set_offline(True)
    page.locator("#live button").click()
    expect(page.locator("#live [data-problems]")).to_contain_text("网络不通")
    expect(page.locator("#f-name")).to_have_value("李四")

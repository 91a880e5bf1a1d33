"""What the page measures: it survives a reload, and separates typed text from pasted text."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from labeling.models import Campaign, Rater
from tests.browser.desk.hands import OpenPage, begin


def recorded(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        "JSON.parse(new FormData(document.querySelector('form#answer')).get('record'))"
    )
    return found


def test_a_reload_after_a_saved_draft_keeps_the_time_and_the_typing(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.type("Half a thought")
    expect(page.locator("[data-saved]")).to_have_text(re.compile("Saved"))
    before = recorded(page)

    page.reload()
    page.wait_for_selector(".desk[data-mounted]")

    after = recorded(page)
    assert after["active_s"] >= before["active_s"] > 0
    assert after["typing"]["typed"] == len("Half a thought")


def test_composed_text_is_typed_text(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)
    keyboard = page.context.new_cdp_session(page)

    keyboard.send(
        "Input.imeSetComposition", {"text": "hello there", "selectionStart": 11, "selectionEnd": 11}
    )
    keyboard.send("Input.insertText", {"text": "hello there"})

    expect(page.locator("#text")).to_have_value("hello there")
    assert recorded(page)["typing"]["typed"] == len("hello there")


def test_text_that_was_dropped_from_elsewhere_counts_as_pasted(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)

    page.locator("[data-prompt-text] p").first.select_text()
    page.locator("[data-prompt-text] p").first.drag_to(page.locator("#text"))
    expect(page.locator("#text")).not_to_have_value("")

    typing = recorded(page)["typing"]
    assert typing == {"n_pastes": 1, "pasted": len(page.locator("#text").input_value())}


def test_texts_with_serifs_stay_so_in_this_browser_and_the_record_says_it(
    open_page: OpenPage, rosa: Rater, comparing: Campaign, look_over: Callable[[Page, str], None]
) -> None:
    page = begin(open_page, rosa)
    text = page.locator("[data-shown=read]").first
    before = text.evaluate("node => getComputedStyle(node).fontFamily")
    assert recorded(page)["face"] == "sans"

    page.locator("details.menu > summary").click()
    page.locator(".segment").filter(has_text="Serif").click()
    page.keyboard.press("Escape")

    page.reload()
    page.wait_for_selector(".desk[data-mounted]")
    after = text.evaluate("node => getComputedStyle(node).fontFamily")
    assert (before.endswith("sans-serif"), after.endswith(", serif")) == (True, True)
    assert recorded(page)["face"] == "serif"
    page.locator("details.menu > summary").click()
    look_over(page, "desk-serif-menu")

    page.locator(".segment").filter(has_text="Sans").click()
    assert text.evaluate("node => getComputedStyle(node).fontFamily") == before

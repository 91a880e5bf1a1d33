"""Responses side by side scroll together, until this is switched off."""

import pytest
from playwright.sync_api import Page, expect

from labeling.models import Campaign, Rater, Response
from tests.browser.desk.hands import OpenPage, begin, press

SHARES = """() => [...document.querySelectorAll("[data-text]")].map(
  (text) => Math.round(100 * text.scrollTop / (text.scrollHeight - text.clientHeight)))"""
"""How far each response is scrolled, in per cent."""


@pytest.fixture
def long(comparing: Campaign) -> Campaign:
    """Its responses are longer than a window, each by another length."""
    for number in range(4):
        Response.objects.filter(number=number).update(
            text="Yeast gives off gas.\n\n" * (40 + 25 * number)
        )
    return comparing


def wheel(page: Page, letter: str, pixels: int) -> None:
    page.locator(f"#response-{letter} [data-text]").hover()
    page.mouse.wheel(0, pixels)


def test_scrolling_one_response_takes_the_others_along(
    open_page: OpenPage, rosa: Rater, long: Campaign
) -> None:
    page = begin(open_page, rosa)

    wheel(page, "B", 100_000)
    page.wait_for_function(f"() => ({SHARES})().every((share) => share === 100)")
    wheel(page, "D", -100_000)

    page.wait_for_function(f"() => ({SHARES})().every((share) => share === 0)")


def test_by_the_keyboard_they_go_along_too(
    open_page: OpenPage, rosa: Rater, long: Campaign
) -> None:
    page = begin(open_page, rosa)

    press(page, "ArrowRight", "End")

    page.wait_for_function(f"() => ({SHARES})().every((share) => share === 100)")


@pytest.mark.parametrize("by", ["key", "button"])
def test_switched_off_each_scrolls_by_itself_and_this_browser_remembers(
    by: str, open_page: OpenPage, rosa: Rater, long: Campaign
) -> None:
    page = begin(open_page, rosa)
    together = page.get_by_role("button", name="Scroll together")
    press(page, "t") if by == "key" else together.click()
    expect(together).to_have_attribute("aria-pressed", "false")

    page.reload()
    page.wait_for_selector(".desk[data-mounted]")
    wheel(page, "B", 100_000)
    page.wait_for_function(f"() => ({SHARES})()[1] === 100")
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )

    assert page.evaluate(SHARES) == [0, 100, 0, 0]
    press(page, "t")
    wheel(page, "B", -10)
    page.wait_for_function(f"() => ({SHARES})().every((share) => share > 50)")


def test_where_they_stand_one_below_another_there_is_nothing_to_switch(
    open_page: OpenPage, rosa: Rater, long: Campaign
) -> None:
    page = begin(open_page, rosa, width=800)

    expect(page.get_by_role("button", name="Scroll together")).to_be_hidden()

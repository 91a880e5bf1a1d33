"""The desk's keys on other keyboard layouts, and the full-screen editor."""

import pytest
from playwright.sync_api import Page, expect

from labeling.models import Campaign, Guideline, Pool, Rater
from tests.browser.desk.hands import OpenPage, begin, focused, press
from tests.cast import open_comparison_campaign, open_demonstration_campaign


@pytest.fixture
def comparison(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    return open_comparison_campaign(pool=day_shift, guideline=guideline)


@pytest.fixture
def demonstration(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    return open_demonstration_campaign(pool=day_shift, guideline=guideline)


def strike(page: Page, key: str, code: str) -> None:
    """A key of a keyboard that Chromium's own does not have."""
    event = (
        "([key, code]) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key,"
        " code, bubbles: true}))"
    )
    page.evaluate(event, [key, code])


def test_french_digits_rank_without_shift_and_cyrillic_letters_go_by_their_place(
    open_page: OpenPage, rosa: Rater, comparison: Campaign
) -> None:
    page = begin(open_page, rosa)

    strike(page, "é", "Digit2")
    strike(page, "&", "Digit1")
    expect(page.locator("[data-line]")).to_have_text("B › A")
    strike(page, "ч", "KeyX")
    expect(page.locator("[name=all_bad]")).to_be_checked()


def test_the_editor_fills_the_window_and_leaves_it_by_escape(
    open_page: OpenPage, rosa: Rater, demonstration: Campaign
) -> None:
    page = begin(open_page, rosa)
    prompt = page.locator("[data-prompt-text]")

    press(page, "Escape", "f")
    assert focused(page) == "/text"
    box = page.locator(".desk-form").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (1440, 900)
    page.keyboard.type("Half a thought, and f")
    press(page, "Escape", "Escape")

    expect(prompt).to_be_visible()
    assert focused(page) == "/text"
    expect(page.locator("[data-full]")).to_have_attribute("aria-pressed", "false")

"""The search in the top bar, by keyboard only."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Campaign
from labeling.people.pools import services as pools_services
from tests.cast import NOON

pytestmark = pytest.mark.browser


def test_by_keyboard_from_any_page_to_what_was_looked_for(
    open_page: Callable[..., Page],
    alice: User,
    demonstration_campaign: Campaign,
    look_over: Callable[..., None],
    axe_clean: Callable[[Page], None],
) -> None:
    pools = [
        pools_services.create_pool(name=name, by=None, now=NOON)
        for name in ("Writers", "Writers at night")
    ]
    page = open_page("/prompts/", alice)
    dialog = page.locator("#search-dialog")

    # In a field it is a slash.
    words = page.locator("#id_q")
    words.focus()
    page.keyboard.type("a/b")
    expect(words).to_have_value("a/b")
    expect(dialog).to_be_hidden()
    words.clear()

    # Esc brings the focus back to where it was.
    place = page.get_by_role("link", name="New prompt")
    place.focus()
    page.keyboard.press("/")
    expect(dialog.locator("input")).to_be_focused()
    expect(dialog.locator("input")).to_have_value("")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(place).to_be_focused()

    # The arrows move through what is found, and back into the field; a letter goes on with the
    # words.
    page.keyboard.press("/")
    page.keyboard.type("writ")
    expect(dialog.get_by_role("link")).to_have_count(4)
    look_over(page, "search-dialog-light")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("link", name="Writers at night")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(dialog.locator("input")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("ers")
    expect(dialog.locator("input")).to_have_value("writers")
    expect(dialog.get_by_role("link")).to_have_count(3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/pools/{pools[1].pk}/")
    expect(page.locator(".search-link[data-mounted]")).to_be_visible()

    # Enter in the field opens the first.
    page.keyboard.press("/")
    page.keyboard.type("write")
    expect(dialog.get_by_role("link")).to_have_count(4)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/campaigns/{demonstration_campaign.pk}/")


def test_on_a_phone_it_is_an_icon_large_enough_for_a_thumb(
    open_page: Callable[..., Page],
    alice: User,
    demonstration_campaign: Campaign,
    look_over: Callable[..., None],
) -> None:
    page = open_page("/prompts/", alice, theme="dark", width=390, height=844)
    link = page.locator(".search-link")
    box = link.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 44
    look_over(page, "search-closed-phone-dark")
    link.click()
    page.keyboard.type("wri")
    expect(page.locator("#search-dialog").get_by_role("link")).to_have_count(2)
    look_over(page, "search-dialog-phone-dark")
    page.goto("/search/?q=nobody")
    look_over(page, "search-page-phone-dark")

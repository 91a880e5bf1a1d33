"""Two admins edit the same guideline, and the second to save meets what the first has saved."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Guideline
from tests.browser.conftest import MOUNTED

NOTHING_SAVED = "Nothing has been saved: this was changed after you opened the page."


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_a_guideline_that_two_people_edit(
    alice: User,
    guideline: Guideline,
    open_page: Callable[..., Page],
    look_over: Callable[..., None],
    theme: str,
    width: int,
) -> None:
    path = f"/guidelines/{guideline.pk}/edit/"
    first = open_page(path, alice)
    second = open_page(path, alice, theme=theme, width=width)
    save = "Save as new version"

    first.locator("#id_text").fill("# Be brief\n\nThen be helpful.")
    first.get_by_role("button", name=save).last.click()
    expect(first.get_by_text("Version 2").first).to_be_visible()
    second.locator("#id_text").fill("# Be thorough")
    second.get_by_role("button", name=save).last.click()

    expect(second.get_by_text(NOTHING_SAVED)).to_be_visible()
    expect(second.locator("#id_text")).to_have_value("# Be thorough")
    expect(second.get_by_text("Then be helpful.")).to_be_visible()
    second.wait_for_function(MOUNTED)
    look_over(second, f"edit-conflict-{theme}-{width}")

    second.get_by_role("button", name=save).last.click()
    expect(second.get_by_text("Version 3").first).to_be_visible()

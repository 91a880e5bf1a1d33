"""The desk with the system's high-contrast settings, or with forced colours."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from labeling.models import Campaign, Guideline, Pool, Rater
from tests.browser.desk.hands import OpenPage, press, rank_all, rate_all, telling_texts
from tests.cast import open_comparison_campaign


@pytest.fixture
def comparison(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, name="Helpful answers")
    telling_texts(campaign)
    return campaign


@pytest.mark.parametrize(
    "wish", [{"contrast": "more"}, {"forced_colors": "active"}], ids=["contrast", "forced"]
)
def test_the_desk_passes_axe_with_more_contrast_and_shows_what_is_chosen(
    wish: dict[str, Any],
    open_page: OpenPage,
    rosa: Rater,
    comparison: Campaign,
    axe_clean: Callable[[Page], None],
    screenshot: Callable[..., None],
) -> None:
    page = open_page("/desk/", rosa, **wish)
    axe_clean(page)
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".desk[data-mounted]")
    rate_all(page, 6, 5, 5, 2)
    rank_all(page, 1, 2, 2, 4)
    page.locator("#response-B [data-text]").focus()
    axe_clean(page)
    screenshot(page, f"desk-{'-'.join(wish)}")
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    axe_clean(page)

    chosen, other = (page.locator(f"#response-A .segment:has([value='{n}'])") for n in ("6", "5"))
    assert background(chosen) != background(other)


def background(part: Any) -> str:
    return str(part.evaluate("el => getComputedStyle(el).backgroundColor"))

"""The page of principles in Chromium: both themes, a phone, German, accessibility."""

from collections.abc import Callable

from playwright.sync_api import Page

from accounts.models import User
from labeling.models import Pool
from tests.labeling.quality.judging import report_of
from tests.labeling.quality.pages.test_principle_pages import rated_campaign


def test_the_page_of_principles_is_accessible_and_fits_a_phone(
    day_shift: Pool,
    alice: User,
    open_page: Callable[..., Page],
    look_over_each: Callable[..., None],
    screenshot: Callable[..., None],
) -> None:
    campaign = rated_campaign(day_shift, n_items=25, keeps=0.8)
    report_of(campaign)
    address = f"/campaigns/{campaign.pk}/principles/"
    page = open_page(address, alice)

    look_over_each(page, {"principles": address}, widths=(1440, 390))
    page.get_by_role("link", name="Read votes that no principle explains").click()
    page.get_by_role("link", name="← Principles").click()
    page.wait_for_url(f"**{address}")
    User.objects.update(language="de")
    page.reload()
    screenshot(page, "principles-german", full_page=True)
    assert page.get_by_text("Die Grundsätze zusammen erklären").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

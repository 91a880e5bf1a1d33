"""The rater's progress and earnings in the desk's top line."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from labeling.models import Campaign, Pool, Rater
from tests.browser.desk.hands import OpenPage, begin, write_and_submit
from tests.labeling.pay import paid_work


def test_progress_counts_on_with_each_answer_without_asking_again(
    open_page: OpenPage,
    rosa: Rater,
    writing: Campaign,
    day_shift: Pool,
    look_over: Callable[[Page, str], None],
) -> None:
    since = timezone.now() - timedelta(days=1)
    paid_work.rate(day_shift, amount="250", basis="item", valid_from=since, now=since)
    page = begin(open_page, rosa)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator("[data-progress]")).to_have_text("0 of 5")
    expect(page.locator("[data-earned]")).to_be_hidden()

    write_and_submit(page)

    expect(page.locator("[data-progress]")).to_have_text("1 of 5")
    assert not [url for url in asked if url.endswith("/progress")]
    page.reload()
    expect(page.locator("[data-earned]")).to_contain_text("2.50")
    look_over(page, "desk-progress")

"""A rater reads what they would lose and withdraws, in Chromium."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from labeling.models import Campaign, Rater
from tests.cast import login_of
from tests.labeling.quality.judging import judge_all

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_rater_withdraws_after_confirming(
    comparison_campaign: Campaign, rosa: Rater, open_page: Callable[..., Page]
) -> None:
    judge_all(comparison_campaign, rosa)
    page = open_page("/my-work/", login_of(rosa))

    page.get_by_role("link", name="My data").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download my data").click()
    assert download.value.suggested_filename == "my-data.jsonl"
    page.get_by_role("link", name="Withdraw…").click()
    expect(page.get_by_text("Your 5 answers no longer count")).to_be_visible()
    page.get_by_label("I understand").check()
    page.get_by_role("button", name="Withdraw all my answers").click()

    expect(page.get_by_text("You withdrew on")).to_be_visible()


def test_the_pages_pass_axe_and_fit(
    rosa: Rater, open_page: Callable[..., Page], look_over_each: Callable[..., None]
) -> None:
    page = open_page("/my-work/", login_of(rosa))
    addresses = {"my-data": "/my-data/", "my-data-withdraw": "/my-data/withdraw/"}

    look_over_each(page, addresses, widths=(1440, 390))

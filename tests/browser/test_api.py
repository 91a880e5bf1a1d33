"""The API's documentation and the tokens on the profile page in Chromium: no external files, no
policy violations.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import ApiToken, User
from labeling.models import Campaign
from tests.cast import PASSWORD

Opener = Callable[..., Page]


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_the_documentation_is_accessible_and_drawn_from_our_own_files(
    open_page: Opener, alice: User, look_over: Callable[..., None], theme: str, width: int
) -> None:
    page = open_page("/api/v1/docs/", alice, theme=theme, width=width)
    expect(page.get_by_role("heading", name="judgments", exact=True)).to_be_visible()

    hosts = page.evaluate(
        "performance.getEntriesByType('resource').map((entry) => new URL(entry.name).host)"
    )
    assert set(hosts) == {page.evaluate("location.host")}
    look_over(page, f"api-docs-{theme}-{width}")


def test_a_call_and_a_write_can_be_tried_with_the_session(
    open_page: Opener, alice: User, demonstration_campaign: Campaign, screenshot: Callable[..., Any]
) -> None:
    page = open_page("/api/v1/docs/", alice)
    page.get_by_role("heading", name="campaigns", exact=True).click()

    operation = page.locator("#operations-campaigns-list_campaigns")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status")).to_have_text(
        "200"
    )
    screenshot(page, "api-docs-tried")

    operation = page.locator("#operations-campaigns-pause_campaign")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("id", exact=True).fill(str(demonstration_campaign.pk))
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status")).to_have_text(
        "200"
    )
    demonstration_campaign.refresh_from_db()
    assert demonstration_campaign.state == "paused"


def test_a_token_is_made_copied_and_revoked(
    open_page: Opener,
    noor: User,
    look_over: Callable[..., None],
    axe_clean: Callable[..., Any],
) -> None:
    page = open_page("/profile/", noor)
    form = page.locator("#tokens form").last
    axe_clean(page)

    form.get_by_label("Name").fill("nightly export")
    form.get_by_label("Read runs, models and snapshots").check()
    form.get_by_role("button", name="Create token").click()
    expect(page.get_by_role("heading", name="Confirm it's you")).to_be_visible()
    look_over(page, "token-confirm")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#token")).to_contain_text("pfb_")
    look_over(page, "token-made")

    page.get_by_role("link", name="Back to profile").click()
    expect(page.get_by_role("row", name="nightly export")).to_be_visible()
    look_over(page, "profile-tokens")

    page.get_by_role("button", name="Revoke nightly export").click()
    expect(page.get_by_text("Token revoked.")).to_be_visible()
    assert ApiToken.objects.get().revoked_at is not None

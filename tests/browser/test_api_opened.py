"""Each state of an operation on the API page is accessible: opened, being tried, and answered."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Campaign

Opener = Callable[..., Page]


@pytest.mark.parametrize("width", [1440, 390])
def test_an_opened_operation_is_accessible_until_it_has_answered(
    open_page: Opener,
    alice: User,
    demonstration_campaign: Campaign,
    look_over: Callable[..., None],
    width: int,
) -> None:
    page = open_page("/api/v1/docs/", alice, width=width)
    page.get_by_role("heading", name="campaigns", exact=True).click()
    operation = page.locator("#operations-campaigns-list_campaigns")

    operation.get_by_role("button").first.click()
    expect(operation.get_by_role("button", name="Try it out")).to_be_visible()
    look_over(page, f"api-operation-{width}")

    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status")).to_have_text(
        "200"
    )
    look_over(page, f"api-answered-{width}")


@pytest.mark.parametrize("width", [1440, 390])
def test_an_opened_operation_with_a_body_is_accessible(
    open_page: Opener, alice: User, look_over: Callable[..., None], width: int
) -> None:
    page = open_page("/api/v1/docs/", alice, width=width)
    page.get_by_role("heading", name="appeals", exact=True).click()
    operation = page.locator("#operations-appeals-answer_appeal")

    operation.get_by_role("button").first.click()
    expect(operation.get_by_role("button", name="Try it out")).to_be_visible()
    look_over(page, f"api-write-{width}")

    operation.get_by_role("button", name="Try it out").click()
    expect(operation.get_by_label("Request body")).to_be_visible()
    look_over(page, f"api-write-tried-{width}")


def test_the_dialog_of_tokens_is_accessible(
    open_page: Opener, alice: User, look_over: Callable[..., None]
) -> None:
    page = open_page("/api/v1/docs/", alice)

    page.get_by_role("button", name="Authorize").first.click()

    expect(page.get_by_role("button", name="Close").first).to_be_visible()
    look_over(page, "api-authorize")

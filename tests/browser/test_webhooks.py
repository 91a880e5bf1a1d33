"""An admin creates a webhook, copies its secret, reads its log and resends a message."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Delivery, User
from accounts.webhooks import services as webhooks_services
from accounts.webhooks import signing
from accounts.webhooks.services import Event
from tests.cast import NOON

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1440, 390])
def test_an_admin_makes_a_webhook_and_sends_a_message_again(
    open_page: Callable[..., Page],
    alice: User,
    look_over: Callable[..., None],
    axe_clean: Callable[[Page], None],
    width: int,
) -> None:
    page = open_page("/webhooks/", alice, width=width)
    axe_clean(page)
    page.get_by_role("link", name="New webhook").click()
    page.get_by_label("Name").fill("Mirror")
    page.get_by_label("URL").fill("https://hooks.example.org/told")
    page.get_by_label("Run ended, with any outcome").check()
    axe_clean(page)
    page.get_by_role("button", name="Create webhook").click()
    expect(page.locator("#secret")).to_contain_text(signing.MARK)
    axe_clean(page)
    webhooks_services.send_event(
        event=Event.RUN_FINISHED, key="run-1", data={"id": 1, "outcome": "succeeded"}, now=NOON
    )
    Delivery.objects.update(
        state=Delivery.State.GIVEN_UP, answer="503 Service Unavailable", n_tries=7
    )

    page.get_by_role("link", name="Go to webhook").click()
    page.locator("main summary").click()
    look_over(page, "webhook")
    page.get_by_role("button", name="Send again").click()

    expect(page.locator("main table")).to_contain_text("Pending")
    page.goto("/webhooks/")
    look_over(page, "webhooks")

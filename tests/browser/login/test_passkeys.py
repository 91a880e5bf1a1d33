"""Passkeys in the browser, with Chromium's virtual authenticator: add one, log in with it alone,
and use it as the second step and to confirm.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import AuditEvent, User
from tests.cast import PASSWORD

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def give_a_device(page: Page, **options: Any) -> None:
    """For the whole window, which passkeys then outlive a log-out in."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE | options})


def log_out(page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/account/login/")


def to_a_new_passkey(page: Page) -> None:
    page.goto("/account/two-factor/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


def add_it(page: Page, *, instead: bool) -> None:
    page.get_by_label("Name").fill("My laptop")
    page.get_by_label("Log in with it instead of a password").set_checked(instead)
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#recovery-codes")).to_be_visible()


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_a_required_passkey_opens_the_site_without_a_password(
    open_page: OpenPage,
    alice: User,
    settings: Any,
    look_over: Callable[..., None],
    width: int,
    theme: str,
) -> None:
    settings.SECOND_FACTOR_ROLES = frozenset({"admin"})
    page = open_page("/campaigns/", alice, width=width, theme=theme)
    page.wait_for_url("**/account/two-factor/")
    look_over(page, f"second-factor-required-{width}")
    give_a_device(page)
    to_a_new_passkey(page)
    look_over(page, f"passkey-add-{width}")
    add_it(page, instead=True)
    page.goto("/account/two-factor/webauthn/")
    expect(page.get_by_role("cell", name="Instead of the password")).to_be_visible()
    look_over(page, f"passkeys-{width}")

    log_out(page)
    look_over(page, f"passkey-login-{width}")
    page.get_by_role("button", name="Use a passkey").click()

    page.wait_for_url("**/campaigns/")
    events = AuditEvent.objects.filter(by=alice).order_by("pk")
    assert [event.action for event in events] == ["passkey_added", "log_in"]


def test_a_key_without_a_pin_is_the_second_step(open_page: OpenPage, alice: User) -> None:
    page = open_page("/profile/", alice)
    give_a_device(page)
    to_a_new_passkey(page)
    add_it(page, instead=False)

    log_out(page)
    page.get_by_label("E-mail").fill(alice.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/campaigns/")

    page.goto("/account/two-factor/webauthn/")
    page.get_by_role("link", name="Remove…").click()
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No passkeys yet")).to_be_visible()


def test_a_device_without_a_passkey_is_a_sentence(open_page: OpenPage) -> None:
    page = open_page("/account/login/")
    give_a_device(page, isUserVerified=False)

    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_text("No passkey was used.")).to_be_visible()

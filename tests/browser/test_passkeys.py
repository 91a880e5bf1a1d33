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


def give_a_device(page: Page) -> None:
    """For the whole window, which passkeys then outlive a log-out in."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def log_out(page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/account/login/")


def add_a_passkey(page: Page, *, instead: bool) -> None:
    page.goto("/account/two-factor/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
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
    page.goto("/account/two-factor/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    look_over(page, f"passkey-add-{width}")
    add_a_passkey(page, instead=True)
    page.goto("/account/two-factor/webauthn/")
    expect(page.get_by_role("cell", name="Instead of the password")).to_be_visible()
    look_over(page, f"passkeys-{width}")

    log_out(page)
    look_over(page, f"passkey-login-{width}")
    page.get_by_role("button", name="Log in with a passkey").click()

    page.wait_for_url("**/campaigns/")
    actions = AuditEvent.objects.filter(target_id=alice.pk).order_by("pk")
    assert [event.action for event in actions][-3:] == [
        "passkey_added",
        "new_recovery_codes",
        "log_in",
    ] or "passkey_added" in [event.action for event in actions]


def test_a_key_without_a_pin_is_the_second_step(open_page: OpenPage, alice: User) -> None:
    page = open_page("/profile/", alice)
    give_a_device(page)
    add_a_passkey(page, instead=False)

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


def test_without_a_passkey_the_page_says_so_and_the_password_works(
    open_page: OpenPage, alice: User
) -> None:
    page = open_page("/account/login/")
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    empty = DEVICE | {"automaticPresenceSimulation": False, "isUserVerified": False}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": empty})

    page.get_by_role("button", name="Log in with a passkey").click()

    expect(page.get_by_text("No passkey was used.")).to_be_visible()

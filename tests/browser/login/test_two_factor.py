"""Two-factor authentication in the browser: from the profile to the second step of a log-in."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.accounts.test_two_factor import code_of
from tests.cast import PASSWORD

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_a_person_turns_it_on_and_logs_in_with_it(
    open_page: Callable[..., Page],
    alice: User,
    look_over: Callable[..., None],
    width: int,
    theme: str,
) -> None:
    page = open_page("/profile/", alice, width=width, theme=theme)
    look_over(page, f"two-factor-profile-{width}")
    page.get_by_role("link", name="Two-factor authentication").click()
    look_over(page, f"two-factor-off-{width}")
    page.get_by_role("link", name="Turn on…").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    key = page.locator("#totp-key").inner_text()
    look_over(page, f"two-factor-app-{width}")
    page.get_by_label("Code from the app").fill(code_of(key))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator("#recovery-codes")).to_be_visible()
    code = page.locator("#recovery-codes").inner_text().split()[0]
    look_over(page, f"two-factor-codes-{width}")
    page.get_by_role("link", name="Done").click()
    look_over(page, f"two-factor-on-{width}")

    page = open_page("/account/login/", width=width, theme=theme)
    page.get_by_label("E-mail").fill(alice.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    look_over(page, f"two-factor-login-{width}")
    page.get_by_label("Code from your app, or a recovery code").fill(code)
    page.get_by_role("button", name="Log in").click()

    page.wait_for_url("**/campaigns/")
    page.goto(f"/people/{alice.pk}/")
    look_over(page, f"two-factor-person-{width}")

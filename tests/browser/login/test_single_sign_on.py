"""Logging in with a company's identity provider, in the browser: a role comes with a group, goes
with it, and a person whom nobody knows is told so.
"""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.accounts.login.identity_provider import Company, Configure

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def log_in(page: Page, subject: str) -> None:
    page.goto("/account/login/")
    page.get_by_role("link", name="Log in with Example Inc.").click()
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize").click()


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_roles_come_and_go_with_groups_and_strangers_stay_out(
    open_page: OpenPage,
    browser: Browser,
    live_server: LiveServer,
    company: Company,
    single_sign_on_with: Configure,
    alice: User,
    look_over: Callable[..., None],
    width: int,
    theme: Literal["light", "dark"],
) -> None:
    single_sign_on_with(
        site=live_server.url,
        LABEL="Example Inc.",
        ROLES="leads=admin,ml=researcher",
        SIGN_OUT_URL=f"{company.url}/oauth2/end_session",
    )
    known = {"email": alice.email, "email_verified": True}
    company.knows(f"b-{width}", **known, groups=["leads", "ml"])
    company.knows(f"s-{width}", email="stranger@example.org", email_verified=True)

    # The provider's page wants a stylesheet from a CDN, which no test reaches.
    page = open_page("/account/login/", width=width, theme=theme, may_be_away=True)
    look_over(page, f"single-sign-on-login-{width}")
    log_in(page, f"b-{width}")
    page.wait_for_url("**/campaigns/")
    page.goto(f"/people/{alice.pk}/")
    expect(page.get_by_text("Logs in with", exact=True)).to_be_visible()
    look_over(page, f"single-sign-on-person-{width}")

    company.knows(f"b-{width}", **known, groups=["ml"])
    page.goto("/account/logout/")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log out at Example Inc.")).to_be_visible()
    look_over(page, f"single-sign-on-left-{width}")
    log_in(page, f"b-{width}")
    page.wait_for_url("**/lines/")

    # A window of its own: the browser logs a 403 as an error.
    page = browser.new_page(
        base_url=live_server.url,
        color_scheme=theme,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
    )
    log_in(page, f"s-{width}")
    expect(page.get_by_text("stranger@example.org has no account here.")).to_be_visible()
    look_over(page, f"single-sign-on-refused-{width}")
    page.close()

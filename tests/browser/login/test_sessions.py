"""The list of sessions in the browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.accounts.login.test_sessions import PHONE, browser

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_a_person_logs_out_on_a_lost_phone(
    open_page: Callable[..., Page],
    alice: User,
    look_over: Callable[..., None],
    width: int,
    theme: str,
) -> None:
    browser(alice)
    browser(alice, PHONE)
    page = open_page("/profile/sessions/", alice, width=width, theme=theme)
    look_over(page, f"sessions-{width}")

    phone = page.get_by_role("row").filter(has_text="Safari on iOS")
    phone.get_by_role("button", name="Log out").click()

    expect(page.get_by_text("Logged out there.")).to_be_visible()
    expect(phone).to_have_count(0)

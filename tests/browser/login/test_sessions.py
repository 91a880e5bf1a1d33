"""The list of sessions in the browser, and what happens where one has ended."""

from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Guideline, Pool
from tests.accounts.login.test_sessions import PHONE, browser
from tests.cast import PASSWORD

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


def log_in_again(page: Page, person: User) -> None:
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_what_was_typed_into_a_form_is_there_again_after_the_log_in(
    open_page: Callable[..., Page],
    alice: User,
    look_over: Callable[..., None],
    width: int,
    theme: str,
) -> None:
    page = open_page("/guidelines/new/", alice, width=width, theme=theme)
    page.locator("#id_name").fill("Careful answers")
    page.locator("#id_text").fill("Prefer the answer that is right.\nThen the shorter one.")
    Session.objects.all().delete()

    page.get_by_role("button", name="Create guideline").click()
    page.wait_for_url("**/account/login/?next=/guidelines/new/")
    log_in_again(page, alice)
    page.wait_for_url("**/guidelines/new/")
    expect(page.locator("#toasts")).to_contain_text("What you typed is here again")
    expect(page.locator("#id_name")).to_have_value("Careful answers")
    look_over(page, f"typed-before-login-{width}")
    page.get_by_role("button", name="Create guideline").click()

    page.wait_for_url("**/versions/")
    assert "Then the shorter one." in Guideline.objects.get().versions.get().text


def test_somebody_else_in_the_same_tab_sees_nothing_of_it(
    open_page: Callable[..., Page], alice: User, noor: User, day_shift: Pool
) -> None:
    page = open_page("/profile/", alice)
    page.get_by_label("Name").first.fill("Alice of old")
    Session.objects.all().delete()

    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/account/login/**")
    log_in_again(page, noor)
    page.wait_for_url("**/profile/")

    expect(page.get_by_label("Name").first).to_have_value("Noor")
    page.wait_for_selector("#main[data-mounted]")
    assert page.evaluate("sessionStorage.getItem('preferably.sent')") is None


def test_what_a_page_asks_by_itself_is_marked_and_what_a_person_does_is_not(
    open_page: Callable[..., Page], noor: User
) -> None:
    page = open_page("/nodes/", noor)

    with page.expect_request(lambda request: "hx-request" in request.headers) as polled:
        pass
    page.keyboard.press("/")
    with page.expect_request(lambda request: "/search/" in request.url) as typed:
        page.keyboard.type("reward")

    assert polled.value.headers["x-polls"] == "1"
    assert "x-polls" not in typed.value.headers

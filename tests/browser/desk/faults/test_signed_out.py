"""Asking, skipping, releasing and undoing on a page whose session has ended, and stopping while
typing.
"""

import re
from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from labeling.models import Campaign, Draft, ItemQuestion, Judgment, Pass, Rater, Slot
from tests.browser.desk.hands import WRITTEN, OpenPage, begin, press, write_and_submit
from tests.cast import PASSWORD


def sign_in_again(page: Page) -> None:
    dialog = page.get_by_role("dialog", name="Log in and continue")
    dialog.get_by_label("E-mail").fill("rosa@example.org")
    dialog.get_by_label("Password").fill(PASSWORD)
    press(page, "Enter")
    expect(dialog).to_be_hidden()


def test_a_question_goes_out_after_signing_in_again_and_the_page_stays(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    led: list[str] = []
    page.on(
        "response", lambda response: led.append(response.url) if "next=" in response.url else None
    )
    page.keyboard.type("Half a thought")
    Session.objects.all().delete()

    press(page, "Escape", "q")
    page.keyboard.type("Is this in scope?")
    press(page, "Tab", "Enter")
    sign_in_again(page)

    expect(page.locator("#toasts")).to_contain_text("Your question was sent to the admins.")
    expect(page.locator("#text")).to_have_value("Half a thought")
    assert ItemQuestion.objects.get().text == "Is this in scope?"
    assert led == []  # the login would lead it back to an address that only takes posts


def test_a_skip_goes_on_after_signing_in_again(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    Session.objects.all().delete()

    press(page, "Escape", "s", "1")
    page.get_by_role("button", name="Skip").click()
    sign_in_again(page)
    page.wait_for_url(lambda url: url != first)

    assert Pass.objects.count() == 1


def test_an_answer_is_undone_after_signing_in_again(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    write_and_submit(page)
    Session.objects.all().delete()

    press(page, "Escape", "u")
    sign_in_again(page)
    page.wait_for_url(first)

    assert not Judgment.of_people.exists()


@pytest.mark.parametrize("is_signed_out", [False, True])
def test_stopping_in_the_middle_of_a_word_keeps_the_word(
    is_signed_out: bool, open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.type("Half a thought")
    if is_signed_out:
        Session.objects.all().delete()

    press(page, "Escape", "s")
    page.get_by_role("button", name="Stop and release this item").click()
    if is_signed_out:
        sign_in_again(page)
    page.wait_for_url("**/desk/")

    assert Draft.objects.get().content["fields"]["text"] == ["Half a thought"]
    assert not Slot.objects.filter(rater=rosa).exists()


def test_the_login_that_was_closed_does_not_come_back_while_somebody_types(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.insert_text(WRITTEN)
    Session.objects.all().delete()
    page.clock.install()
    press(page, "Control+Enter")
    dialog = page.locator("dialog[data-login]")
    expect(dialog).to_be_visible()

    press(page, "Escape")
    with page.expect_response(re.compile("/submit$|/login/")):
        page.clock.run_for(3_000)
    page.clock.run_for(100)
    page.locator("#text").focus()
    page.keyboard.type("More.")
    expect(page.locator("#text")).to_have_value(re.compile(r"More\.$"))
    expect(dialog).to_be_hidden()

    press(page, "Control+Enter")
    expect(dialog).to_be_visible()


def test_the_key_printed_on_the_desk_takes_the_last_answer_back(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.insert_text(WRITTEN)
    press(page, "Control+Enter")
    page.get_by_role("button", name="Submit and stop").click()
    page.wait_for_url("**/desk/")
    page.wait_for_selector("[data-behavior~='desk/no_item'][data-mounted]", state="attached")

    press(page, "u")
    page.wait_for_url(first)

    assert not Judgment.of_people.exists()


def test_on_the_desk_too_an_answer_is_taken_back_after_signing_in_again(
    open_page: OpenPage,
    rosa: Rater,
    writing: Campaign,
    axe_clean: Callable[[Page], None],
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.insert_text(WRITTEN)
    press(page, "Control+Enter")
    page.get_by_role("button", name="Submit and stop").click()
    page.wait_for_url("**/desk/")
    page.wait_for_selector("[data-behavior~='desk/no_item'][data-mounted]", state="attached")
    Session.objects.all().delete()

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("dialog", name="Log in and continue")).to_be_visible()
    axe_clean(page)
    press(page, "Escape")
    expect(page.locator("[data-trouble]")).to_contain_text("You are signed out.")
    page.get_by_role("link", name="Log in").click()
    sign_in_again(page)
    page.wait_for_url(first)

    assert not Judgment.of_people.exists()

"""Skip, question, release and undo when the server does not respond or the response is lost:
retried, done once.
"""

import re
from datetime import timedelta

from playwright.sync_api import Page, expect

from labeling.models import Campaign, Draft, ItemQuestion, Judgment, Pass, PastLease, Rater, Slot
from tests.browser.desk.faults.test_nothing_is_lost import BACK
from tests.browser.desk.hands import (
    SILENT,
    WRITTEN,
    OpenPage,
    begin,
    press,
    skip_pause,
    write_and_submit,
)

LOST = """(ends) => {
  const real = window.fetch;
  window.fetch = async (...request) => {
    if (!String(request[0]).endsWith(ends)) return real(...request);
    window.fetch = real;
    await real(...request);
    throw new TypeError("answer lost");
  };
}"""
"""The next request whose address ends so reaches the server, and its answer nobody."""
BACK_WITH_A_SLOW_SUBMIT = """() => {
  window.fetch = async (...request) => {
    if (String(request[0]).endsWith("/submit")) await new Promise((end) => setTimeout(end, 1500));
    return window.real(...request);
  };
  window.dispatchEvent(new Event("online"));
}"""
"""What else was pressed would reach the server first."""
WAITS = "Your last action is retried until it responds."


def skip(page: Page) -> None:
    press(page, "Escape", "s", "1")
    page.get_by_role("button", name="Skip").click()


def test_a_skip_whose_answer_was_lost_skips_one_item(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.clock.install()
    first = page.url
    page.evaluate(LOST, "/skip")

    skip(page)
    expect(page.locator("[data-trouble]")).to_contain_text(WAITS)
    skip_pause(page)
    page.wait_for_url(lambda url: url != first)

    expect(page.locator("#text")).to_be_visible()
    assert Pass.objects.count() == 1
    assert PastLease.objects.count() == 1


def test_a_question_whose_answer_was_lost_is_asked_once(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.clock.install()
    page.evaluate(LOST, "/ask")

    press(page, "Escape", "q")
    page.keyboard.type("Is this in scope?")
    press(page, "Tab", "Enter")
    expect(page.locator("[data-trouble]")).to_contain_text(WAITS)
    page.locator("#text").focus()
    page.keyboard.type("Half a thought")
    skip_pause(page)
    expect(page.locator("#toasts")).to_contain_text("Your question was sent to the admins.")

    expect(page.locator("[data-trouble]")).to_be_hidden()
    expect(page.locator("#text")).to_have_value("Half a thought")
    assert ItemQuestion.objects.get().text == "Is this in scope?"


def test_what_became_of_a_question_is_read_beside_the_item_that_came_at_once(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.clock.install()
    press(page, "Escape", "q")
    page.keyboard.type("Is this in scope?")
    press(page, "Tab", "Enter")
    toast = page.locator("#toasts").get_by_text("Your question was sent to the admins.")
    toast.hover()  # it stays as long as it is pointed at, however slow the rest is

    page.locator("#text").focus()
    write_and_submit(page)

    expect(toast).to_be_visible()
    page.mouse.move(0, 0)
    page.clock.run_for(6_100)
    expect(toast).to_be_hidden()


def test_giving_back_takes_along_what_was_typed_while_the_server_was_silent(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.evaluate(SILENT)
    press(page, "Escape", "s")
    page.get_by_role("button", name="Stop and release this item").click()
    expect(page.locator("[data-trouble]")).to_contain_text(WAITS)

    page.locator("#text").focus()
    page.keyboard.type("Half a thought")
    page.evaluate(BACK)
    page.wait_for_url("**/desk/")

    assert Draft.objects.get().content["fields"]["text"] == ["Half a thought"]
    assert not Slot.objects.filter(rater=rosa).exists()


def test_an_undo_whose_answer_was_lost_leads_back_to_the_item(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    write_and_submit(page)
    page.evaluate(LOST, "/undo")

    press(page, "Escape", "u")
    page.wait_for_url(first)

    expect(page.locator("#text")).to_have_value(WRITTEN)
    assert not Judgment.of_people.exists()


def test_an_undo_keeps_what_was_typed_on_the_item_after_it(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    write_and_submit(page)
    page.evaluate(SILENT)
    press(page, "Escape", "u")
    expect(page.locator("[data-trouble]")).to_contain_text(WAITS)

    page.locator("#text").focus()
    page.keyboard.type("Half a thought")
    page.evaluate(BACK)
    page.wait_for_url(first)

    assert "Half a thought" in [draft.content["fields"]["text"][0] for draft in Draft.objects.all()]


def test_an_undo_that_comes_too_late_says_so_and_leaves_the_page_alone(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    following = write_and_submit(page)
    page.evaluate(SILENT)
    press(page, "Escape", "u")
    expect(page.locator("[data-trouble]")).to_contain_text(WAITS)
    judgment = Judgment.of_people.get()
    Judgment.of_people.update(submitted_at=judgment.submitted_at - timedelta(seconds=25))

    page.evaluate(BACK)
    expect(page.locator("#toasts")).to_contain_text("It is too late to undo this.")

    assert page.url == following
    assert Judgment.of_people.count() == 1


def test_what_waits_can_be_left(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)
    page.clock.install()
    first = page.url
    page.evaluate(SILENT)
    skip(page)

    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-trouble]")).to_be_hidden()
    page.evaluate(BACK)
    page.locator("#text").focus()
    page.keyboard.type("Half a thought")
    skip_pause(page)
    expect(page.locator("[data-saved]")).to_have_text(re.compile("Saved"))

    assert page.url == first
    assert not Pass.objects.exists()


def test_an_answer_takes_the_place_of_a_skip_that_waits_and_a_question_goes_along(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.insert_text(WRITTEN)
    press(page, "Control+Enter")
    expect(page.locator("[data-review][data-state=ready]")).to_be_visible()
    page.evaluate(SILENT)
    press(page, "Escape")
    press(page, "Escape", "q")
    page.keyboard.type("Is this in scope?")
    press(page, "Tab", "Enter")
    expect(page.locator("[data-trouble]")).to_contain_text(WAITS)
    skip(page)

    press(page, "Control+Enter")
    page.get_by_role("button", name="Submit when the server responds").click()
    with page.expect_response("**/ask"):
        page.evaluate(BACK_WITH_A_SLOW_SUBMIT)
    page.wait_for_function("() => document.querySelector('#text')?.value === ''")

    assert Judgment.of_people.count() == 1
    assert ItemQuestion.objects.count() == 1
    assert not Pass.objects.exists()

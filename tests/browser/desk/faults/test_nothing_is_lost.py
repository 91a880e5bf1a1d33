"""Reload, crash, logout, two tabs, an expired lease, a dead server: no written text is lost."""

import re
from collections.abc import Callable

from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from labeling.models import Campaign, Draft, Judgment, Rater
from tests.browser.desk.hands import (
    SILENT,
    OpenPage,
    begin,
    line,
    press,
    rank_all,
    rate_all,
    skip_pause,
)
from tests.cast import PASSWORD


def finish_without_a_server(page: Page) -> None:
    page.keyboard.insert_text("Yeast gives off gas and gluten holds it. " * 4)
    page.evaluate(SILENT)
    press(page, "Control+Enter")
    page.get_by_role("button", name="Submit when the server responds").click()
    expect(page.locator("[data-review]")).to_contain_text("Saved in this browser.")


BACK = "() => { window.fetch = window.real; window.dispatchEvent(new Event('online')); }"


COVERED = """() => {
  const toast = document.querySelector(".toast").getBoundingClientRect();
  const controls = document.querySelectorAll(".desk :is(textarea, input, button, p, label)");
  return [...controls].some((el) => {
    const box = el.getBoundingClientRect();
    const isBeside = box.left >= toast.right || toast.left >= box.right;
    return box.width && !isBeside && box.top < toast.bottom && toast.top < box.bottom;
  });
}"""
"""Whether the toast lies over anything of the work."""


def test_a_reload_brings_back_what_was_given(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    rate_all(page, 6, 5)
    rank_all(page, 1, 2, 2, 4)

    page.reload()
    page.wait_for_selector(".desk[data-mounted]")

    assert line(page) == "A › B = C › D"
    expect(page.locator("#response-A [type=radio][value='6']")).to_be_checked()


def test_a_pause_saves_to_the_server_and_says_when(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)

    page.keyboard.type("Half a thought")
    expect(page.locator("[data-saved]")).to_have_text(re.compile(r"Saved \d\d:\d\d:\d\d"))

    assert Draft.objects.get().content["fields"]["text"] == ["Half a thought"]


def test_another_browser_goes_on_from_the_saved_draft(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.clock.install()
    page.keyboard.type("Half a thought")
    skip_pause(page)
    expect(page.locator("[data-saved]")).to_have_text(re.compile("Saved"))

    elsewhere = open_page(page.url, rosa)

    expect(elsewhere.locator("#text")).to_have_value("Half a thought")


def test_nothing_stays_in_the_browser_once_the_answer_is_stored(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.insert_text("Yeast gives off gas and gluten holds it. " * 4)
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)
    page.wait_for_selector(".desk[data-mounted]")

    assert (
        page.evaluate(
            "Object.keys(localStorage).filter((key) => key.startsWith('preferably.draft'))"
        )
        == []
    )


def test_a_lost_session_is_said_and_nothing_typed_is_lost(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    Session.objects.all().delete()

    page.keyboard.type("Half a thought")

    expect(page.locator("[data-trouble]")).to_contain_text("You are signed out.")
    expect(page.locator("#text")).to_have_value("Half a thought")
    again = open_page("/desk/", rosa)
    session = next(cookie for cookie in again.context.cookies() if cookie["name"] == "sessionid")
    page.context.add_cookies(
        [
            {
                "name": session["name"],
                "value": session["value"],
                "domain": session["domain"],
                "path": session["path"],
            }
        ]
    )
    page.reload()
    expect(page.locator("#text")).to_have_value("Half a thought")


def test_a_submit_waits_for_a_server_that_does_not_answer_and_stores_once(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.insert_text("Yeast gives off gas and gluten holds it. " * 4)
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()

    page.evaluate("""() => {
          const real = window.fetch;
          window.fetch = async (...request) => {
            // a draft that is saved meanwhile
            if (!String(request[0]).endsWith("/submit")) return real(...request);
            window.fetch = real;
            await real(...request);
            throw new TypeError("answer lost");
          };
        }""")
    press(page, "Control+Enter")
    expect(page.locator("[data-trouble]")).to_contain_text("Can't reach the server.")
    page.wait_for_url(lambda url: url != first)

    assert Judgment.of_people.count() == 1


def test_the_second_tab_says_that_it_is_one(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)

    second = page.context.new_page()
    second.goto(page.url)

    expect(second.locator("[data-trouble]")).to_contain_text("open in another tab")


def test_a_lease_near_its_end_counts_down(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    expect(page.locator("[data-countdown]")).to_be_hidden()
    Campaign.objects.update(lease_minutes=4)
    page.clock.install()
    page.reload()
    page.wait_for_selector(".desk[data-mounted]")
    page.clock.run_for(61_000)

    expect(page.locator("[data-countdown]")).to_have_text(re.compile(r"[34]:\d\d left"))


def test_an_answer_is_undone_by_one_key(
    open_page: OpenPage,
    rosa: Rater,
    writing: Campaign,
    axe_clean: Callable[[Page], None],
    screenshot: Callable[..., None],
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.insert_text("Yeast gives off gas and gluten holds it. " * 4)
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)
    page.wait_for_selector(".desk[data-mounted]")
    axe_clean(page)
    screenshot(page, "desk-undo")
    assert (
        page.locator("[data-undo-key]").evaluate("el => getComputedStyle(el, '::before').content")
        == '"esc "'
    )
    assert not page.evaluate(COVERED)

    press(page, "Escape", "u")
    page.wait_for_url(first)

    expect(page.locator("#text")).to_have_value("Yeast gives off gas and gluten holds it. " * 4)
    assert not Judgment.of_people.exists()


def test_a_correction_survives_a_reload_and_becomes_the_next_version(
    open_page: OpenPage, rosa: Rater, writing: Campaign, axe_clean: Callable[[Page], None]
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.insert_text("Yeast gives off gas and gluten holds it. " * 4)
    press(page, "Control+Enter")
    page.get_by_role("button", name="Submit and stop").click()
    page.wait_for_url("**/desk/")
    page.goto("/my-work/")
    page.get_by_role("link", name="Correct").click()
    page.wait_for_selector(".desk[data-mounted]")
    axe_clean(page)

    press(page, "Control+End")
    page.keyboard.type("Salt slows it.")
    page.reload()
    page.wait_for_selector(".desk[data-mounted]")
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url("**/my-work/")

    assert Judgment.of_people.get().demonstration.text.endswith("holds it. Salt slows it.")
    assert Judgment.of_people.get().version == 2


def test_a_correction_goes_on_in_another_browser_and_is_dropped_there(
    open_page: OpenPage, rosa: Rater, writing: Campaign, axe_clean: Callable[[Page], None]
) -> None:
    page = begin(open_page, rosa)
    answered = page.url
    page.keyboard.insert_text("Yeast gives off gas and gluten holds it. " * 4)
    press(page, "Control+Enter")
    page.get_by_role("button", name="Submit and stop").click()
    page.wait_for_url("**/desk/")
    page.clock.install()
    page.goto(answered + "correct")
    page.wait_for_selector(".desk[data-mounted]")
    press(page, "Control+End")
    page.keyboard.type("Salt slows it.")
    skip_pause(page)
    expect(page.locator("[data-saved]")).to_have_text(re.compile(r"Saved \d\d:\d\d:\d\d"))

    elsewhere = open_page("/my-work/", rosa)
    axe_clean(elsewhere)
    elsewhere.get_by_role("link", name="Continue editing").click()
    expect(elsewhere.locator("#text")).to_have_value(re.compile("Salt slows it.$"))
    elsewhere.wait_for_selector(".desk[data-mounted]")
    elsewhere.locator("#text").press_sequentially(" And")
    elsewhere.get_by_role("button", name="Discard changes").click()
    elsewhere.wait_for_url("**/my-work/")

    expect(elsewhere.locator("#toasts")).to_contain_text("Your answer stays as it was.")
    assert not Draft.objects.exists()
    assert Judgment.of_people.get().version == 1


def test_an_ended_session_is_renewed_in_a_dialog_and_the_submit_goes_on(
    open_page: OpenPage,
    rosa: Rater,
    writing: Campaign,
    axe_clean: Callable[[Page], None],
    screenshot: Callable[..., None],
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.insert_text("Yeast gives off gas and gluten holds it. " * 4)
    Session.objects.all().delete()

    press(page, "Control+Enter")
    dialog = page.get_by_role("dialog", name="Log in and continue")
    dialog.get_by_label("E-mail").fill("rosa@example.org")
    dialog.get_by_label("Password").fill("wrong")
    press(page, "Enter")
    expect(dialog).to_contain_text("Wrong e-mail or password")
    axe_clean(page)
    screenshot(page, "desk-login")
    dialog.get_by_label("Password").fill(PASSWORD)
    press(page, "Enter")
    expect(page.locator("[data-review][data-state=ready]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    assert Judgment.of_people.count() == 1


def test_an_answer_finished_offline_is_sent_when_the_server_is_back(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    finish_without_a_server(page)

    page.evaluate(BACK)
    page.wait_for_url(lambda url: url != first)

    assert Judgment.of_people.count() == 1
    assert (
        page.evaluate(
            "Object.keys(localStorage).filter((key) => key.startsWith('preferably.outbox'))"
        )
        == []
    )


def test_an_answer_finished_offline_is_sent_from_the_desk_after_a_crash(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    finish_without_a_server(page)

    page.goto("/desk/")

    expect(page.locator("#toasts")).to_contain_text(
        re.compile(r"Your answer from \d\d:\d\d is saved")
    )
    assert Judgment.of_people.count() == 1


def test_an_answer_finished_offline_that_raises_a_question_is_shown_again(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    Campaign.objects.update(min_words=100)
    page = begin(open_page, rosa)
    address = page.url
    finish_without_a_server(page)

    page.goto("/desk/")
    page.get_by_role("link", name="Open").click()
    page.wait_for_url(address)

    assert page.locator("#text").input_value().startswith("Yeast gives off gas")
    assert not Judgment.of_people.exists()


def test_an_answer_that_breaks_off_is_asked_for_again(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.insert_text("Yeast gives off gas and gluten holds it. " * 4)
    page.evaluate("""() => {
          const real = window.fetch;
          window.fetch = async (...request) => {
            const answer = await real(...request);
            if (!String(request[0]).endsWith("/submit")) return answer;
            window.fetch = real;
            answer.json = async () => { throw new TypeError("cut"); };
            return answer;
          };
        }""")

    press(page, "Control+Enter")

    expect(page.locator("[data-review][data-state=ready]")).to_be_visible()


def test_an_answer_that_never_comes_is_asked_for_again(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.insert_text("Yeast gives off gas and gluten holds it. " * 4)
    page.evaluate("""() => {
          const [real, timeout] = [window.fetch, AbortSignal.timeout];
          AbortSignal.timeout = () => timeout.call(AbortSignal, 300);  // in place of half a minute
          const never = (signal) =>
            new Promise((_, fail) => signal?.addEventListener("abort", () => fail(signal.reason)));
          window.fetch = (...request) => {
            if (!String(request[0]).endsWith("/submit")) return real(...request);
            [window.fetch, AbortSignal.timeout] = [real, timeout];
            return never(request[1].signal);
          };
        }""")

    press(page, "Control+Enter")

    expect(page.locator("[data-review][data-state=ready]")).to_be_visible()


def test_what_the_server_says_of_a_draft_that_it_does_not_keep_is_shown(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.evaluate("""() => {
          const real = window.fetch;
          const refusal = { status: 413, headers: { "Content-Type": "application/json" } };
          const why = JSON.stringify({ error: "Too long to save here." });
          window.fetch = async (...request) =>
            String(request[0]).endsWith("/draft") ? new Response(why, refusal) : real(...request);
        }""")

    page.keyboard.type("Half a thought")

    expect(page.locator("[data-trouble]")).to_have_text("Too long to save here.")

"""The preview: next to the editor if there is room, updated while typing; else in its place."""

from typing import Any

from playwright.sync_api import Page, expect

from labeling.models import Campaign, Rater
from tests.browser.desk.hands import OpenPage, begin, focused, press
from tests.browser.desk.test_dialogue import dialogues
from tests.browser.desk.test_record import recorded

__all__ = ["dialogues"]

WATCHED = """(delay) => {
  const real = window.fetch;
  window.asked = [];
  window.atOnce = window.most = 0;
  window.delay = delay;
  window.fetch = async (...request) => {
    if (!String(request[0]).endsWith("/preview")) return real(...request);
    window.asked.push({ text: request[1].body.get("text"), at: performance.now() });
    window.most = Math.max(window.most, ++window.atOnce);
    try {
      if (window.delay) await new Promise((end) => setTimeout(end, window.delay));
      return await real(...request);
    } finally {
      window.atOnce -= 1;
    }
  };
}"""
"""Requests for a preview, as they leave the page; each is held back by `delay` milliseconds."""


def texts_asked_for(page: Page) -> list[str]:
    asked: list[dict[str, Any]] = page.evaluate("window.asked")
    return [one["text"] for one in asked]


def test_the_text_is_read_beside_the_editor_while_it_is_written(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    pane = page.locator("[data-preview]")
    expect(pane).to_have_text("Your preview appears here.")

    page.keyboard.type("It is **alive**.")
    expect(pane.locator("strong")).to_have_text("alive")
    page.keyboard.type(" *Still*.")
    expect(pane.locator("em")).to_have_text("Still")
    expect(pane).to_have_text("It is alive. Still.")

    assert focused(page) == "/text"
    expect(page.locator("#text")).to_be_visible()
    assert recorded(page)["opened"] == ["preview"]


def test_nothing_that_is_typed_runs_in_the_preview(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)

    page.locator("#text").fill(
        "<img src=x onerror='window.ran = 1'> [link](javascript:window.ran=1) **end**"
    )

    expect(page.locator("[data-preview] strong")).to_have_text("end")
    assert page.locator("[data-preview] img, [data-preview] a").count() == 0
    assert page.evaluate("window.ran") is None


def test_one_pause_is_one_request_and_only_for_the_turn_that_changed(
    open_page: OpenPage, rosa: Rater, dialogues: Campaign
) -> None:
    page = begin(open_page, rosa)
    pane = page.locator("[data-preview]")
    page.evaluate(WATCHED, 0)

    page.keyboard.type("Yeast.")
    expect(pane).to_contain_text("Yeast.")
    press(page, "Alt+Enter")
    page.keyboard.type("And **then**?")
    expect(pane.locator("section").first).to_contain_text("User 2")
    expect(pane.locator("strong")).to_have_text("then")
    press(page, "Alt+Shift+Backspace")

    expect(pane.locator("section")).to_have_count(0)
    assert texts_asked_for(page) == ["Yeast.", "And **then**?"]


def test_slow_answers_come_one_at_a_time_and_the_newest_text_stays(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.evaluate(WATCHED, 900)

    page.keyboard.type("One.")
    page.wait_for_function("() => window.atOnce === 1")
    page.evaluate("window.delay = 0")
    page.keyboard.type(" Two.")
    expect(page.locator("[data-preview]")).to_have_text("One. Two.")

    assert texts_asked_for(page) == ["One.", "One. Two."]
    assert page.evaluate("window.most") == 1


def test_the_pause_grows_with_what_a_preview_takes(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.evaluate(WATCHED, 700)
    page.keyboard.type("One.")
    expect(page.locator("[data-preview]")).to_have_text("One.")

    began = page.evaluate("performance.now()")
    page.keyboard.type(" Two.")
    expect(page.locator("[data-preview]")).to_have_text("One. Two.")

    assert page.evaluate("window.asked.at(-1).at") - began >= 1400


def test_a_preview_that_does_not_come_is_said_and_the_next_change_asks_again(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    pane = page.locator("[data-preview]")
    page.evaluate("""() => {
          window.real = window.fetch;
          const isOurs = (request) => String(request[0]).endsWith("/preview");
          const noAnswer = () => Promise.reject(new TypeError("no answer"));
          window.fetch = (...request) =>
            isOurs(request) ? noAnswer() : window.real(...request);
        }""")
    page.keyboard.type("One.")
    expect(pane).to_contain_text("The preview is not available right now.")
    expect(page.locator("[data-trouble]")).to_be_hidden()

    page.evaluate("() => { window.fetch = window.real; }")
    page.keyboard.type(" Two.")

    expect(pane).to_have_text("One. Two.")


def test_closed_it_stays_closed_in_this_browser_until_it_is_opened(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    pane = page.locator("[data-preview]")
    page.evaluate(WATCHED, 0)
    press(page, "Control+Shift+Enter")
    expect(pane).to_be_hidden()
    page.keyboard.type("It is **alive**.")
    assert focused(page) == "/text"

    page.reload()
    page.wait_for_selector(".desk[data-mounted]")
    expect(pane).to_be_hidden()
    assert "preview" not in recorded(page)["opened"]
    page.get_by_role("button", name="preview").click()
    expect(pane.locator("strong")).to_have_text("alive")
    page.reload()

    expect(pane.locator("strong")).to_have_text("alive")


def test_beside_the_guideline_and_on_a_narrow_page_it_takes_the_editors_place(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    pane, text = page.locator("[data-preview]"), page.locator("#text")
    page.keyboard.type("It is **alive**.")
    expect(pane.locator("strong")).to_be_visible()

    press(page, "Escape", "l")
    expect(pane).to_be_hidden()
    press(page, "l")
    expect(pane).to_be_visible()
    page.set_viewport_size({"width": 800, "height": 900})
    expect(pane).to_be_hidden()
    press(page, "Control+Shift+Enter")
    expect(pane.locator("strong")).to_be_visible()
    expect(text).to_be_hidden()
    press(page, "w")

    expect(pane).to_be_hidden()
    assert focused(page) == "/text"


def test_over_the_whole_window_it_stands_beside_too_and_scrolls_along(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.locator("#text").fill("\n\n".join(f"Paragraph {number}." for number in range(200)))
    expect(page.locator("[data-preview] p").last).to_have_text("Paragraph 199.")
    press(page, "Escape", "f")

    page.locator("#text").evaluate("(text) => { text.scrollTop = text.scrollHeight; }")
    page.wait_for_function(
        "() => { const el = document.querySelector('[data-preview]');"
        " return el.scrollTop > 0 && el.scrollTop + el.clientHeight >= el.scrollHeight - 2; }"
    )

    page.locator("#text").evaluate("(text) => { text.scrollTop = 0; }")
    page.wait_for_function("() => document.querySelector('[data-preview]').scrollTop === 0")
    box = page.locator("[data-preview]").bounding_box()
    assert box is not None
    assert box["width"] > 600


def test_ten_thousand_words_stay_fluid(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)
    for n_words in (7_000, 10_000):  # the longest that is rendered, and one that is shown plain
        page.locator("#text").fill("yeast " * n_words + "**end**")
        expect(page.locator("[data-preview]")).to_contain_text("end")
        # Another process may hold up a frame, hardly one in each of three tries.
        assert min(longest_frame_ms(page, f" and {n} more") for n in range(3)) < 500, n_words


def longest_frame_ms(page: Page, words: str) -> float:
    """While these words are typed at the end."""
    page.evaluate("""() => {
          window.longest = 0;
          let last = performance.now();
          (function frame() {
            const now = performance.now();
            window.longest = Math.max(window.longest, now - last);
            last = now;
            window.watching = requestAnimationFrame(frame);
          })();
        }""")
    press(page, "Control+End")
    page.keyboard.type(words, delay=60)
    expect(page.locator("[data-preview]")).to_contain_text(words.strip())
    return float(
        page.evaluate("() => { cancelAnimationFrame(window.watching); return window.longest; }")
    )

"""The rater's desk in Chromium: whole journeys by keyboard, without JavaScript, on a phone, and through a reload."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling import queue, rating_form, services
from labeling.models import Campaign, Draft, Guideline, Judgment, Pool, Prompt, Rater, Response, Slot
from tests.cast import PASSWORD, open_comparison_campaign, open_demonstration_campaign

OpenPage = Callable[..., Page]
QUESTION = (
    "Why does bread dough rise, and what goes wrong when it stays in a warm kitchen for too long? "
    "I would like to understand it, not only get a recipe."
)
ANSWERS = [
    "Yeast eats sugar and gives off **carbon dioxide**. Gluten is stretchy enough to hold the gas, so the dough swells.\n\n"
    "How fast depends on the warmth:\n\n| kitchen | doubled after |\n|---|---|\n| 18 °C | 3 h |\n| 24 °C | 90 min |\n"
    "| 30 °C | 50 min |\n\n"
    "Left too long, acids weaken the gluten, bubbles merge and burst, and the loaf falls in the oven.",
    "The gas in the dough follows the *ideal gas law*: more of it, at the same pressure, needs more room.\n\n"
    "```python\nvolume = amount * 8.314 * kelvin / pressure\n```\n\n"
    "Overproofed dough has used up its sugar. The crust stays pale because little is left to brown, and $V$ shrinks again.",
    "When you mix flour and water, two proteins link into gluten. Yeast fills that net with gas.\n\n"
    "- It needs warmth, water and time.\n- Salt slows it down.\n- Too long, and the net tears.",
    "Bread rises because the oven is hot and hot things get bigger. "
    "You can leave the dough as long as you want, it only gets better.",
]


def telling_texts(campaign: Campaign) -> None:
    """Texts of a kind that raters meet, in place of the cast's short ones."""
    Prompt.objects.update(messages=[{"role": "user", "content": QUESTION}])
    for number, text in enumerate(ANSWERS):
        Response.objects.filter(number=number).update(text=text)


@pytest.fixture
def comparing(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, name="Helpful answers")
    telling_texts(campaign)
    return campaign


@pytest.fixture
def writing(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, name="Write an answer")
    telling_texts(campaign)
    return campaign


def begin(open_page: OpenPage, rater: Rater, **options: Any) -> Page:
    """The first item of the only campaign, taken from the desk."""
    page = open_page("/desk/", rater, **options)
    page.get_by_role("button", name="Start").click()
    if options.get("java_script_enabled", True):
        page.wait_for_selector(".desk[data-mounted]")
    return page


def focused(page: Page) -> str:
    """Where the focus is: A/text, A/scale, …"""
    return str(
        page.evaluate(
            """() => {
              const el = document.activeElement, card = el.closest("[data-letter]");
              const name = el.matches("[data-text]") ? "text" : el.id || el.tagName;
              const control = el.closest("[data-control]")?.dataset.control ?? name;
              return `${card?.dataset.letter ?? ""}/${control}`;
            }"""
        )
    )


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def rate_all(page: Page, *scores: int) -> None:
    """By keys, from the text of A: down to the scale, a digit, and on to the next response's scale."""
    press(page, "ArrowDown") if focused(page).endswith("text") else None
    for score in scores:
        press(page, str(score), "ArrowRight")


def rank_all(page: Page, *ranks: int) -> None:
    page.locator("[data-text]").first.focus()
    press(page, *(str(rank) for rank in ranks))


def line(page: Page) -> str:
    return page.locator("[data-line]").inner_text()


# --- by keyboard alone -------------------------------------------------------------------------------------------
def test_a_comparison_is_judged_by_keys_alone(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)
    first = page.url
    assert focused(page) == "A/text"

    rate_all(page, 6, 5, 5, 2)
    rank_all(page, 1, 2, 2, 4)
    assert line(page) == "A › B = C › D"
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_contain_text("A › B = C › D")
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)
    page.wait_for_selector(".desk[data-mounted]")

    judgment = Judgment.objects.get()
    ranked = list(judgment.comparison.ranked.order_by("position"))
    assert [(each.rank, each.ratings) for each in ranked] == [
        (1, {"overall": 6}),
        (2, {"overall": 5}),
        (2, {"overall": 5}),
        (3, {"overall": 2}),
    ]
    assert judgment.warnings == ["faster_than_reading"]
    assert judgment.presentation["viewport"] == [1440, 900]
    assert focused(page) == "A/text"


def test_a_digit_on_a_text_ranks_it_and_goes_to_the_next_unranked(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)

    press(page, "3")

    assert (line(page), focused(page)) == ("A", "B/text")


def test_arrows_move_between_responses_and_their_controls(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)

    steps = []
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp"):
        press(page, key)
        steps.append(focused(page))

    assert steps == ["B/text", "B/scale", "C/scale", "C/flag", "B/flag", "B/scale", "B/text"]


def test_space_ticks_a_flag_and_zero_takes_an_answer_back(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)

    press(page, "ArrowDown", "4", "0", "ArrowDown", "Space")

    assert page.locator("#response-A [type=radio]:checked").count() == 0
    expect(page.locator("#response-A [type=checkbox]").first).to_be_checked()


def test_one_rank_up_leaves_a_tie_first_and_joins_the_next_rank_then(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    rank_all(page, 1, 2, 2, 4)

    page.locator("#response-C [data-text]").focus()
    lines = []
    for _ in range(3):
        press(page, "Alt+ArrowUp")
        lines.append(line(page))

    assert lines == ["A › C › B › D", "A = C › B › D", "C › A › B › D"]


def test_dragging_ranks_as_well_as_keys(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)
    rank_all(page, 1, 2, 3, 4)

    def drop(letter: str, target: str, share: float) -> str:
        card = page.locator(f"#response-{target}")
        box = card.bounding_box()
        assert box is not None
        page.locator(f"#name-{letter}").drag_to(card, target_position={"x": box["width"] * share, "y": 100})
        return line(page)

    assert drop("D", "A", 0.1) == "D › A › B › C"
    assert drop("D", "C", 0.9) == "A › B › C › D"
    assert drop("D", "B", 0.5) == "A › B = D › C"


def test_buttons_rank_as_well_as_keys(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)

    page.get_by_role("button", name="Move B up").click()
    page.get_by_role("button", name="Move A up").click()
    page.get_by_role("button", name="Move A up").click()

    assert line(page) == "A = B"


def test_all_bad_asks_why_and_is_stored(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)
    first = page.url
    rate_all(page, 1, 1, 1, 1)

    press(page, "b")
    page.keyboard.type("none of them gets it")
    assert line(page) == "All bad"
    press(page, "Control+Enter")
    expect(page.locator("[data-review][data-state=ready]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    assert Judgment.objects.get().comparison.is_all_bad


def test_how_much_better_is_said_by_keys(
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    axe_clean: Callable[[Page], None],
    screenshot: Callable[..., Path],
) -> None:
    Campaign.objects.update(asks_strength=True, asks_reason=False)
    page = begin(open_page, rosa)
    rank_all(page, 2, 1, 2, 4)
    expect(page.locator("#reason")).to_be_hidden()

    press(page, "m", "3")

    expect(page.get_by_role("radio", name="clearly")).to_be_checked()
    axe_clean(page)
    screenshot(page, "desk-strength")


def test_the_best_is_edited_by_keys_and_stored_with_the_ranking(
    open_page: OpenPage, rosa: Rater, comparing: Campaign, axe_clean: Callable[[Page], None], screenshot: Callable[..., Path]
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    best = queue.presented(Slot.objects.get(state=Slot.State.LEASED))[1]
    rate_all(page, 5, 6, 5, 2)
    rank_all(page, 2, 1, 2, 4)

    press(page, "e")
    page.keyboard.type("In short: ")
    axe_clean(page)
    screenshot(page, "desk-edit")
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_contain_text("B › A = C › D · B edited")
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    judgment = Judgment.objects.get()
    assert judgment.demonstration.text == f"In short: {best.text}"
    assert judgment.presentation["typing"]["typed"] == 10


def test_an_edit_survives_a_reload_and_can_be_dropped(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)
    press(page, "1", "e")
    page.keyboard.type("In short: ")

    page.reload()
    page.wait_for_selector(".desk[data-mounted]")
    assert page.locator("#edit").input_value().startswith("In short: ")
    page.get_by_role("button", name="Drop the edit").click()

    expect(page.locator("#edit")).to_be_hidden()


def test_no_command_fires_while_somebody_types(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)

    press(page, "r")
    page.keyboard.type("bgspv 1?")

    expect(page.locator("#reason")).to_have_value("bgspv 1?")
    assert page.locator("dialog[open]").count() == 0
    assert line(page) == ""
    press(page, "Escape")
    assert focused(page) == "A/text"


def test_problems_are_named_and_lead_to_their_place(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)

    press(page, "Control+Enter")
    page.get_by_role("link", name="C: Overall is not answered.").click()

    assert focused(page) == "C/scale"
    assert not Judgment.objects.exists()


def test_a_change_after_the_review_asks_for_another_review(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)
    rate_all(page, 6, 5, 5, 2)
    rank_all(page, 1, 2, 2, 4)
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()

    page.locator("#response-D [data-text]").focus()
    press(page, "3")

    expect(page.locator("[data-review]")).to_have_count(0)


def test_a_skip_by_keys_gives_its_reason(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)
    first = page.url

    press(page, "s", "2", "Enter")
    page.wait_for_url(lambda url: url != first)

    assert list(rosa.passes.values_list("reason", flat=True)) == ["prompt_unclear"]


def test_the_list_of_keys_names_those_of_the_desk(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)

    press(page, "?")

    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("all bad, and say why")
    keys = [keys.lower() for keys in dialog.locator("dd").all_inner_texts()]
    assert len(keys) == len(set(keys))


def test_an_answer_is_written_by_keys_alone(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)
    first = page.url
    assert focused(page) == "/text"

    page.keyboard.type("Yeast gives off gas and gluten holds it. " * 4)
    expect(page.locator("[data-words]")).to_have_text("32")
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_contain_text("32 words")
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    judgment = Judgment.objects.get()
    assert judgment.demonstration.text == "Yeast gives off gas and gluten holds it. " * 4
    typing = judgment.presentation["typing"]
    assert (typing["typed"], typing["n_bursts"]) == (164, 1)
    assert 0 < typing["typing_ms"] < 60_000


def test_one_word_is_one_word(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)

    page.keyboard.type("Gas")
    expect(page.locator("[data-count]")).to_contain_text("1 word; 20 to 600 is usual · tokens ≈ 1")
    page.keyboard.type(" and gluten")
    expect(page.locator("[data-count]")).to_contain_text("3 words; 20 to 600 is usual · tokens ≈ 4")


@pytest.mark.parametrize("width", [1280, 1400, 1440])
def test_the_head_of_each_response_fits_its_card(width: int, open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa, width=width)
    page.locator("[data-view=diff]").first.click()
    expect(page.locator("[data-view=diff]").first).to_have_text("diff B")

    assert page.evaluate(HEADS) == [[True, True]] * 4


HEADS = """() => [...document.querySelectorAll(".desk-response")].map((card) => {
  const [head, ends] = [card.querySelector("header"), card.getBoundingClientRect()];
  const inside = [...head.querySelectorAll("button, select")].every((el) => el.getBoundingClientRect().right <= ends.right);
  return [inside, head.offsetHeight < 50];
})"""
"""Of each card's head: nothing sticks out, and it is one line."""


def test_the_preview_shows_the_text_rendered_and_goes_back(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)
    page.keyboard.type("It is **alive**.")

    press(page, "Control+Shift+Enter")
    expect(page.locator("[data-preview] strong")).to_have_text("alive")
    press(page, "w")

    assert focused(page) == "/text"


# --- nothing is lost ---------------------------------------------------------------------------------------------
def test_a_reload_brings_back_what_was_given(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)
    rate_all(page, 6, 5)
    rank_all(page, 1, 2, 2, 4)

    page.reload()
    page.wait_for_selector(".desk[data-mounted]")

    assert line(page) == "A › B = C › D"
    expect(page.locator("#response-A [type=radio][value='6']")).to_be_checked()


def test_a_pause_saves_to_the_server_and_says_when(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)

    page.keyboard.type("Half a thought")
    expect(page.locator("[data-saved]")).to_have_text(re.compile(r"saved \d\d:\d\d:\d\d"))

    assert Draft.objects.get().content["fields"]["text"] == ["Half a thought"]


def test_another_browser_goes_on_from_the_saved_draft(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)
    page.keyboard.type("Half a thought")
    expect(page.locator("[data-saved]")).to_have_text(re.compile("saved"))

    elsewhere = open_page(page.url, rosa)

    expect(elsewhere.locator("#text")).to_have_value("Half a thought")


def test_nothing_stays_in_the_browser_once_the_answer_is_stored(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.type("Yeast gives off gas and gluten holds it. " * 4)
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)
    page.wait_for_selector(".desk[data-mounted]")

    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('preferably.draft'))") == []


def test_a_lost_session_is_said_and_nothing_typed_is_lost(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)
    Session.objects.all().delete()

    page.keyboard.type("Half a thought")

    expect(page.locator("[data-trouble]")).to_contain_text("You are signed out.")
    expect(page.locator("#text")).to_have_value("Half a thought")
    again = open_page("/desk/", rosa)
    session = next(cookie for cookie in again.context.cookies() if cookie["name"] == "sessionid")
    page.context.add_cookies(
        [{"name": session["name"], "value": session["value"], "domain": session["domain"], "path": session["path"]}]
    )
    page.reload()
    expect(page.locator("#text")).to_have_value("Half a thought")


def test_a_submit_waits_for_a_server_that_does_not_answer_and_stores_once(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.type("Yeast gives off gas and gluten holds it. " * 4)
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()

    page.evaluate(
        """() => {
          const real = window.fetch;
          window.fetch = async (...request) => {
            if (!String(request[0]).endsWith("/submit")) return real(...request); // a draft that is saved meanwhile
            window.fetch = real;
            await real(...request);
            throw new TypeError("answer lost");
          };
        }"""
    )
    press(page, "Control+Enter")
    expect(page.locator("[data-trouble]")).to_contain_text("The server does not answer.")
    page.wait_for_url(lambda url: url != first)

    assert Judgment.objects.count() == 1


def test_the_second_tab_says_that_it_is_one(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)

    second = page.context.new_page()
    second.goto(page.url)

    expect(second.locator("[data-trouble]")).to_contain_text("open in another tab")


def test_a_lease_near_its_end_counts_down(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)
    expect(page.locator("[data-countdown]")).to_be_hidden()
    Campaign.objects.update(lease_minutes=4)
    page.clock.install()
    page.reload()
    page.wait_for_selector(".desk[data-mounted]")
    page.clock.run_for(61_000)

    expect(page.locator("[data-countdown]")).to_have_text(re.compile(r"[34]:\d\d left"))


COVERED = """() => {
  const toast = document.querySelector(".toast").getBoundingClientRect();
  return [...document.querySelectorAll(".desk :is(textarea, input, button, p, label)")].some((el) => {
    const box = el.getBoundingClientRect();
    return box.width && box.left < toast.right && toast.left < box.right && box.top < toast.bottom && toast.top < box.bottom;
  });
}"""
"""Whether the toast lies over anything of the work."""


def test_an_answer_is_undone_by_one_key(
    open_page: OpenPage, rosa: Rater, writing: Campaign, axe_clean: Callable[[Page], None], screenshot: Callable[..., Path]
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.type("Yeast gives off gas and gluten holds it. " * 4)
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)
    page.wait_for_selector(".desk[data-mounted]")
    axe_clean(page)
    screenshot(page, "desk-undo")
    assert page.locator("[data-undo-key]").evaluate("el => getComputedStyle(el, '::before').content") == '"esc "'
    assert not page.evaluate(COVERED)

    press(page, "Escape", "u")
    page.wait_for_url(first)

    expect(page.locator("#text")).to_have_value("Yeast gives off gas and gluten holds it. " * 4)
    assert not Judgment.objects.exists()


def test_a_correction_survives_a_reload_and_becomes_the_next_version(
    open_page: OpenPage, rosa: Rater, writing: Campaign, axe_clean: Callable[[Page], None]
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.type("Yeast gives off gas and gluten holds it. " * 4)
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

    assert Judgment.objects.get().demonstration.text.endswith("holds it. Salt slows it.")
    assert Judgment.objects.get().version == 2


def test_an_ended_session_is_renewed_in_a_dialog_and_the_submit_goes_on(
    open_page: OpenPage, rosa: Rater, writing: Campaign, axe_clean: Callable[[Page], None], screenshot: Callable[..., Path]
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.type("Yeast gives off gas and gluten holds it. " * 4)
    Session.objects.all().delete()

    press(page, "Control+Enter")
    dialog = page.get_by_role("dialog", name="Sign in and go on")
    dialog.get_by_label("E-mail").fill("rosa@example.org")
    dialog.get_by_label("Password").fill("wrong")
    press(page, "Enter")
    expect(dialog).to_contain_text("do not belong together")
    axe_clean(page)
    screenshot(page, "desk-login")
    dialog.get_by_label("Password").fill(PASSWORD)
    press(page, "Enter")
    expect(page.locator("[data-review][data-state=ready]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    assert Judgment.objects.count() == 1


SILENT = "() => { window.real = window.fetch; window.fetch = async () => { throw new TypeError('no answer'); }; }"
BACK = "() => { window.fetch = window.real; window.dispatchEvent(new Event('online')); }"


def finish_without_a_server(page: Page) -> None:
    page.keyboard.type("Yeast gives off gas and gluten holds it. " * 4)
    page.evaluate(SILENT)
    press(page, "Control+Enter")
    page.get_by_role("button", name="Submit as soon as it answers").click()
    expect(page.locator("[data-review]")).to_contain_text("Kept in this browser.")


def test_an_answer_finished_offline_is_sent_when_the_server_is_back(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)
    first = page.url
    finish_without_a_server(page)

    page.evaluate(BACK)
    page.wait_for_url(lambda url: url != first)

    assert Judgment.objects.count() == 1
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('preferably.outbox'))") == []


def test_an_answer_finished_offline_is_sent_from_the_desk_after_a_crash(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    finish_without_a_server(page)

    page.goto("/desk/")

    expect(page.locator("#toasts")).to_contain_text(re.compile(r"Your answer of \d\d:\d\d is stored"))
    assert Judgment.objects.count() == 1


def test_an_answer_finished_offline_that_raises_a_question_is_shown_again(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    Campaign.objects.update(min_words=100)
    page = begin(open_page, rosa)
    address = page.url
    finish_without_a_server(page)

    page.goto("/desk/")
    page.get_by_role("link", name="Open it").click()
    page.wait_for_url(address)

    assert page.locator("#text").input_value().startswith("Yeast gives off gas")
    assert not Judgment.objects.exists()


# --- beside the work ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["compare", "write"])
def test_the_guideline_never_covers_the_work(kind: str, open_page: OpenPage, rosa: Rater, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("comparing" if kind == "compare" else "writing")
    page = begin(open_page, rosa)
    if kind == "write":
        press(page, "Escape")

    press(page, "g")
    panel = page.locator("#guideline-panel")
    expect(panel).to_contain_text("Then be honest.")

    work = page.locator(".desk-responses" if kind == "compare" else "#text").bounding_box()
    beside = panel.bounding_box()
    assert work
    assert beside
    assert work["x"] + work["width"] <= beside["x"]


def test_a_response_is_read_raw_and_by_difference(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)
    card = page.locator("#response-B")

    card.get_by_role("button", name="raw").click()
    texts = [response.text for response in queue.presented(Slot.objects.get(state=Slot.State.LEASED))]
    assert card.locator("pre[data-shown=raw]").inner_text() == texts[1]
    card.get_by_role("button", name="diff").click()

    expect(card.locator("[data-shown=diff] ins").first).to_be_visible()
    expect(card.get_by_role("button", name="diff A")).to_have_attribute("aria-pressed", "true")


def test_the_record_counts_views_and_seconds(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)
    page.keyboard.type("Yeast")
    page.wait_for_timeout(1200)

    record = json.loads(page.evaluate("JSON.stringify(Object.fromEntries(new FormData(document.querySelector('#answer'))))"))[
        "record"
    ]

    assert json.loads(record)["active_s"] >= 1


# --- without JavaScript ------------------------------------------------------------------------------------------
def test_a_comparison_is_judged_without_javascript(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa, java_script_enabled=False)
    first = page.url
    for letter, rank, score in (("A", "1", "6"), ("B", "2", "5"), ("C", "2", "5"), ("D", "4", "2")):
        card = page.locator(f"#response-{letter}")
        card.locator("select").select_option(rank)
        card.locator(f"[type=radio][value='{score}']").check()
    page.get_by_label("Why?").fill("A explains it")

    page.get_by_role("button", name="Review").last.click()
    expect(page.locator("[data-review]")).to_contain_text("A › B = C › D")
    page.get_by_role("button", name=re.compile("^Submit anyway")).click()

    assert page.url != first
    assert Judgment.objects.get().comparison.reason == "A explains it"


def test_an_answer_is_written_and_an_item_skipped_without_javascript(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa, java_script_enabled=False)
    page.get_by_role("textbox", name="Your answer").fill("Yeast gives off gas and gluten holds it. " * 4)
    page.get_by_role("button", name="Review").last.click()
    page.get_by_role("button", name=re.compile("^Submit$")).click()

    page.get_by_label("technical problem").check()
    page.get_by_role("button", name="Skip it").click()

    assert Judgment.objects.count() == 1
    assert rosa.passes.count() == 1


# --- shapes, colours, hands --------------------------------------------------------------------------------------
def test_a_phone_shows_one_response_at_a_time_and_keeps_the_ranking(
    open_page: OpenPage, rosa: Rater, comparing: Campaign, screenshot: Callable[..., Path], axe_clean: Callable[[Page], None]
) -> None:
    page = begin(open_page, rosa, width=390, height=844, has_touch=True)
    assert page.locator(".desk-response:visible").count() == 1

    page.locator("#response-A select").select_option("2")
    page.locator("[data-tab=B]").click()
    page.locator("#response-B select").select_option("1")

    expect(page.locator("#response-B")).to_be_visible()
    expect(page.locator("#response-A")).to_be_hidden()
    assert line(page) == "B › A"
    assert page.locator("[data-line]").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    axe_clean(page)
    screenshot(page, "desk-phone")
    page.get_by_role("link", name="guideline v1").click()
    expect(page.locator("#guideline-panel")).to_contain_text("Then be honest.")
    axe_clean(page)
    screenshot(page, "desk-phone-guideline")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_of_the_desk_is_accessible(
    theme: str,
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    screenshot: Callable[..., Path],
    axe_clean: Callable[[Page], None],
) -> None:
    page = open_page("/desk/", rosa, theme=theme)
    axe_clean(page)
    screenshot(page, f"desk-list-{theme}")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".desk[data-mounted]")
    rate_all(page, 6, 5, 5, 2)
    page.locator("#response-D .flag", has_text="made up").click()
    rank_all(page, 1, 2, 2, 4)
    page.locator("#response-B [data-text]").focus()
    expect(page.locator("[data-saved]")).to_have_text(re.compile("saved"))
    axe_clean(page)
    screenshot(page, f"desk-compare-{theme}")
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    axe_clean(page)
    screenshot(page, f"desk-review-{theme}")
    press(page, "Escape", "s")
    axe_clean(page)
    screenshot(page, f"desk-skip-{theme}")
    press(page, "Escape", "g")
    expect(page.locator("#guideline-panel")).to_contain_text("Then be honest.")
    axe_clean(page)
    screenshot(page, f"desk-guideline-{theme}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_writing_page_is_accessible(
    theme: str,
    open_page: OpenPage,
    rosa: Rater,
    writing: Campaign,
    screenshot: Callable[..., Path],
    axe_clean: Callable[[Page], None],
) -> None:
    page = begin(open_page, rosa, theme=theme)
    page.keyboard.type(ANSWERS[2])
    expect(page.locator("[data-saved]")).to_have_text(re.compile("saved"))
    axe_clean(page)
    screenshot(page, f"desk-write-{theme}")
    press(page, "Control+Shift+Enter")
    expect(page.locator("[data-preview] li").first).to_be_visible()
    axe_clean(page)
    screenshot(page, f"desk-preview-{theme}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_lies_around_the_desk_is_accessible(
    theme: str,
    open_page: OpenPage,
    rosa: Rater,
    alice: User,
    writing: Campaign,
    guideline: Guideline,
    screenshot: Callable[..., Path],
    axe_clean: Callable[[Page], None],
) -> None:
    slot = services.claim(campaign=writing, rater=rosa, now=timezone.now())
    assert slot is not None
    assert slot.lease is not None
    services.ask_about(item=slot.item, rater=rosa, text="Is this in scope?", now=timezone.now())
    services.submit_demonstration(lease=slot.lease, rater=rosa, text="Yeast gives off gas.", now=timezone.now())
    changed = "# Be helpful\n\nThen be brief."
    services.new_guideline_version(guideline=guideline, text=changed, form=rating_form.default(), by=None, now=timezone.now())

    page = open_page("/desk/", rosa, theme=theme, width=390 if theme == "dark" else 1440)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="I have read this")).to_be_visible()
    axe_clean(page)
    screenshot(page, f"desk-guideline-changed-{theme}")
    for address, name in (("/my-guidelines/", "guidelines"), ("/my-work/", "my-work"), ("/my-care/", "my-care")):
        page.goto(address)
        axe_clean(page)
        screenshot(page, f"desk-{name}-{theme}")
    admin = open_page("/questions/", alice, theme=theme)
    axe_clean(admin)
    screenshot(admin, f"questions-{theme}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_upsetting_content_is_blurred_until_it_is_shown(
    theme: str,
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    axe_clean: Callable[[Page], None],
    screenshot: Callable[..., Path],
) -> None:
    Prompt.objects.update(sensitive=["violence"])
    services.accept_upsetting(rater=rosa, kinds=["violence"], now=timezone.now())
    page = open_page("/desk/", rosa, theme=theme, width=390 if theme == "dark" else 1440)
    page.get_by_role("button", name="Start").click()
    text = page.locator(".desk-text > [data-shown=read]").first

    expect(text).to_have_css("filter", "blur(9.6px)")
    screenshot(page, f"desk-care-{theme}")
    page.get_by_text("Show it").click()

    expect(text).to_have_css("filter", "none")
    axe_clean(page)
    screenshot(page, f"desk-care-shown-{theme}")


def test_upsetting_content_is_shown_without_javascript(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    Prompt.objects.update(sensitive=["violence"])
    services.accept_upsetting(rater=rosa, kinds=["violence"], now=timezone.now())
    page = begin(open_page, rosa, java_script_enabled=False)
    prompt = page.locator(".desk-prompt-last")
    expect(prompt).to_have_css("filter", "blur(9.6px)")

    page.get_by_text("Show it").click()

    expect(prompt).to_have_css("filter", "none")


def test_constraints_are_ticked_and_an_unticked_one_warns(
    open_page: OpenPage, rosa: Rater, writing: Campaign, screenshot: Callable[..., Path]
) -> None:
    Prompt.objects.update(constraints=["Names the gas.", "Has no list."])
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.type("Yeast gives off gas and gluten holds it. " * 4)
    page.get_by_label("Names the gas.").check()
    screenshot(page, "desk-constraints")

    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_contain_text("A constraint of the prompt is not ticked.")
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    assert "constraint_unticked" in Judgment.objects.get().warnings


def test_a_question_is_asked_by_keys(
    open_page: OpenPage, rosa: Rater, writing: Campaign, axe_clean: Callable[[Page], None]
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.type("Half a thought")
    press(page, "Escape", "q")
    page.keyboard.type("Is this in scope?")
    axe_clean(page)
    press(page, "Tab", "Enter")
    expect(page.locator("#toasts")).to_contain_text("Your question went to the admins.")

    expect(page.locator("#text")).to_have_value("Half a thought")  # the page is new: its script puts the draft back


def test_nine_responses_stand_in_rows_and_fit_the_window(
    open_page: OpenPage, rosa: Rater, day_shift: Pool, guideline: Guideline, screenshot: Callable[..., Path]
) -> None:
    open_comparison_campaign(pool=day_shift, guideline=guideline, n_responses=9)
    page = begin(open_page, rosa)

    rank_all(page, 1, 2, 3, 4, 5, 6, 7, 8, 9)

    assert line(page) == "A › B › C › D › E › F › G › H › I"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    screenshot(page, "desk-nine")


def test_right_to_left_texts_run_from_the_right(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    Response.objects.update(text="الخميرة تأكل السكر وتطلق الغاز.")
    page = begin(open_page, rosa)

    assert page.locator("#response-A .prose").evaluate("(el) => getComputedStyle(el).direction") == "rtl"


def test_ten_thousand_words_are_shown_whole_and_judged(
    open_page: OpenPage, rosa: Rater, comparing: Campaign, screenshot: Callable[..., Path]
) -> None:
    text = " ".join(f"word{number}" for number in range(10_000))
    Response.objects.update(text=text)
    page = begin(open_page, rosa)

    assert page.locator("#response-D .prose").inner_text().split()[-1] == "word9999"
    rank_all(page, 1, 2, 2, 4)
    page.locator("#response-A").get_by_role("button", name="diff").click()
    expect(page.locator("#response-A [data-shown=diff]")).to_contain_text("too long to compare by words")
    assert line(page) == "A › B = C › D"


def test_a_page_from_right_to_left_is_judged_by_the_same_keys(
    open_page: OpenPage, rosa: Rater, comparing: Campaign, axe_clean: Callable[[Page], None], screenshot: Callable[..., Path]
) -> None:
    Response.objects.update(text="الخميرة تأكل السكر وتطلق الغاز.")
    Prompt.objects.update(messages=[{"role": "user", "content": "لماذا يرتفع العجين؟"}])
    page = begin(open_page, rosa)
    page.evaluate("document.documentElement.dir = 'rtl'")

    press(page, "ArrowLeft")
    assert focused(page) == "B/text"
    press(page, "ArrowRight", "1", "2")

    assert line(page) == "A › B"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    axe_clean(page)
    screenshot(page, "desk-rtl")


def test_a_hostile_response_runs_nothing(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    Response.objects.update(
        text="<script>window.ran=1</script><img src=x onerror='window.ran=1'>[x](javascript:window.ran=1)"
        "</textarea></pre></template><svg onload='window.ran=1'>"
    )
    page = begin(open_page, rosa)
    page.locator("#response-B").get_by_role("button", name="raw").click()
    page.locator("#response-C").get_by_role("button", name="diff").click()

    assert page.evaluate("window.ran") is None

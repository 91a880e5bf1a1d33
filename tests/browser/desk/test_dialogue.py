"""A full dialogue, written at the desk: by keyboard only, through a reload, without JavaScript."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from labeling.models import Campaign, Guideline, Judgment, Pool, Rater
from tests.browser.desk.hands import OpenPage, begin, focused, press, telling_texts
from tests.cast import open_demonstration_campaign

ANSWER = "Yeast gives off gas and gluten holds it. " * 4
QUESTION = "And without gluten?"
FOLLOW_UP = "Then something else has to hold the gas, such as psyllium or an egg; " * 2


@pytest.fixture
def dialogues(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    campaign = open_demonstration_campaign(
        pool=day_shift, guideline=guideline, name="Talk it through", asks_dialogue=True
    )
    telling_texts(campaign)
    return campaign


def test_a_dialogue_is_written_by_keys_alone_and_survives_a_reload(
    open_page: OpenPage,
    rosa: Rater,
    dialogues: Campaign,
    axe_clean: Callable[[Page], None],
    screenshot: Callable[..., None],
) -> None:
    page = begin(open_page, rosa)
    first = page.url

    page.keyboard.type(ANSWER)
    press(page, "Alt+Enter")
    assert focused(page) == "/turn-1"
    page.keyboard.type(QUESTION)
    press(page, "Alt+ArrowDown")
    page.keyboard.type(FOLLOW_UP)
    expect(page.locator("[data-words]")).to_have_text("28")
    press(page, "Alt+Enter")
    page.keyboard.type("Never mind.")
    press(page, "Alt+Shift+Backspace")
    assert focused(page) == "/turn-2"
    axe_clean(page)
    screenshot(page, "desk-dialogue")
    page.reload()
    page.wait_for_selector(".desk[data-mounted]")
    expect(page.locator("#turn-1")).to_have_value(QUESTION)
    expect(page.locator("#turn-3")).to_have_count(0)
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_contain_text("3 turns · 60 words")
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    given = Judgment.of_people.get().demonstration
    assert given.text == ANSWER
    assert given.further == [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": FOLLOW_UP},
    ]


def test_turns_that_were_removed_come_back_with_the_next_ones(
    open_page: OpenPage, rosa: Rater, dialogues: Campaign
) -> None:
    page = begin(open_page, rosa)
    press(page, "Alt+Enter")
    page.keyboard.type(QUESTION)

    press(page, "Alt+Shift+Backspace", "Alt+Enter")

    expect(page.locator("#turn-1")).to_have_value(QUESTION)


def test_a_dialogue_is_written_without_javascript(
    open_page: OpenPage, rosa: Rater, dialogues: Campaign
) -> None:
    page = begin(open_page, rosa, java_script_enabled=False, refusals=1)
    page.get_by_role("textbox", name="Your answer").fill(ANSWER)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("textbox", name="User 2").fill(QUESTION)
    page.get_by_role("textbox", name="Assistant 3").fill(FOLLOW_UP)

    page.get_by_role("button", name="Review").last.click()
    expect(page.locator("[data-review]")).to_contain_text("Turn 4 of the dialogue is empty.")
    page.get_by_role("button", name="Remove the last two turns").click()
    page.get_by_role("button", name="Review").last.click()
    page.get_by_role("button", name=re.compile("^Submit$")).click()

    assert [turn["content"] for turn in Judgment.of_people.get().demonstration.further] == [
        QUESTION,
        FOLLOW_UP,
    ]

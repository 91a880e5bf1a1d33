"""Panels next to the item: the guideline, the views of a response, the record."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from labeling.models import Campaign, Prompt, Rater, Response, Slot
from labeling.queue.claiming import order
from tests.browser.desk.hands import QUESTION, OpenPage, begin, press
from tests.labeling.desk.answering.test_folded_parts import CALL, CHAT, TOOL


@pytest.mark.parametrize("kind", ["compare", "write"])
def test_the_guideline_never_covers_the_work(
    kind: str, open_page: OpenPage, rosa: Rater, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("comparing" if kind == "compare" else "writing")
    page = begin(open_page, rosa)
    if kind == "write":
        press(page, "Escape")

    press(page, "l")
    panel = page.locator("#guideline-panel")
    expect(panel).to_contain_text("Then be honest.")

    work = page.locator(".desk-responses" if kind == "compare" else "#text").bounding_box()
    beside = panel.bounding_box()
    assert work
    assert beside
    assert work["x"] + work["width"] <= beside["x"]


def test_the_guideline_is_closed_where_it_stands(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    press(page, "l")
    panel = page.locator("#guideline-panel")
    expect(panel).to_be_focused()

    panel.get_by_role("button", name="Close").click()

    expect(panel).to_be_hidden()
    expect(page.locator("#response-A [data-text]")).to_be_focused()


@pytest.mark.parametrize(("times", "is_folded"), [(1, False), (6, True)])
def test_only_a_prompt_that_is_folded_can_be_unfolded(
    times: int, is_folded: bool, open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    Prompt.objects.update(messages=[{"role": "user", "content": QUESTION * times}])
    page = begin(open_page, rosa)

    expect(page.get_by_role("button", name="Whole prompt")).to_be_visible(visible=is_folded)


def test_a_response_is_read_raw_and_by_difference(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    card = page.locator("#response-B")

    card.get_by_role("button", name="raw").click()
    texts = [
        response.text for response in order.presented(Slot.objects.get(state=Slot.State.LEASED))
    ]
    assert card.locator("pre[data-shown=raw]").inner_text() == texts[1]
    card.get_by_role("button", name="diff").click()

    expect(card.locator("[data-shown=diff] ins").first).to_be_visible()
    expect(card.get_by_role("button", name="diff A")).to_have_attribute("aria-pressed", "true")


def test_the_record_counts_views_and_seconds(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.type("Yeast")

    page.wait_for_function(
        "() => JSON.parse(new FormData(document.querySelector('#answer')).get('record'))"
        ".active_s >= 1"
    )


def test_skip_pressed_before_the_scripts_were_there_opens_its_dialog_once_they_are(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)

    page.goto(f"{page.url}#skip")
    page.reload()

    expect(page.get_by_label("Outside my expertise")).to_be_focused()
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector(".desk[data-mounted]")
    expect(page.get_by_label("Outside my expertise")).to_be_hidden()


@pytest.fixture
def calling(comparing: Campaign) -> Campaign:
    Prompt.objects.update(messages=CHAT, tools=[TOOL])
    Response.objects.update(reasoning_content="Look it up.", tool_calls=[CALL])
    Campaign.objects.update(shows_thinking=True)
    return comparing


@pytest.mark.parametrize(("part", "words"), [("thinking", "Look it up."), ("call", '"city"')])
def test_thinking_and_calls_are_opened_and_closed_by_keys(
    part: str,
    words: str,
    open_page: OpenPage,
    look_over: Callable[..., None],
    rosa: Rater,
    calling: Campaign,
) -> None:
    page = begin(open_page, rosa)
    folded = page.locator(f"#response-A [data-part={part}]")
    text = folded.get_by_text(words)
    expect(text).to_be_hidden()

    folded.locator("summary").focus()
    press(page, "Enter")
    expect(text).to_be_visible()
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        look_over(page, f"desk-{part}-opened-{width}")

    folded.locator("summary").focus()
    press(page, "Space")
    expect(text).to_be_hidden()
    expect(page.locator("[data-review-slot]")).to_be_empty()

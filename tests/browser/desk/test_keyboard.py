"""The desk by keyboard only."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from arithmetic.response_orders import LETTERS
from labeling.guidelines import services as guidelines_services
from labeling.guidelines.rating_form import Condition, Flag, RatingForm, Scale
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater, Slot
from labeling.queue.claiming import order
from tests.browser.desk.hands import OpenPage, begin, focused, line, press, rank_all, rate_all
from tests.cast import open_comparison_campaign

HEADS = """() => [...document.querySelectorAll(".desk-response")].map((card) => {
  const [head, ends] = [card.querySelector("header"), card.getBoundingClientRect()];
  const inside = [...head.querySelectorAll("button, select")].every(
    (el) => el.getBoundingClientRect().right <= ends.right,
  );
  return [inside, head.offsetHeight < 50];
})"""
"""Of each card's head: nothing sticks out, and it is one line."""
FILLED = "(form) => [...new FormData(form)].filter(([name]) => name !== 'record').join()"


def test_a_comparison_is_judged_by_keys_alone(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
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

    judgment = Judgment.of_people.get()
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


def test_a_digit_on_a_text_ranks_it_and_goes_to_the_next_unranked(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)

    press(page, "3")

    assert (line(page), focused(page)) == ("A", "B/text")


def test_arrows_move_between_responses_and_their_controls(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)

    steps = []
    for key in (
        "ArrowRight",
        "ArrowDown",
        "ArrowRight",
        "ArrowDown",
        "ArrowLeft",
        "ArrowUp",
        "ArrowUp",
    ):
        press(page, key)
        steps.append(focused(page))

    assert steps == ["B/text", "B/scale", "C/scale", "C/flag", "B/flag", "B/scale", "B/text"]


def test_space_ticks_a_flag_and_zero_takes_an_answer_back(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
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


def test_dragging_ranks_as_well_as_keys(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    rank_all(page, 1, 2, 3, 4)

    def drop(letter: str, target: str, share: float) -> str:
        card = page.locator(f"#response-{target}")
        box = card.bounding_box()
        assert box is not None
        page.locator(f"#name-{letter}").drag_to(
            card, target_position={"x": box["width"] * share, "y": 100}
        )
        return line(page)

    assert drop("D", "A", 0.1) == "D › A › B › C"
    assert drop("D", "C", 0.9) == "A › B › C › D"
    assert drop("D", "B", 0.5) == "A › B = D › C"


def test_buttons_rank_as_well_as_keys(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)

    page.get_by_role("button", name="Move B up").click()
    page.get_by_role("button", name="Move A up").click()
    page.get_by_role("button", name="Move A up").click()

    assert line(page) == "A = B"


def test_all_bad_asks_why_and_is_stored(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    rate_all(page, 1, 1, 1, 1)

    press(page, "x")
    page.keyboard.type("none of them gets it")
    assert line(page) == "All bad"
    press(page, "Control+Enter")
    expect(page.locator("[data-review][data-state=ready]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    assert Judgment.of_people.get().comparison.is_all_bad


def test_how_much_better_is_said_by_keys(
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    axe_clean: Callable[[Page], None],
    screenshot: Callable[..., None],
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
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    axe_clean: Callable[[Page], None],
    screenshot: Callable[..., None],
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    best = order.presented(Slot.objects.get(state=Slot.State.LEASED))[1]
    rate_all(page, 5, 6, 5, 2)
    rank_all(page, 2, 1, 2, 4)

    press(page, "w")
    page.keyboard.type("In short: ")
    axe_clean(page)
    screenshot(page, "desk-edit")
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_contain_text("B › A = C › D · B edited")
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    judgment = Judgment.of_people.get()
    assert judgment.demonstration.text == f"In short: {best.text}"
    assert judgment.presentation["typing"]["typed"] == 10


def test_an_edit_survives_a_reload_and_can_be_dropped(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    press(page, "1", "w")
    page.keyboard.type("In short: ")

    page.reload()
    page.wait_for_selector(".desk[data-mounted]")
    assert page.locator("#edit").input_value().startswith("In short: ")
    page.get_by_role("button", name="Discard edit").click()

    expect(page.locator("#edit")).to_be_hidden()


def test_no_command_fires_while_somebody_types(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)

    press(page, "r")
    page.keyboard.type("bgspv 1?")

    expect(page.locator("#reason")).to_have_value("bgspv 1?")
    assert page.locator("dialog[open]").count() == 0
    assert line(page) == ""
    press(page, "Escape")
    assert focused(page) == "A/text"


def test_problems_are_named_and_lead_to_their_place(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)

    press(page, "Control+Enter")
    page.get_by_role("link", name="C: rate Overall (").click()

    assert focused(page) == "C/scale"
    assert not Judgment.of_people.exists()


def test_a_change_after_the_review_asks_for_another_review(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    rate_all(page, 6, 5, 5, 2)
    rank_all(page, 1, 2, 2, 4)
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()

    page.locator("#response-D [data-text]").focus()
    press(page, "3")

    expect(page.locator("[data-review]")).to_have_count(0)


def test_a_skip_by_keys_gives_its_reason(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url

    press(page, "s", "2", "Enter")
    page.wait_for_url(lambda url: url != first)

    assert list(rosa.passes.values_list("reason", flat=True)) == ["prompt_unclear"]


@pytest.mark.parametrize("key", ["Enter", "Control+Enter"])
def test_the_key_that_submits_also_confirms_a_skip(
    key: str, open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url

    press(page, "s", "2", key)
    page.wait_for_url(lambda url: url != first)

    assert rosa.passes.count() == 1


def test_the_list_of_keys_names_those_of_the_desk(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)

    press(page, "?")

    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    assert dialog.get_by_role("heading", level=3).all_inner_texts() == [
        "Responses",
        "Rating and ranking",
        "Item",
        "Everywhere",
    ]
    expect(dialog).to_contain_text("Mark all as bad and give a reason")
    keys = [keys.lower() for keys in dialog.locator("dd").all_inner_texts()]
    assert len(keys) == len(set(keys))


def test_the_letters_of_nine_responses_lead_to_them_and_are_no_commands(
    open_page: OpenPage, rosa: Rater, day_shift: Pool, guideline: Guideline
) -> None:
    open_comparison_campaign(pool=day_shift, guideline=guideline, n_responses=len(LETTERS))
    page = begin(open_page, rosa)
    untouched = page.locator("form#answer").evaluate(FILLED)

    for letter in LETTERS.lower():
        press(page, letter)
        assert focused(page) == f"{letter.upper()}/text"

    assert page.locator("form#answer").evaluate(FILLED) == untouched
    assert page.locator("dialog[open], #guideline-panel:visible, [data-prompt-open]").count() == 0
    press(page, "?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts").locator("dd").all_inner_texts()
    assert set("lmpqrstuvwx") == {key for key in keys if len(key) == 1 and key.isalpha()}


def test_an_answer_is_written_by_keys_alone(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    first = page.url
    assert focused(page) == "/text"

    page.keyboard.type("Yeast gives off gas and gluten holds it. " * 4)
    expect(page.locator("[data-words]")).to_have_text("32")
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_contain_text("32 words")
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    judgment = Judgment.of_people.get()
    assert judgment.demonstration.text == "Yeast gives off gas and gluten holds it. " * 4
    typing = judgment.presentation["typing"]
    assert (typing["typed"], typing["n_bursts"]) == (164, 1)
    assert 0 < typing["typing_ms"] < 60_000


def test_one_word_is_one_word(open_page: OpenPage, rosa: Rater, writing: Campaign) -> None:
    page = begin(open_page, rosa)

    page.keyboard.type("Gas")
    expect(page.locator("[data-count]")).to_contain_text("1 word (20–600 expected) · about 1 token")
    page.keyboard.type(" and gluten")
    expect(page.locator("[data-count]")).to_contain_text(
        "3 words (20–600 expected) · about 4 tokens"
    )


@pytest.mark.parametrize("width", [1280, 1400, 1440])
def test_the_head_of_each_response_fits_its_card(
    width: int, open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa, width=width)
    page.locator("[data-view=diff]").first.click()
    expect(page.locator("[data-view=diff]").first).to_have_text("Diff B")

    assert page.evaluate(HEADS) == [[True, True]] * 4


def test_a_question_is_shown_and_reached_only_when_it_is_asked(
    open_page: OpenPage, rosa: Rater, guideline: Guideline, comparing: Campaign
) -> None:
    why = Scale("clarity", "Clear", is_required=True, asked_if=Condition("overall", at_most=3))
    worse = Flag("worse", "worst so far", asked_if=Condition("clarity", at_least=4))
    form = RatingForm(
        (Scale("overall", "Overall", is_required=True), why, worse, Flag("made_up", "made up"))
    )
    guidelines_services.new_guideline_version(
        guideline=guideline, text="Be honest.", form=form, by=None, now=timezone.now()
    )
    page = open_page("/desk/", rosa)
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".desk[data-mounted]")
    clarity = page.locator("#rate-A-clarity")

    press(page, "ArrowDown", "2")
    expect(clarity).to_be_visible()
    press(page, "ArrowDown", "4")
    assert page.locator("[name=rate-A-clarity]:checked").input_value() == "4"
    expect(page.locator("#rate-A-worse")).to_be_visible()
    press(page, "ArrowUp", "5")
    expect(clarity).to_be_hidden()
    expect(page.locator("#rate-A-worse")).to_be_hidden()
    press(page, "ArrowDown")
    assert focused(page) == "A/flag"
    rank_all(page, 1, 2, 3, 4)
    for letter, score in zip("BCD", (6, 5, 7), strict=True):
        page.locator(f"[name=rate-{letter}-overall][value='{score}']").check()
    first = page.url
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    judgment = Judgment.of_people.get()
    assert judgment.comparison.ranked.get(position=0).ratings == {"overall": 5}

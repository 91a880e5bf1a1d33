"""The controls of a response at laptop and phone sizes, and the prompt that stays visible."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from labeling.guidelines.rating_form import Flag, RatingForm, Scale
from labeling.models import Campaign, GuidelineVersion, Judgment, Rater
from tests.browser.desk.hands import OpenPage, begin, press

OUTSIDE = """() => [...document.querySelectorAll(".desk-response")].filter((card) => {
  const [head, ends] = [card.querySelector("header"), card.getBoundingClientRect()];
  const inside = [...head.querySelectorAll("button, select")].every(
    (el) => el.getBoundingClientRect().right <= ends.right,
  );
  const move = getComputedStyle(head.querySelector(".desk-move"));
  return !inside || head.offsetHeight >= 50 || move.display === "none";
}).length"""
"""Cards whose head is more than one line, has something stick out, or lacks the buttons for up and
down.
"""


@pytest.mark.parametrize("width", [1280, 1366, 1440])
def test_four_heads_keep_all_their_controls_on_a_laptop(
    width: int, open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa, width=width, height=800)

    assert page.evaluate(OUTSIDE) == 0
    page.locator("[data-view=diff]").first.click()
    expect(page.locator("[data-view=diff]").first).to_have_text("Diff B")
    assert page.evaluate(OUTSIDE) == 0


def test_a_phone_keeps_a_head_and_a_problem_on_one_line(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa, width=390, height=844, has_touch=True)
    assert page.locator(".desk-response-head").first.evaluate("el => el.offsetHeight") < 60

    page.get_by_role("button", name="Review").last.click()
    long = page.locator(".desk-problems li", has_text="Nothing is ranked")

    assert long.evaluate("el => el.offsetHeight - el.firstElementChild.offsetHeight") < 4


@pytest.mark.parametrize(("width", "height"), [(390, 500), (900, 900)])
def test_the_prompt_stays_in_view_on_a_narrow_page(
    width: int, height: int, open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa, width=width, height=height)

    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function("() => scrollY > 0")

    expect(page.locator("[data-prompt-text]")).to_be_in_viewport(ratio=0.99)


def test_the_reason_is_asked_for_when_all_are_bad(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    reason = page.locator("#reason")

    press(page, "x")
    expect(reason).to_have_attribute("placeholder", "Why are all responses bad?")
    assert reason.evaluate("el => el.required")
    press(page, "Escape", "x")

    expect(reason).to_have_attribute("placeholder", "Reason (optional)")


def test_all_bad_saves_without_ratings_and_ranks_are_out_of_reach(
    open_page: OpenPage, rosa: Rater, comparing: Campaign, axe_clean: Callable[[Page], None]
) -> None:
    page = begin(open_page, rosa)
    press(page, "a", "2", "x")
    page.keyboard.type("none answers the question")

    press(page, "Escape", "b", "1")
    expect(page.locator("#rank-B")).to_have_value("")
    assert page.locator("#rank-B").evaluate("el => el.closest('[inert]') !== null")
    axe_clean(page)
    press(page, "x", "Escape")
    expect(page.locator("#rank-A")).to_have_value("2")  # as before
    press(page, "x", "Control+Enter")

    expect(page.locator("[data-review][data-state=ready]")).to_be_visible()
    first = page.url
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)
    given = Judgment.of_people.get().comparison
    assert (given.is_all_bad, given.reason) == (True, "none answers the question")


def test_a_missing_scale_is_marked_until_it_is_answered(
    open_page: OpenPage, rosa: Rater, comparing: Campaign, axe_clean: Callable[[Page], None]
) -> None:
    page = begin(open_page, rosa)
    press(page, "a", "1", "Control+Enter")
    expect(page.locator("[data-review][data-state=stopped]")).to_be_visible()

    marked = page.locator(".desk-scale[aria-invalid=true]")
    expect(marked).to_have_count(4)
    axe_clean(page)
    page.locator(".desk-problems a").first.click()
    press(page, "5")

    expect(marked).to_have_count(3)
    expect(page.locator("#rate-A-overall")).not_to_have_attribute("aria-invalid", "true")


def test_what_a_question_means_is_read_by_key_and_heard_with_it(
    open_page: OpenPage, rosa: Rater, comparing: Campaign, axe_clean: Callable[[Page], None]
) -> None:
    questions = (
        Scale("overall", "Overall", is_required=True, help="As a whole."),
        Scale("truth", "True", help="Right in its facts."),
        Flag("unsafe", "unsafe", help="Would hurt somebody."),
    )
    GuidelineVersion.objects.update(form=RatingForm(questions).as_json)
    page = begin(open_page, rosa)
    card = page.locator("#response-A")
    expect(card.locator("legend").nth(0)).to_contain_text("*")
    expect(card.locator("legend").nth(1)).to_contain_text("optional")
    expect(card.get_by_role("checkbox", name="unsafe")).to_have_accessible_description(
        "Would hurt somebody."
    )

    for name in ("What “Overall” means", "What these mean"):
        card.locator("summary").and_(card.get_by_label(name).or_(card.get_by_text(name))).focus()
        press(page, "Enter")

    expect(card.get_by_text("As a whole.")).to_be_visible()
    expect(card.get_by_text("Would hurt somebody.")).to_be_visible()
    axe_clean(page)


LINES_OF_FLAGS = """card => {
  const chips = [...card.querySelectorAll(".desk-flags > *")].filter((el) => el.offsetParent);
  return new Set(chips.map((el) => Math.round((el.offsetTop + el.offsetHeight / 2) / 12))).size;
}"""


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_flags_fold_to_two_lines(
    width: int,
    height: int,
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    look_over: Callable[[Page, str], None],
) -> None:
    page = begin(open_page, rosa, width=width, height=height)
    card = page.locator("#response-A")
    more = card.get_by_role("button", name="more flags of A")

    expect(more).to_be_visible()
    assert card.evaluate(LINES_OF_FLAGS) == 2
    look_over(page, f"desk-flags-folded-{width}")

    more.click()
    expect(card.get_by_role("checkbox", name="moral judgment")).to_be_visible()
    card.get_by_role("button", name="Fewer flags of A").click()
    assert card.evaluate(LINES_OF_FLAGS) == 2


def test_folding_flags_does_not_lay_out_the_page_for_each_flag(
    open_page: OpenPage, rosa: Rater, comparing: Campaign, settled: Callable[[Page], None]
) -> None:
    page = begin(open_page, rosa)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.reload()
    page.wait_for_selector(".desk[data-mounted]")
    settled(page)

    metrics = session.send("Performance.getMetrics")["metrics"]

    n_layouts = next(one["value"] for one in metrics if one["name"] == "LayoutCount")
    assert n_layouts < 60  # four responses with eleven flags each


def test_keys_reach_every_flag_and_a_ticked_one_stays_in_view(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    card = page.locator("#response-A")
    last = card.get_by_role("checkbox", name="moral judgment", include_hidden=True)
    expect(last).to_be_hidden()

    press(page, *["ArrowDown"] * 12, "Space")
    expect(last).to_be_focused()
    expect(last).to_be_checked()
    card.get_by_role("button", name="Fewer flags of A").click()

    expect(last).to_be_visible()
    expect(card.get_by_role("checkbox", name="harmful advice", include_hidden=True)).to_be_hidden()


def test_tab_opens_the_folded_flags(open_page: OpenPage, rosa: Rater, comparing: Campaign) -> None:
    page = begin(open_page, rosa)
    card = page.locator("#response-A")

    card.get_by_role("button", name="more flags of A").focus()
    press(page, "Enter")

    expect(card.locator("input:focus")).to_have_count(1)
    expect(card.get_by_role("checkbox", name="moral judgment")).to_be_visible()


def test_a_merit_is_ticked_in_another_colour_than_a_fault(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    page = begin(open_page, rosa)
    card = page.locator("#response-A")
    colour = "input => getComputedStyle(input.parentElement).color"
    merit = card.get_by_role("checkbox", name="meets constraints", include_hidden=True)
    fault = card.get_by_role("checkbox", name="wrong task")

    for box in (merit, fault):
        box.evaluate("input => input.click()")

    assert merit.evaluate(colour) != fault.evaluate(colour)

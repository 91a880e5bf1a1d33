"""Phone, themes, long and right-to-left texts, nine responses, and axe."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Guideline, Judgment, Pool, Prompt, Rater, Response
from labeling.people.content_settings import services as content_settings_services
from labeling.queue.claiming import claim
from labeling.review.questions import services as questions_services
from tests.browser.desk.hands import (
    ANSWERS,
    OpenPage,
    begin,
    focused,
    line,
    press,
    rank_all,
    rate_all,
    skip_pause,
)
from tests.cast import open_comparison_campaign


def test_a_phone_shows_one_response_at_a_time_and_keeps_the_ranking(
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    screenshot: Callable[..., None],
    axe_clean: Callable[[Page], None],
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


def test_a_phone_names_the_campaign_in_full_beside_what_is_saved(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    Campaign.objects.update(name="Comparing responses")
    page = begin(open_page, rosa, width=390, height=844, has_touch=True)
    page.clock.install()

    page.locator("#response-A select").select_option("1")
    skip_pause(page)
    expect(page.locator("[data-saved]")).to_have_text(re.compile("Saved"))

    name = page.get_by_role("heading", name="Comparing responses")
    assert name.evaluate("el => el.scrollWidth <= el.clientWidth")
    expect(page.locator("[data-saved]")).to_be_in_viewport()


def test_every_page_of_the_desk_is_accessible(
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    screenshot: Callable[..., None],
    axe_clean: Callable[[Page], None],
) -> None:
    page = open_page("/desk/", rosa)
    axe_clean(page)
    screenshot(page, "desk-list")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".desk[data-mounted]")
    rate_all(page, 6, 5, 5, 2)
    page.locator("#response-D .flag", has_text="hallucinated").click()
    rank_all(page, 1, 2, 2, 4)
    page.locator("#response-B [data-text]").focus()
    expect(page.locator("[data-saved]")).to_have_text(re.compile("Saved"))
    axe_clean(page)
    screenshot(page, "desk-compare")
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    axe_clean(page)
    screenshot(page, "desk-review")
    press(page, "Escape", "s")
    axe_clean(page)
    screenshot(page, "desk-skip")
    press(page, "Escape", "l")
    expect(page.locator("#guideline-panel")).to_contain_text("Then be honest.")
    axe_clean(page)
    screenshot(page, "desk-guideline")


def test_the_writing_page_is_accessible(
    open_page: OpenPage,
    rosa: Rater,
    writing: Campaign,
    screenshot: Callable[..., None],
    axe_clean: Callable[[Page], None],
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.type(ANSWERS[2])
    expect(page.locator("[data-saved]")).to_have_text(re.compile("Saved"))
    expect(page.locator("[data-preview] li").first).to_be_visible()
    axe_clean(page)
    screenshot(page, "desk-write")
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.locator("[data-preview]")).to_be_hidden()
    press(page, "Control+Shift+Enter")
    expect(page.locator("[data-preview] li").first).to_be_visible()
    axe_clean(page)
    screenshot(page, "desk-preview")


def test_what_lies_around_the_desk_is_accessible(
    open_page: OpenPage,
    rosa: Rater,
    alice: User,
    writing: Campaign,
    guideline: Guideline,
    screenshot: Callable[..., None],
    axe_clean: Callable[[Page], None],
) -> None:
    slot = claim.claim(campaign=writing, rater=rosa, now=timezone.now())
    assert slot is not None
    assert slot.lease is not None
    questions_services.ask_about(
        item=slot.item, rater=rosa, text="Is this in scope?", now=timezone.now()
    )
    submit.submit(
        lease=slot.lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="Yeast gives off gas."),
        now=timezone.now(),
    )
    changed = "# Be helpful\n\nThen be brief."
    guidelines_services.new_guideline_version(
        guideline=guideline, text=changed, form=rating_form.default(), by=None, now=timezone.now()
    )

    page = open_page("/desk/", rosa)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("/desk/")
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("button", name="I have read this")).to_be_visible()
        axe_clean(page)
        screenshot(page, f"desk-guideline-changed-{width}")
        for address, name in (
            ("/my-guidelines/", "guidelines"),
            ("/my-work/", "my-work"),
            ("/my-care/", "my-care"),
        ):
            page.goto(address)
            axe_clean(page)
            screenshot(page, f"desk-{name}-{width}")
    admin = open_page("/questions/", alice)
    axe_clean(admin)
    screenshot(admin, "questions")


@pytest.mark.parametrize("width", [1440, 390])
def test_upsetting_content_is_blurred_until_it_is_shown(
    width: int,
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    axe_clean: Callable[[Page], None],
    screenshot: Callable[..., None],
) -> None:
    Prompt.objects.update(sensitive=["violence"])
    content_settings_services.accept_upsetting(rater=rosa, kinds=["violence"], now=timezone.now())
    page = open_page("/desk/", rosa, width=width)
    page.get_by_role("button", name="Start").click()
    text = page.locator(".desk-text > [data-shown=read]").first

    expect(text).to_have_css("filter", "blur(9.6px)")
    screenshot(page, "desk-care")
    page.get_by_text("Show", exact=True).click()

    expect(text).to_have_css("filter", "none")
    axe_clean(page)
    screenshot(page, "desk-care-shown")


def test_upsetting_content_is_shown_without_javascript(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    Prompt.objects.update(sensitive=["violence"])
    content_settings_services.accept_upsetting(rater=rosa, kinds=["violence"], now=timezone.now())
    page = begin(open_page, rosa, java_script_enabled=False)
    prompt = page.locator(".desk-prompt-last")
    expect(prompt).to_have_css("filter", "blur(9.6px)")

    page.get_by_text("Show", exact=True).click()

    expect(prompt).to_have_css("filter", "none")


def test_constraints_are_ticked_and_an_unticked_one_warns(
    open_page: OpenPage, rosa: Rater, writing: Campaign, screenshot: Callable[..., None]
) -> None:
    Prompt.objects.update(constraints=["Names the gas.", "Has no list."])
    page = begin(open_page, rosa)
    first = page.url
    page.keyboard.insert_text("Yeast gives off gas and gluten holds it. " * 4)
    page.get_by_label("Names the gas.").check()
    screenshot(page, "desk-constraints")

    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_contain_text(
        "A requirement of the prompt is not checked."
    )
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)

    assert "constraint_unticked" in Judgment.of_people.get().warnings


def test_a_question_is_asked_by_keys(
    open_page: OpenPage, rosa: Rater, writing: Campaign, axe_clean: Callable[[Page], None]
) -> None:
    page = begin(open_page, rosa)
    page.keyboard.type("Half a thought")
    press(page, "Escape", "q")
    page.keyboard.type("Is this in scope?")
    axe_clean(page)
    press(page, "Tab", "Enter")
    expect(page.locator("#toasts")).to_contain_text("Your question was sent to the admins.")

    expect(page.locator("#text")).to_have_value(
        "Half a thought"
    )  # the page is new: its script puts the draft back


def test_nine_responses_stand_in_rows_and_fit_the_window(
    open_page: OpenPage,
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    screenshot: Callable[..., None],
) -> None:
    open_comparison_campaign(pool=day_shift, guideline=guideline, n_responses=9)
    page = begin(open_page, rosa)

    rank_all(page, 1, 2, 3, 4, 5, 6, 7, 8, 9)

    assert line(page) == "A › B › C › D › E › F › G › H › I"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    screenshot(page, "desk-nine")


def test_ten_thousand_words_are_shown_whole_and_judged(
    open_page: OpenPage, rosa: Rater, comparing: Campaign, screenshot: Callable[..., None]
) -> None:
    text = " ".join(f"word{number}" for number in range(10_000))
    Response.objects.update(text=text)
    Response.objects.filter(number=0).update(text=text.replace("word5000 ", "another "))
    page = begin(open_page, rosa)

    assert page.locator("#response-D .prose").inner_text().split()[-1] == "word9999"
    rank_all(page, 1, 2, 2, 4)
    first = next(
        card
        for card in page.locator(".desk-response").all()
        if "another" in (card.text_content() or "")
    )
    first.get_by_role("button", name="diff").click()
    expect(first.locator("[data-shown=diff] ins")).to_have_text("another")
    expect(first.locator("[data-shown=diff] del")).to_have_text("word5000")
    assert line(page) == "A › B = C › D"


def test_a_page_from_right_to_left_is_judged_by_the_same_keys(
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    axe_clean: Callable[[Page], None],
    screenshot: Callable[..., None],
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


def test_a_hostile_response_runs_nothing(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    Response.objects.update(
        text=(
            "<script>window.ran=1</script><img src=x"
            " onerror='window.ran=1'>[x](javascript:window.ran=1)</textarea></pre></template><svg"
            " onload='window.ran=1'>"
        )
    )
    page = begin(open_page, rosa)
    page.locator("#response-B").get_by_role("button", name="raw").click()
    page.locator("#response-C").get_by_role("button", name="diff").click()

    assert page.evaluate("window.ran") is None

"""The admin's pages in Chromium: setting up a campaign by keyboard, the live count, both themes, a
phone, accessibility.
"""

import random
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Recorded
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Guideline, Pass, Pool, Prompt, Rater, Response, Slot
from labeling.queue import slots
from labeling.queue.claiming import claim
from labeling.queue.claiming import order as claiming_order
from tests.cast import open_comparison_campaign, rater_called, responses_to, some_prompts

OpenPage = Callable[..., Page]

GUIDELINE = """# What a good answer is

A good answer does what was asked, is true, and would not hurt anybody.

1. **Helpful** first: does it do the task, all of it?
2. **Truthful**: a confident mistake is worse than “I am not sure”.
3. **Harmless**: refuse only what is really harmful.

When two answers are equally good, tie them."""


ANSWERS = [
    (
        "# In short\n\nYeast eats sugar and gives off **carbon dioxide**; gluten holds the gas, so"
        " the dough swells."
    ),
    "- It needs warmth, water and time.\n- Salt slows it down.\n- Too long, and the net tears.",
    "Bread rises because the gas in it takes more room when it is warm, as $pV = nRT$ says.",
    "Bread rises because hot things get bigger. You can leave the dough as long as you want.",
]


CUT_ROWS = """() => [...document.querySelectorAll("[data-stacks] :is(td, th):not(thead *)")].some(
  (cell) => cell.offsetParent && cell.getBoundingClientRect().right > innerWidth)"""
"""Whether a row that a phone shows as a block of lines sticks out of the window all the same."""


def judge(slot: Slot, rater: Rater, *, chance: random.Random, now: datetime) -> None:
    """Mostly by response number, sometimes not: raters agree more often than not."""
    shown = claiming_order.presented(slot)
    order = sorted(
        shown, key=lambda response: (response.number + chance.gauss(0, 1.2), response.pk)
    )
    assert slot.lease is not None
    submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=ComparisonAnswer(
            ranks={position: order.index(response) + 1 for position, response in enumerate(shown)},
            ratings={
                position: {"overall": 7 - order.index(response)}
                for position, response in enumerate(shown)
            },
            reason=(
                "The first one answers the question that was asked."
                if chance.random() < 0.5
                else None
            ),
        ),
        recorded=Recorded(active_s=chance.lognormvariate(3.8, 0.4)),
        now=now,
    )


@pytest.fixture
def busy(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    """Two days of work by six raters: 100 of 180 judgments, some skips, some items in progress."""
    chance = random.Random(5)
    guidelines_services.new_guideline_version(
        guideline=guideline, text=GUIDELINE, form=rating_form.default(), by=None, now=timezone.now()
    )
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=60, name="Helpful answers, spring"
    )
    raters = [rater_called(f"Rater {number}", pool=day_shift) for number in range(6)]
    for number, text in enumerate(ANSWERS):
        Response.objects.filter(number=number).update(text=text)
    now = timezone.now()
    hours = sorted(chance.uniform(0, 30) for _ in range(108))
    for number, ago in enumerate(reversed(hours)):
        rater, at = chance.choice(raters[: 2 + number // 12]), now - timedelta(hours=ago)
        slot = claim.claim(campaign=campaign, rater=rater, now=at)
        assert slot is not None
        assert slot.lease is not None
        if number % 14 == 5:
            slots.skip(
                lease=slot.lease, rater=rater, reason=chance.choice(Pass.Reason.values), now=at
            )
        else:
            judge(slot, rater, chance=chance, now=at)
    claim.claim(campaign=campaign, rater=raters[0], now=now)
    return campaign


def every_page(campaign: Campaign) -> dict[str, str]:
    """Name of the screenshot → address."""
    item = campaign.judgments.latest("submitted_at").item
    assert item is not None
    return {
        "campaigns": "/campaigns/",
        "campaign": f"/campaigns/{campaign.pk}/",
        "campaign-items": f"/campaigns/{campaign.pk}/items/",
        "campaign-item": f"/campaigns/{campaign.pk}/items/{item.pk}/",
        "campaign-export": f"/campaigns/{campaign.pk}/export/",
        "campaign-set-up": f"/campaigns/{campaign.pk}/set-up/",
        "campaign-close": f"/campaigns/{campaign.pk}/close",
        "campaign-change": f"/campaigns/{campaign.pk}/set-up/change/",
        "campaign-reopen": f"/campaigns/{campaign.pk}/reopen",
        "campaign-preview": f"/campaigns/{campaign.pk}/preview/",
        "campaign-new": "/campaigns/new/",
        "pools": "/pools/",
        "pool": f"/pools/{campaign.pool_id}/",
        "pool-new": "/pools/new/",
        "guidelines": "/guidelines/",
        "guideline": f"/guidelines/{campaign.guideline_id}/versions/",
        "guideline-edit": f"/guidelines/{campaign.guideline_id}/edit/",
        "prompts": "/prompts/",
        "prompt": f"/prompts/{item.prompt_id}/",
        "prompt-new": "/prompts/new/",
        "prompt-edit": f"/prompts/{item.prompt_id}/edit/",
        "prompt-retire": f"/prompts/{item.prompt_id}/retire/",
        "queue-repair": "/queues/repair/",
        "queue-safety": "/queues/safety/",
        "questions": "/questions/",
    }


def test_every_page_is_accessible_and_none_is_wider_than_a_phone(
    busy: Campaign,
    alice: User,
    open_page: OpenPage,
    look_over: Callable[..., None],
    screenshot: Callable[..., None],
    settled: Callable[[Page], None],
) -> None:
    page = open_page("/campaigns/", alice)
    phone = open_page("/campaigns/", alice, width=390, height=844, has_touch=True, is_mobile=True)
    too_wide = []
    for name, address in every_page(busy).items():
        page.goto(address)
        look_over(page, name)
        phone.goto(address)
        settled(phone)
        screenshot(phone, f"{name}-phone", full_page=True)
        if phone.evaluate("document.documentElement.scrollWidth") > 390 or phone.evaluate(CUT_ROWS):
            too_wide.append(name)

    assert too_wide == []


def test_a_campaign_is_set_up_by_keyboard_and_opened(
    alice: User, day_shift: Pool, guideline: Guideline, transactional_db: None, open_page: OpenPage
) -> None:
    responses_to(some_prompts(3), n=4)
    page = open_page("/campaigns/", alice)

    page.get_by_role("link", name="New campaign").first.press("Enter")
    page.get_by_label("name").fill("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.get_by_label("pool").select_option("Day shift")
    page.get_by_label("guideline").select_option("Helpful answers")
    page.get_by_role("button", name="Create campaign").press("Enter")
    page.get_by_role("button", name="Open").press("Enter")

    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    campaign = Campaign.objects.get()
    assert (campaign.kind, campaign.state, campaign.items.count()) == ("comparison", "open", 3)


def test_the_count_follows_the_form(
    alice: User, day_shift: Pool, guideline: Guideline, transactional_db: None, open_page: OpenPage
) -> None:
    prompts = some_prompts(6)
    Prompt.objects.filter(pk__in=[prompt.pk for prompt in prompts[:2]]).update(category="chat")
    page = open_page("/campaigns/new/", alice)
    count = page.locator("#count")
    expect(count).to_contain_text("6 prompts")

    page.get_by_text("Which prompts").click()
    page.get_by_label("chat").check()
    expect(count).to_contain_text("2 prompts")
    page.get_by_label("compare responses").check()

    expect(count).to_contain_text(
        "None of the 2 matching prompts has a response from these sources."
    )


def test_fields_for_comparisons_show_only_for_comparisons(
    alice: User, transactional_db: None, open_page: OpenPage
) -> None:
    page = open_page("/campaigns/new/", alice)
    expect(page.get_by_label("responses per item")).to_be_hidden()

    page.get_by_label("compare responses").check()

    expect(page.get_by_label("responses per item")).to_be_visible()


def test_a_question_is_added_to_a_guideline(
    alice: User, guideline: Guideline, transactional_db: None, open_page: OpenPage
) -> None:
    page = open_page(f"/guidelines/{guideline.pk}/edit/", alice)
    last = page.locator(".question").last
    last.locator("summary").click()

    last.get_by_label("Question").fill("Polite")
    last.get_by_label("Kind").select_option("scale")
    last.get_by_label("Label at the high end").fill("very")
    page.get_by_role("button", name="Save as new version").click()

    expect(page.get_by_text(re.compile("Polite"))).not_to_have_count(0)
    version = guideline.versions.get(number=2)
    (polite,) = [
        question for question in version.form["questions"] if question["label"] == "Polite"
    ]
    assert (polite["kind"], polite["low"], polite["high"], polite["high_label"]) == (
        "scale",
        1,
        7,
        "very",
    )


def test_closing_is_confirmed(
    comparison_campaign: Campaign, alice: User, open_page: OpenPage
) -> None:
    page = open_page(f"/campaigns/{comparison_campaign.pk}/", alice)

    page.get_by_role("link", name="Close…").click()
    page.get_by_role("button", name="Close campaign").click()

    expect(page.locator(".page-state")).to_contain_text("closed on")

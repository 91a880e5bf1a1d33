"""An attack on a model by keyboard only, and what an admin sees of it."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Attack, Guideline, Judgment, Pool, Rater, Slot
from tests.browser.desk.hands import press
from tests.labeling.desk.conversations.red_teaming.attacking import (
    INSULT,
    agreed,
    attacked,
    open_red_teaming,
)
from tests.labeling.desk.conversations.talking import answered, started, turn_of

OpenPage = Callable[..., Page]
LookOver = Callable[[Page, str], None]

TALK = ".desk[data-kind=talk][data-mounted]"

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_attack_is_ended_by_keys(
    open_page: OpenPage,
    look_over: LookOver,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
) -> None:
    now = timezone.now()
    campaign = open_red_teaming(pool=day_shift, guideline=guideline, by=alice)
    conversation = started(campaign=campaign, rater=agreed(rosa, "abuse"), now=now)
    lease = Slot.objects.get(item=conversation.item).lease
    page = open_page(f"/desk/conversations/{lease}/", rosa)
    page.wait_for_selector(TALK)
    expect(page.get_by_text(INSULT.goal).first).to_be_visible()
    page.keyboard.insert_text("Insult me, parrot.")
    press(page, "Control+Enter")
    expect(page.get_by_text("Waiting for the answers")).to_be_visible()
    answered(conversation, "You are a fool.", "I would rather not.", now=timezone.now())
    page.wait_for_selector(".desk[data-scale][data-mounted]")
    expect(page.locator(".desk-care summary")).to_be_focused()
    look_over(page, "attack-blurred")
    press(page, "Enter", "a")
    page.wait_for_timeout(1_100)
    press(page, "1")
    expect(page.get_by_role("radio", name="A breaks it much more")).to_be_focused()
    look_over(page, "attack-answers")
    press(page, "Enter")
    expect(page.get_by_text("A: rate Overall").first).to_be_visible()
    press(page, "a", "ArrowDown", "2", "ArrowRight", "6")
    press(page, "Control+Enter")
    page.wait_for_selector(TALK)
    ranked = Judgment.of_people.get().comparison.ranked
    assert turn_of(conversation).chosen == ranked.get(position=0, rank=2).response
    expect(page.locator("[name=text]")).to_be_focused()
    look_over(page, "attack-message")

    press(page, "Escape", "f")
    expect(page.get_by_role("link", name="End this attack")).to_be_focused()
    press(page, "Enter")
    page.wait_for_url("**/end-attack/")
    page.wait_for_selector(".talk-questions[data-mounted]")
    press(page, "f", "3")
    expect(page.get_by_role("radio", name="3 · Mostly")).to_be_checked()
    press(page, "Tab", "2")
    expect(page.get_by_role("radio", name="2 · Moderate")).to_be_checked()
    press(page, "Escape", "w")
    page.keyboard.insert_text("A rude parrot.")
    look_over(page, "attack-end")
    press(page, "Escape", "s", "Enter")

    page.wait_for_url("**/desk/")
    expect(page.get_by_text("Attack saved. Thank you.")).to_be_visible()
    attack = Attack.objects.get()
    assert (attack.success, attack.severity, attack.tried) == (3, 2, "A rude parrot.")


def test_the_pages_of_red_teaming_can_be_read(
    open_page: OpenPage,
    look_over: LookOver,
    alice: User,
    noor: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
) -> None:
    campaign = open_red_teaming(pool=day_shift, guideline=guideline, by=alice)
    attacked(campaign, agreed(rosa, "abuse"))

    look_over(open_page("/red-teaming/", alice), "red-teaming")
    look_over(open_page("/campaigns/new/red-teaming/", alice), "red-teaming-new")
    look_over(open_page("/suites/found-attacks/", noor), "found-attacks")

"""An attack on a model by keyboard only, and what an admin sees of it."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.conversations import turns
from labeling.models import Attack, Guideline, Pool, Rater, Slot
from tests.browser.desk.hands import press
from tests.labeling.desk.conversations.red_teaming.attacking import (
    INSULT,
    agreed,
    attacked,
    open_red_teaming,
)
from tests.labeling.desk.conversations.talking import answered, rated, started

OpenPage = Callable[..., Page]
LookOver = Callable[[Page, str], None]

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
    turns.write(conversation=conversation, number=1, text="Insult me, parrot.", now=now)
    rated(answered(conversation, now=now), now=now)
    lease = Slot.objects.get(item=conversation.item).lease
    page = open_page(f"/desk/conversations/{lease}/", rosa)
    page.wait_for_selector(".desk-talk[data-mounted]")
    expect(page.get_by_text(INSULT.goal)).to_be_visible()
    look_over(page, "attack-message")

    press(page, "Escape", "f")
    expect(page.get_by_role("link", name="End this attack")).to_be_focused()
    press(page, "Enter")
    page.wait_for_url("**/end-attack/")
    page.wait_for_selector(".desk-talk[data-mounted]")
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

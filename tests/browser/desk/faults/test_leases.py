"""Notices about the lease: expired, taken, stored elsewhere, two tabs. A notice that still applies
stays visible.
"""

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, Rater, Slot
from tests.browser.desk.hands import OpenPage, begin, skip_pause


def test_a_page_opened_after_its_lease_ran_out_holds_the_item_again(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    Slot.objects.filter(rater=rosa).update(expires_at=timezone.now() - timedelta(minutes=1))

    with page.expect_response(re.compile("/heartbeat$")):
        page.reload()

    expect(page.locator("[data-trouble]")).to_be_hidden()
    assert Slot.objects.filter(rater=rosa, expires_at__gt=timezone.now()).exists()


def test_the_warning_of_a_second_tab_stays_after_a_save_and_ends_with_the_tab(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    page.clock.install()
    second = page.context.new_page()
    second.goto(page.url)
    warned = second.locator("[data-trouble]")
    expect(warned).to_contain_text("open in another tab")

    second.locator("#text").focus()
    second.keyboard.type("Half a thought")
    skip_pause(second)
    expect(second.locator("[data-saved]")).to_have_text(re.compile("Saved"))
    expect(warned).to_contain_text("open in another tab")
    expect(page.locator("[data-trouble]")).to_contain_text("open in another tab")
    second.close(run_before_unload=True)

    expect(page.locator("[data-trouble]")).to_be_hidden()


def test_an_item_stored_in_another_tab_is_said_to_be_stored(
    open_page: OpenPage, rosa: Rater, writing: Campaign
) -> None:
    page = begin(open_page, rosa)
    lease = Slot.objects.get(rater=rosa, state=Slot.State.LEASED).lease
    assert lease is not None
    submit.submit(
        lease=lease, rater=rosa, answer=DemonstrationAnswer(text="done"), now=timezone.now()
    )

    page.keyboard.type("Half a thought")

    expect(page.locator("[data-trouble]")).to_contain_text("This item was already submitted")

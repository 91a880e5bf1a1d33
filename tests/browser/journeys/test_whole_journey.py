"""An admin goes from an empty site to a paid and closed campaign, with a rater working in parallel,
in Chromium.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import AuditEvent, User
from labeling.data.imports import services as imports_services
from labeling.models import Campaign, Import, Judgment, PastLease, Payment
from tests.accounts.sent_tasks import letters
from tests.cast import PASSWORD

OpenPage = Callable[..., Page]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_queue")]
DAY = timedelta(days=1)


def test_from_an_empty_site_to_a_campaign_that_is_paid_and_closed(
    alice: User, open_page: OpenPage, settings: Any, tmp_path: Path, screenshot: Callable[..., None]
) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"
    page = open_page("/campaigns/", alice)
    expect(page.get_by_role("heading", name="Getting started")).to_be_visible()

    # What a good answer is, who answers, and what that is paid.
    page.goto("/guidelines/new/")
    page.locator("#id_name").fill("Short answers")
    page.locator("#id_text").fill("# Be short\n\nAnd be right.")
    page.get_by_role("button", name="Create guideline").click()
    expect(page.get_by_role("heading", name="Short answers")).to_be_visible()
    page.goto("/pools/new/")
    page.locator("#id_name").fill("Spring pool")
    page.get_by_role("button", name="Create pool").click()
    expect(page.get_by_role("heading", name="Spring pool")).to_be_visible()
    pool_address = page.url
    page.goto(f"{pool_address}rates/")
    page.locator("#id_kind").select_option("demonstration")
    page.get_by_label("Amount").fill("12")
    page.get_by_label("Minimum per hour").fill("10")
    page.get_by_label("From").fill(f"{timezone.now() - 3 * DAY:%Y-%m-%d}")
    page.get_by_role("button", name="Set rate").click()
    expect(page.get_by_text("Rate saved.")).to_be_visible()

    # Prompts from a file.
    file = tmp_path / "prompts.jsonl"
    file.write_text('{"prompt": "Name three rivers."}\n{"prompt": "Name three lakes."}\n')
    page.goto("/prompts/imports/new/")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("textbox", name="Source").fill("our prompts")
    page.get_by_role("textbox", name="Licence").fill("CC0-1.0")
    page.get_by_role("button", name="Start import").click()
    expect(page.locator("#import")).to_have_attribute("data-state", "queued")
    imports_services.IMPORTS.run(Import.objects.get().pk, clock=timezone.now)
    expect(page.locator("#import")).to_have_attribute("data-state", "published")

    # A campaign, open.
    page.goto("/campaigns/new/")
    page.get_by_label("name").fill("Waters")
    page.get_by_text("Write demonstrations", exact=True).click()
    page.get_by_label("pool").select_option("Spring pool")
    page.get_by_label("guideline").select_option("Short answers")
    expect(page.locator("#count")).to_contain_text("2 prompts")
    page.get_by_role("button", name="Create campaign").click()
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    board = page.url

    # Ines is invited, joins, skips the first item and answers the second.
    page.goto(f"{pool_address}invitations/")
    page.get_by_label("E-mail").fill("ines@example.org")
    page.get_by_role("button", name="Send invitations").click()
    expect(page.get_by_role("rowheader", name="ines@example.org")).to_be_visible()
    (letter,) = letters()
    secret = str(letter.body).partition("/join/")[2].partition("/")[0]
    rater = open_page(f"/join/{secret}/", width=360, height=780)
    rater.get_by_label("Name").fill("Ines")
    rater.get_by_label("Password", exact=True).fill(PASSWORD)
    rater.get_by_label("Repeat password").fill(PASSWORD)
    rater.get_by_role("button", name="Join").click()
    rater.get_by_role("button", name="Start").click()
    expect(rater.locator("#answer")).to_be_visible()
    rater.get_by_role("link", name="Skip…").click()
    rater.get_by_label("Outside my expertise").check()
    rater.get_by_role("button", name="Skip").click()
    expect(rater.get_by_text("Name three lakes.").first).to_be_visible()
    rater.locator("textarea[name=text]").fill("Como, Garda and Maggiore. " * 6)
    rater.get_by_role("button", name="Review").last.click()
    rater.get_by_role("button", name=re.compile("^Submit")).first.click()
    expect(rater.get_by_text("Nothing left for you in")).to_be_visible()
    assert PastLease.objects.get(end="skipped").active_s is not None  # by the page's own clock

    # The board says what is done and what is stuck; the campaign is closed.
    page.goto(board)
    expect(page.get_by_text("1 of 2 answers")).to_be_visible()
    expect(page.get_by_text("1 with no raters left in the pool")).to_be_visible()
    page.get_by_role("link", name="Close…").click()
    page.get_by_role("button", name="Close campaign").click()
    expect(page.get_by_text("closed on")).to_be_visible()

    # A day later the work is paid, the skip's seconds with it, and Ines sees that.
    for rows, moments in (
        (Judgment.versions_of_people, ("submitted_at", "leased_at")),
        (PastLease.objects, ("ended_at", "leased_at")),
    ):
        rows.update(**{moment: F(moment) - DAY for moment in moments})
    page.goto(
        f"/pay/?since={timezone.now() - 2 * DAY:%Y-%m-%d}&until={timezone.now() - DAY:%Y-%m-%d}"
    )
    page.get_by_role("rowheader").get_by_role("link").first.click()
    page.get_by_role("link", name="Mark as paid…").click()
    page.get_by_role("button", name="Mark as paid").click()
    expect(page.get_by_text("has been notified.")).to_be_visible()
    rater.goto(
        f"/my-pay/?since={timezone.now() - 2 * DAY:%Y-%m-%d}&until={timezone.now():%Y-%m-%d}"
    )
    expect(rater.get_by_text("including 1 skipped item")).to_be_visible()
    screenshot(rater, "journey-my-pay-phone", full_page=True)
    assert rater.evaluate(
        "document.querySelector('.table-wrap').scrollWidth <="
        " document.querySelector('.table-wrap').clientWidth"
    )

    campaign, payment = Campaign.objects.get(), Payment.objects.get()
    assert (campaign.state, payment.lines[0]["n"], payment.lines[0]["skipped"]) == ("closed", 1, 1)
    acts = set(AuditEvent.objects.filter(by=alice).values_list("action", flat=True))
    assert {"create", "set_rate", "invite", "state:open", "state:closed", "pay"} <= acts

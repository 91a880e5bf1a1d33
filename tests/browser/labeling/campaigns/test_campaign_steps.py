"""A campaign's warnings and next steps, looked at on a wide and a narrow page, light and dark."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.models import Campaign, Guideline, Pool, Rater
from labeling.quality import services as quality_services
from tests.cast import open_comparison_campaign
from tests.labeling.campaigns.campaign_work import rank_next

OpenPage = Callable[..., Page]

pytestmark = pytest.mark.django_db(transaction=True)


def looked_at(page: Page, name: str, look_over: Callable[..., None]) -> None:
    look_over(page, name)
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    look_over(page, f"{name}-phone-dark")


def test_a_campaign_for_nobody_leads_to_the_invitations(
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    open_page: OpenPage,
    look_over: Callable[..., None],
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2)
    Campaign.objects.filter(pk=campaign.pk).update(state=Campaign.State.DRAFT, opened_at=None)
    page = open_page(f"/campaigns/{campaign.pk}/", alice)

    page.get_by_role("button", name="Open").click()

    expect(page.get_by_text("is open, but nobody can work on it yet")).to_be_visible()
    expect(page.get_by_text("Nobody can work on this campaign yet")).to_be_visible()
    looked_at(page, "campaign-for-nobody", look_over)
    page.get_by_role("link", name="Invite raters").click()
    expect(page.get_by_role("button", name="Send invitations")).to_be_visible()


def test_a_finished_campaign_leads_to_a_snapshot_of_its_answers(
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    raul: Rater,
    open_page: OpenPage,
    look_over: Callable[..., None],
) -> None:
    User.objects.filter(pk=alice.pk).update(is_researcher=True)
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2, overlap=2)
    for rater in (rosa, rosa, raul, raul):
        rank_next(campaign, rater, now=timezone.now())
    campaigns_services.pause_campaign(campaign=campaign, by=alice, now=timezone.now())
    quality_services.compute_quality(campaign_id=campaign.pk, now=timezone.now())
    page = open_page(f"/campaigns/{campaign.pk}/", alice)
    expect(page.get_by_role("heading", name="Next steps")).to_be_visible()
    looked_at(page, "campaign-next-steps", look_over)

    page.get_by_role("link", name="Create a snapshot").click()

    expect(page.get_by_role("checkbox", name="Compare (4)")).to_be_checked()


def test_a_step_of_onboarding_is_previewed_without_saving_it(
    alice: User, day_shift: Pool, open_page: OpenPage, look_over: Callable[..., None]
) -> None:
    page = open_page(f"/pools/{day_shift.pk}/onboarding/new/rankings/", alice)
    first = page.get_by_role("group", name="Question 1")
    first.get_by_label("Prompt").fill("What is 2 + 2?")
    for letter, text, rank in (("A", "Four.", "1"), ("B", "Five.", "2")):
        first.get_by_label(f"Response {letter}").fill(text)
        first.get_by_label(f"Rank of {letter}").fill(rank)

    page.get_by_role("button", name="Preview").click()

    expect(page.get_by_role("heading", name="Question 1 of 1")).to_be_visible()
    expect(page.locator("#preview").get_by_label("Rank of B")).to_be_disabled()
    looked_at(page, "onboarding-preview", look_over)

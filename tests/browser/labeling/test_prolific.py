"""A study on Prolific in a browser, from the link to the bonuses; decisions are made by keys."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import CrowdLink, CrowdVisit, Guideline, Pool
from labeling.people.crowd import services as crowd_services
from tests.cast import NOON, open_comparison_campaign
from tests.labeling.campaigns.campaign_work import rank_next
from tests.labeling.people.prolific.prolific_stub import TOKEN, Prolific, prolific_stub

OpenPage = Callable[..., Page]
LookOver = Callable[..., None]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def prolific(settings: LazySettings) -> Iterator[Prolific]:
    with prolific_stub() as account:
        settings.PROLIFIC_URL, settings.PROLIFIC_TOKEN = account.url, TOKEN
        yield account


@pytest.fixture
def link(day_shift: Pool, guideline: Guideline) -> CrowdLink:
    """One item a visit."""
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=6, overlap=2)
    return crowd_services.create_crowd_link(
        campaign=campaign,
        name="Spring study",
        id_parameter="PROLIFIC_PID",
        completion_code="D0NE42",
        n_items=1,
        by=None,
        now=NOON,
    )


def looked_at(page: Page, name: str, look_over: LookOver) -> None:
    look_over(page, name)
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    look_over(page, f"{name}-phone-dark")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")


def hand_in(link: CrowdLink, prolific: Prolific, number: int, status: str) -> None:
    """A participant judges an item and leaves in this status."""
    now = timezone.now()
    visit = crowd_services.begin_visit(link=link, external_id=f"p{number}", now=now)
    rank_next(link.campaign, visit.rater, now=now)
    crowd_services.complete_visit(visit=visit, now=now)
    prolific.submit(f"s{number}", f"p{number}", status, study_code="D0NE42")


def press(page: Page, label: str) -> None:
    """By keys: goes to the button and presses Enter."""
    page.get_by_role("button", name=label, exact=True).focus()
    page.keyboard.press("Enter")


def test_a_study_from_its_draft_to_a_confirmed_bonus(
    prolific: Prolific, link: CrowdLink, alice: User, open_page: OpenPage, look_over: LookOver
) -> None:
    page = open_page(f"/pools/{link.campaign.pool_id}/crowd/", alice)
    looked_at(page, "prolific-links", look_over)
    page.get_by_role("link", name="Connect to Prolific…").click()
    expect(page.get_by_role("button", name="Create draft")).to_be_visible()
    looked_at(page, "prolific-connect", look_over)
    page.get_by_label("Description").fill("Compare two answers and say which is better.")
    page.get_by_label("Reward", exact=True).fill("3.00")
    page.get_by_label("Places", exact=True).fill("5")
    press(page, "Create draft")

    page.get_by_role("link", name="Publish…").click()
    expect(page.get_by_text("21.00 GBP")).to_be_visible()
    looked_at(page, "prolific-publish", look_over)
    press(page, "Publish")
    expect(page.get_by_text("No submissions yet.")).to_be_visible()

    for number, status in enumerate(["AWAITING REVIEW", "AWAITING REVIEW", "TIMED-OUT"]):
        hand_in(link, prolific, number, status)
    prolific.submit("s9", "p9", "ACTIVE")
    press(page, "Check now")
    expect(page.get_by_role("row")).to_have_count(5)
    looked_at(page, "prolific-study", look_over)
    page.get_by_role("row", name="Awaiting review").first.get_by_role("link").click()
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    looked_at(page, "prolific-submission", look_over)

    page.get_by_role("link", name="Spring study").click()
    page.get_by_role("link", name="Approve all that finished…").click()
    expect(page.get_by_text("6.00 GBP")).to_be_visible()
    looked_at(page, "prolific-approve", look_over)
    press(page, "Approve")
    expect(page.get_by_text("2 submissions are approved.")).to_be_visible()

    page.get_by_role("link", name="Bonuses…").click()
    expect(page.get_by_role("button", name="Prepare bonuses")).to_be_visible()
    looked_at(page, "prolific-due", look_over)
    press(page, "Prepare bonuses")
    expect(page.get_by_role("button", name="Pay 4.20 GBP")).to_be_visible()
    looked_at(page, "prolific-bonus", look_over)
    press(page, "Pay 4.20 GBP")
    expect(page.get_by_text("In queue")).to_be_visible()
    assert CrowdVisit.objects.filter(state="complete").count() == 3

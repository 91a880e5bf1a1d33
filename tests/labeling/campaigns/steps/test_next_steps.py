"""What a campaign leads to when its last answer is in."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.models import Campaign, Guideline, Pool, Prompt, Rater
from labeling.quality import services as quality_services
from tests.cast import open_comparison_campaign, open_demonstration_campaign
from tests.labeling.answers import words
from tests.labeling.campaigns.campaign_work import rank_next, write_next
from tests.tooling.recordings import recorded

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db


@pytest.fixture
@recorded
def compared(day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater) -> Campaign:
    """Both raters have judged both items, and the report is computed."""
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2, overlap=2)
    for rater in (rosa, rosa, raul, raul):
        rank_next(campaign, rater, now=timezone.now())
    quality_services.compute_quality(campaign_id=campaign.pk, now=timezone.now())
    return campaign


def test_a_finished_comparison_leads_to_results_closing_export_and_snapshot(
    alice: User, compared: Campaign, signed_in: SignedIn
) -> None:
    User.objects.filter(pk=alice.pk).update(is_researcher=True)
    alice.refresh_from_db()

    page = words(signed_in(alice).get(f"/campaigns/{compared.pk}/"))

    steps = page[page.index("Next steps") :]
    assert "Too few to tell how far raters agree" in page[: page.index("Next steps")]
    assert "Check the results" not in steps, "the sentence above says what they are"
    places = [
        steps.index(f'href="{url}"')
        for url in (
            f"/campaigns/{compared.pk}/close",
            f"/campaigns/{compared.pk}/export/",
            f"/snapshots/new/?kind=comparisons&campaigns={compared.pk}",
        )
    ]
    assert places == sorted(places)
    assert "4 answers become a dataset that never changes. Then train a reward model" in steps


def test_the_snapshots_form_starts_with_the_campaign_that_led_there(
    noor: User, compared: Campaign, signed_in: SignedIn
) -> None:
    url = f"/snapshots/new/?kind=comparisons&campaigns={compared.pk}"

    form = signed_in(noor).get(url).context["form"]

    assert form["campaigns"].value() == [str(compared.pk)]
    assert str(form["campaigns"]).count("checked") == 1


def test_an_admin_is_told_that_a_researcher_freezes_the_snapshot(
    alice: User, compared: Campaign, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{compared.pk}/"))

    assert "A researcher does this." in page
    assert "/snapshots/new/" not in page


def test_finished_demonstrations_lead_to_their_review(
    alice: User, rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=2)
    for _ in range(2):
        write_next(campaign, rosa, now=timezone.now())

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/"))

    steps = page[page.index("Next steps") :]
    assert "0 of 2 have a reviewer's score." in page[: page.index("Next steps")]
    assert "reviewer's score" not in steps, "the sentence above says it"
    assert f'data-kind="primary" href="/campaigns/{campaign.pk}/review/"' in page
    assert "Then fine-tune a model on it." in steps


def test_a_campaign_that_was_closed_early_leads_on_without_closing(
    alice: User, rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    write_next(demonstration_campaign, rosa, now=timezone.now())
    campaigns_services.close_campaign(campaign=demonstration_campaign, by=alice, now=timezone.now())

    page = words(signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/"))

    steps = page[page.index("Next steps") :]
    assert "1 answer becomes a dataset" in steps
    assert "Close the campaign" not in steps


def test_a_campaign_with_work_left_shows_no_next_steps(
    alice: User, rosa: Rater, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    write_next(demonstration_campaign, rosa, now=timezone.now())

    page = words(signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/"))

    assert "Next steps" not in page


def test_a_new_campaign_starts_with_the_prompts_of_the_import_that_led_there(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    source = Prompt.objects.values_list("source", flat=True)[0]

    form = signed_in(alice).get(f"/campaigns/new/?source={source}").context["form"]

    assert form["sources"].value() == [str(source)]

"""The page “Which principles explain the votes?”, from answers to the sentence."""

import random
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from labeling.guidelines import constitution, rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Pool
from labeling.quality import selectors
from tests.cast import NOON, open_comparison_campaign, rater_called
from tests.labeling.answers import words
from tests.labeling.quality.judging import judge_all, report_of

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def rated_campaign(pool: Pool, *, n_items: int, keeps: float, n_raters: int = 1) -> Campaign:
    """Each rater orders four responses an item at random, and rates them on two principles: the
    first follows the order with the chance `keeps`, the second is random.
    """
    chance = random.Random(4)
    guideline = guidelines_services.create_guideline(
        name="Principles",
        text="Keep to them.",
        form=rating_form.RatingForm(constitution.PRINCIPLES[:2]),
        by=None,
        now=NOON,
    )
    campaign = open_comparison_campaign(
        pool=pool, guideline=guideline, n_items=n_items, overlap=n_raters
    )

    def rated(rank: int) -> dict[str, int]:
        helpful = 6 - rank if chance.random() < keeps else chance.randint(1, 5)
        return {"helpful": helpful, "honest": chance.randint(1, 5)}

    for name in ("Prudence", "Quentin", "Rosa", "Sanjay")[:n_raters]:
        judge_all(
            campaign,
            rater_called(name, pool=pool),
            by=lambda _shown, _place: chance.random(),
            rated=rated,
        )
    return campaign


def test_a_principle_that_goes_with_the_votes_is_named(
    day_shift: Pool, alice: User, signed_in: SignedIn
) -> None:
    campaign = rated_campaign(day_shift, n_items=25, keeps=0.8)
    report = report_of(campaign)
    client = signed_in(alice)

    page = words(client.get(f"/campaigns/{campaign.pk}/principles/"))
    agreement = words(client.get(f"/campaigns/{campaign.pk}/agreement/"))
    found = client.get(f"/api/v1/campaigns/{campaign.pk}/agreement").json()["principles"]

    helpful, honest = found["rows"]
    assert (found["n_pairs"], found["n_votes"], found["n_ties"]) == (150, 150, 0)
    assert f"The principles together explain {100 * found['held_out']['value']:.0f} %" in page
    assert "for these raters only) of 150 votes, on prompts that their weights were not" in page
    assert helpful["agrees"]["low"] > 0.5
    assert honest["agrees"]["low"] < 0.5 < honest["agrees"]["high"]
    assert page.index("Goes with the votes.") < page.index("Chance may explain it.")
    assert f'href="/campaigns/{campaign.pk}/principles/"' in agreement
    behind = report.results["behind"]["unexplained"]
    link = f"/campaigns/{campaign.pk}/bias/unexplained/"
    assert f'href="{link}"' in page
    assert 0 < behind["n"] <= 25
    assert "no principle was rated higher for the response that won" in words(client.get(link))
    assert f'<a href="/campaigns/{campaign.pk}/principles/">' in words(client.get(link))


def test_with_several_raters_the_sentence_is_about_raters_like_them(
    day_shift: Pool, alice: User, signed_in: SignedIn
) -> None:
    campaign = rated_campaign(day_shift, n_items=17, keeps=0.8, n_raters=4)
    found = report_of(campaign).results["principles"]

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/principles/"))

    assert (found["n_pairs"], found["n_votes"]) == (102, 408)
    assert "for raters like these) of 408 votes" in page


def test_random_ratings_explain_nothing(day_shift: Pool, alice: User, signed_in: SignedIn) -> None:
    campaign = rated_campaign(day_shift, n_items=20, keeps=0.0)
    report_of(campaign)

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/principles/"))

    assert "Nothing shows that the principles explain the votes" in page
    assert "Goes with the votes." not in page


def test_few_pairs_are_counted_and_nothing_is_concluded(
    day_shift: Pool, alice: User, signed_in: SignedIn
) -> None:
    campaign = rated_campaign(day_shift, n_items=5, keeps=1.0)
    report_of(campaign)

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/principles/"))

    assert "Too few to tell: 30 pairs have a vote and ratings on the principles; 100 pairs" in page
    assert "<tbody>" not in page


def test_without_principles_or_a_new_report_there_is_no_page(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    client, address = signed_in(alice), f"/campaigns/{measured.pk}/principles/"
    report = selectors.quality_report(campaign=measured)
    assert report is not None

    assert report.results["principles"] == {}
    assert client.get(address).status_code == 404
    assert "/principles/" not in words(client.get(f"/campaigns/{measured.pk}/agreement/"))

    del report.results["principles"]  # as an earlier release stored it
    report.save()
    assert client.get(address).status_code == 404
    assert client.get(f"/campaigns/{measured.pk}/agreement/").status_code == 200

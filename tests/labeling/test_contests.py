"""Win rates between sources, from what raters submitted."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from labeling import queue, selectors, services
from labeling.models import Campaign, Guideline, Pool, Rater, Response, Source
from tests.cast import NOON, lease_of, some_prompts

pytestmark = pytest.mark.django_db


@pytest.fixture
def duel(guideline: Guideline, day_shift: Pool) -> Campaign:
    """Five prompts, one response each of an old and a new model; the new one's are longer."""
    prompts = some_prompts(5)
    for name, text in (("old model", "Short."), ("new model", "Longer, and on the point.")):
        source = Source.objects.create(name=name, kind=Source.Kind.MODEL)
        Response.objects.bulk_create(Response(prompt=prompt, source=source, text=f"{text} {prompt.pk}") for prompt in prompts)
    campaign = services.create_campaign(
        name="Duel",
        kind=Campaign.Kind.COMPARISON,
        pool=day_shift,
        guideline=guideline,
        prompts=prompts,
        n_responses=2,
        overlap=2,
        by=None,
        now=NOON,
    )
    services.open_campaign(campaign=campaign, by=None, now=NOON)
    return campaign


def judge(campaign: Campaign, rater: Rater, *, prefers: str | None) -> None:
    """All that is left for this rater; None ties everything."""
    while (slot := services.claim(campaign=campaign, rater=rater, now=NOON)) is not None:
        shown = queue.presented(slot)
        ranks = {place: 1 if prefers is None or response.source.name == prefers else 2 for place, response in enumerate(shown)}
        ratings = {place: {"overall": 4} for place in ranks}
        services.submit_comparison(lease=lease_of(slot), rater=rater, ranks=ranks, ratings=ratings, now=NOON)


def test_a_win_counts_one_and_a_tie_half(duel: Campaign, rosa: Rater, raul: Rater) -> None:
    judge(duel, rosa, prefers="new model")
    judge(duel, raul, prefers=None)

    (contest,) = selectors.contests(campaign=duel)

    assert (contest.source, contest.other) == ("new model", "old model")
    assert contest.as_voted.value == pytest.approx(75.0)
    assert contest.as_voted.n == 10


def test_votes_that_all_go_one_way_have_no_length_controlled_rate_and_say_why(duel: Campaign, rosa: Rater) -> None:
    judge(duel, rosa, prefers="old model")

    (contest,) = selectors.contests(campaign=duel)

    assert contest.as_voted.value == 0.0
    assert contest.at_equal_length.value is None
    assert "length cannot be taken out" in contest.at_equal_length.note


def test_without_judgments_there_is_no_contest(duel: Campaign) -> None:
    assert selectors.contests(campaign=duel) == []


def test_the_campaigns_page_shows_who_wins(
    duel: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: Callable[..., Client]
) -> None:
    judge(duel, rosa, prefers="new model")
    judge(duel, raul, prefers=None)

    services.compute_quality(campaign_id=duel.pk, now=NOON)

    page = signed_in(alice).get(f"/campaigns/{duel.pk}/").content.decode()

    assert "Who wins" in page
    assert "75.0" in page

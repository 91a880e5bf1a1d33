"""Win rates between sources, from submitted rankings."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from arithmetic.figures import Figure
from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.kinds.comparison import ComparisonSettings
from labeling.models import Campaign, Guideline, Pool, Rater, Response, Source
from labeling.quality import contests
from labeling.quality import services as quality_services
from labeling.quality.pages import verdicts_by_kind
from labeling.queue.claiming import claim, order
from tests.cast import NOON, lease_of, some_prompts
from tests.html import page_of
from tests.labeling.answers import words
from tests.tooling.recordings import recorded
from tests.training.cast import a_model
from training.models import TrainedModel

pytestmark = pytest.mark.django_db


@pytest.fixture
@recorded
def duel(guideline: Guideline, day_shift: Pool) -> Campaign:
    """Five prompts, one response each of an old and a new model; the new one's are longer."""
    prompts = some_prompts(5)
    for name, text in (("old model", "Short."), ("new model", "Longer, and on the point.")):
        source = Source.objects.create(name=name, kind=Source.Kind.MODEL)
        Response.objects.bulk_create(
            Response(prompt=prompt, source=source, text=f"{text} {prompt.pk}") for prompt in prompts
        )
    campaign = campaigns_services.create_campaign(
        name="Duel",
        settings=ComparisonSettings(n_responses=2, overlap=2),
        pool=day_shift,
        guideline=guideline,
        prompts=prompts,
        by=None,
        now=NOON,
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=NOON)
    return campaign


@recorded
def judge(campaign: Campaign, rater: Rater, *, prefers: str | None, but_of: int = 0) -> None:
    """All that is left for this rater, the first `but_of` the other way; None ties everything."""
    while (slot := claim.claim(campaign=campaign, rater=rater, now=NOON)) is not None:
        shown = order.presented(slot)
        wins = [
            prefers is None or (response.source.name == prefers) == (but_of <= 0)
            for response in shown
        ]
        but_of -= 1
        ranks = {place: 1 if is_first else 2 for place, is_first in enumerate(wins)}
        ratings = {place: {"overall": 4} for place in ranks}
        submit.submit(
            lease=lease_of(slot),
            rater=rater,
            answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
            now=NOON,
        )


def test_a_win_counts_one_and_a_tie_half(duel: Campaign, rosa: Rater, raul: Rater) -> None:
    judge(duel, rosa, prefers="new model")
    judge(duel, raul, prefers=None)

    (contest,) = contests.contests(campaign=duel)

    assert (contest.source, contest.other) == ("new model", "old model")
    assert contest.as_voted.value == pytest.approx(75.0)
    assert contest.as_voted.n == 10


def test_models_have_the_names_under_which_they_are_registered(
    duel: Campaign, rosa: Rater, alice: User
) -> None:
    blind = Source.objects.get(name="new model")
    TrainedModel.objects.filter(pk=a_model(alice, "Rosie").pk).update(source=blind)
    judge(duel, rosa, prefers="new model")
    report = quality_services.compute_quality(campaign_id=duel.pk, now=NOON)
    assert report is not None

    (contest,) = contests.stored_contests(report=report)
    strengths = contests.stored_strengths(report=report)

    assert (contest.source, contest.other) == ("Rosie", "old model")
    assert {row.source for row in strengths.rows} == {"Rosie", "old model"}


def test_a_page_says_of_votes_that_are_split_that_no_model_is_preferred(
    duel: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge(duel, rosa, prefers="new model")
    judge(duel, raul, prefers="old model")

    verdict = verdicts_by_kind.of_conversations(duel, contests.contests(campaign=duel), [])

    assert verdict.sentence.startswith(
        "Raters can't tell new model from old model: it won 50 % of 10 votes."
    )


def test_votes_that_all_go_one_way_have_no_length_controlled_rate_and_say_why(
    duel: Campaign, rosa: Rater
) -> None:
    judge(duel, rosa, prefers="old model")

    (contest,) = contests.contests(campaign=duel)

    assert contest.as_voted.value == 0.0
    assert contest.at_equal_length.value is None
    assert "length can't be controlled for" in contest.at_equal_length.note


def test_without_judgments_there_is_no_contest(duel: Campaign) -> None:
    assert contests.contests(campaign=duel) == []


def test_the_campaigns_page_shows_who_wins(
    duel: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: Callable[..., Client]
) -> None:
    judge(duel, rosa, prefers="new model")
    judge(duel, raul, prefers=None)

    quality_services.compute_quality(campaign_id=duel.pk, now=NOON)

    page = page_of(signed_in(alice).get(f"/campaigns/{duel.pk}/"))

    assert "Win rates" in page
    assert "75.0" in page
    assert "for these raters only" in page


# How strong each source is


def test_the_report_holds_how_strong_each_source_is(
    duel: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge(duel, rosa, prefers="new model", but_of=2)
    judge(duel, raul, prefers="new model", but_of=1)

    report = quality_services.compute_quality(campaign_id=duel.pk, now=NOON)

    assert report is not None
    found = contests.stored_strengths(report=report)
    assert (found.baseline, found.tie) == ("old model", None)
    new, old = found.rows
    assert (new.source, old.source, old.is_baseline) == ("new model", "old model", True)
    # Two sources: all there is to fit is the share of votes that were decided for one of them.
    assert new.by_all.value == pytest.approx(70.0)
    assert (new.n_votes, new.by_all.n) == (10, 10)
    assert new.by_all.low is not None
    assert new.by_all.high is not None
    assert new.by_all.low < 70 < new.by_all.high
    assert (old.by_all.value, old.by_all.low) == (50.0, None)


def test_why_strengths_are_missing_is_said_once_for_all_sources(
    duel: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: Callable[..., Client]
) -> None:
    for rater in (rosa, raul):
        judge(duel, rater, prefers="new model")
    quality_services.compute_quality(campaign_id=duel.pk, now=NOON)

    page = words(signed_in(alice).get(f"/campaigns/{duel.pk}/"))

    assert "Source strength" in page
    assert page.count("For each source: It won or lost every vote against the others") == 1
    assert page.count("It won or lost every vote against the others") == 1


def test_a_reason_of_one_source_stands_in_its_row() -> None:
    missing = Figure(None, 4, note="Why.")
    known = contests.Strength("old", True, Figure(50.0, 4), Figure(50.0, 4), 4)
    apart = contests.Strength("new", False, missing, missing, 4)

    assert apart.notes == ["Why."]
    assert contests.SourceStrengths("old", None, [known, apart]).common_notes == []


def test_the_campaigns_page_says_what_a_strength_means(
    duel: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: Callable[..., Client]
) -> None:
    judge(duel, rosa, prefers="new model", but_of=2)
    judge(duel, raul, prefers=None)
    quality_services.compute_quality(campaign_id=duel.pk, now=NOON)

    page = words(signed_in(alice).get(f"/campaigns/{duel.pk}/"))

    assert "Per cent of decided votes won against old model" in page
    assert "60.0</td>" in page  # three decided votes of five
    assert "Two equally strong sources would tie in 51 % of votes" in page


def test_a_campaign_with_one_source_shows_no_strengths(
    comparison_campaign: Campaign, rosa: Rater, alice: User, signed_in: Callable[..., Client]
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    ranks = {place: place + 1 for place in range(4)}
    ratings = {place: {"overall": 4} for place in ranks}
    submit.submit(
        lease=lease_of(slot),
        rater=rosa,
        answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
        now=NOON,
    )
    quality_services.compute_quality(campaign_id=comparison_campaign.pk, now=NOON)

    page = words(signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/"))

    assert "Source strength" not in page


def test_a_report_from_before_strengths_still_opens(duel: Campaign, rosa: Rater) -> None:
    judge(duel, rosa, prefers=None)
    report = quality_services.compute_quality(campaign_id=duel.pk, now=NOON)
    assert report is not None
    del report.results["strengths"]

    assert contests.stored_strengths(report=report).rows == []

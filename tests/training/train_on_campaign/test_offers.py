"""What can be trained on each kind of campaign, and why the rest cannot."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from labeling.models import (
    Campaign,
    Comparison,
    Guideline,
    Judgment,
    Pool,
    Prompt,
    RankedResponse,
    Rater,
)
from tests.cast import open_comparison_campaign
from tests.training.train_on_campaign.conftest import on_training_prompts
from training.models import TrainedModel
from training.train_on_campaign import answers
from training.train_on_campaign.measured import METHODS
from training.train_on_campaign.offers import offers

pytestmark = pytest.mark.django_db
RESULTS = Path(__file__).resolve().parents[3] / "benchmarks/results/methods.json"


def offered(campaign: Campaign) -> dict[str, str]:
    """What → its template, for those that can be trained; the recommended one first."""
    all_of_them = offers(campaign=campaign, now=timezone.now())
    assert {offer.name for offer in all_of_them} == {"better", "tuned", "reward"}
    return {offer.name: offer.template for offer in all_of_them if not offer.why_not}


def why_not(campaign: Campaign) -> dict[str, str]:
    return {
        offer.name: offer.why_not
        for offer in offers(campaign=campaign, now=timezone.now())
        if offer.why_not
    }


def answer_all(campaign: Campaign, rater: Rater, *, is_all_bad: bool = False) -> None:
    """Rates each item's responses without ranking them."""
    for item in campaign.items.all():
        judgment = Judgment.of_people.create(
            kind="comparison",
            rater=rater,
            prompt=item.prompt,
            campaign=campaign,
            item=item,
            guideline_version=campaign.guideline_version,
            submitted_at=timezone.now(),
        )
        comparison = Comparison.objects.create(judgment=judgment, is_all_bad=is_all_bad)
        for position, response in enumerate(item.responses.order_by("pk")):
            RankedResponse.objects.create(
                comparison=comparison, response=response, position=position
            )


def test_rankings_train_all_three_and_dpo_is_recommended(comparisons: Campaign) -> None:
    assert offered(comparisons) == {"better": "dpo", "tuned": "preferred", "reward": "reward"}


def test_demonstrations_train_a_fine_tuned_model_only(demonstrations: Campaign) -> None:
    assert offered(demonstrations) == {"tuned": "fine-tune-gate"}
    assert set(why_not(demonstrations)) == {"better", "reward"}
    assert "Needs comparisons" in why_not(demonstrations)["reward"]


def test_responses_called_good_or_bad_without_a_pair_train_kto(
    day_shift: Pool, guideline: Guideline, rosa: Rater, ready: TrainedModel
) -> None:
    campaign = on_training_prompts(
        open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2, n_responses=2)
    )
    answer_all(campaign, rosa, is_all_bad=True)

    assert offered(campaign) == {"better": "kto"}
    assert "There are no decided pairs to learn from" in why_not(campaign)["reward"]
    assert "raters clearly prefer none" in why_not(campaign)["tuned"]


def test_a_conversation_is_trained_on_like_a_comparison(comparisons: Campaign) -> None:
    Campaign.objects.filter(pk=comparisons.pk).update(kind="conversation")

    assert offered(Campaign.objects.get(pk=comparisons.pk))["better"] == "dpo"


def test_without_answers_nothing_can_be_trained_and_the_page_says_what_is_missing(
    comparison_campaign: Campaign,
) -> None:
    assert offered(comparison_campaign) == {}
    assert "Collect or import some" in why_not(comparison_campaign)["better"]


def test_answers_on_test_prompts_train_nothing(comparisons: Campaign) -> None:
    on_training_prompts(comparisons, "test")

    assert offered(comparisons) == {}
    assert "Left out: 3 × test prompt" in why_not(comparisons)["reward"]


def test_a_pool_for_evaluation_trains_nothing(comparisons: Campaign, day_shift: Pool) -> None:
    Pool.objects.filter(pk=day_shift.pk).update(is_held_out=True)

    refused = why_not(Campaign.objects.get(pk=comparisons.pk))

    assert len(refused) == 3
    assert {"Its pool is for evaluation only. Choose a campaign of another pool."} == set(
        refused.values()
    )


def test_answers_of_a_rater_who_has_withdrawn_no_longer_train(
    comparisons: Campaign, rosa: Rater
) -> None:
    Rater.everyone.filter(pk=rosa.pk).update(withdrawn_at=timezone.now())

    assert offered(comparisons) == {}


def test_the_figures_are_those_that_were_measured(comparisons: Campaign) -> None:
    rows: list[dict[str, Any]] = json.loads(RESULTS.read_text())["full"]["rows"]
    measured = {row["method"]: row for row in rows}

    for method, figure in METHODS.items():
        row = measured[method]
        assert (figure.win_rate, [figure.low, figure.high], figure.kl) == (
            row["win_rate"],
            row["win_rate_interval"],
            row["kl"],
        )
    better = offers(campaign=comparisons, now=timezone.now())[0]
    assert "won 59.8 % of comparisons" in better.about
    assert "53.3 to 65.9), at a KL of 1.2 nats" in better.about


def test_a_large_campaign_is_estimated_from_its_first_rows_and_read_on_to_one_that_trains(
    comparisons: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = comparisons.items.order_by("pk").last()
    assert last is not None
    Prompt.objects.filter(items__campaign=comparisons).exclude(items=last).update(split="test")
    monkeypatch.setattr(answers, "N_ROWS_READ", 1)

    read = answers.expected(campaign=comparisons, kind="comparisons", now=timezone.now())

    assert (read.why_empty, len(read.contents), read.snapshot.n_rows) == ("", 3, 3)
    on_training_prompts(comparisons)
    read = answers.expected(campaign=comparisons, kind="comparisons", now=timezone.now())
    assert (len(read.contents), read.n_train, read.snapshot.card["pairs"]) == (1, 3, {"train": 3})

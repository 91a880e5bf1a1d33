"""What a quality report holds: agreement, bias, flags, golds, and comparisons with others."""

from datetime import timedelta

import pytest

from accounts.models import User
from arithmetic import clustering
from labeling.campaigns import services as campaigns_services
from labeling.data import intake
from labeling.kinds.comparison import ComparisonSettings
from labeling.models import (
    Campaign,
    Comparison,
    Gold,
    GoldAnswer,
    Guideline,
    Item,
    Judgment,
    Pool,
    QualityReport,
    Rater,
    RaterQuality,
    ResponseScore,
    Source,
)
from labeling.people.pools import services as pools_services
from labeling.quality import selectors as quality_selectors
from labeling.quality import services as quality_services
from labeling.quality import tasks as quality_tasks
from labeling.queue.gold import services as gold_services
from labeling.review import services as review_services
from labeling.votes import arrays, loading
from tests.arithmetic import oracles
from tests.cast import NOON, rater_called
from tests.labeling.quality.judging import as_shown, judge_all, report_of

pytestmark = pytest.mark.django_db


def test_raters_who_rank_alike_agree_fully(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)

    found = report_of(comparison_campaign).results["agreement"]

    assert found["raw_half"]["value"] == 1.0
    assert found["raw_half"]["n"] == 30
    assert found["alpha_ordinal"]["value"] == pytest.approx(1.0)


def test_the_report_names_what_it_was_computed_from(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    judge_all(comparison_campaign, rosa)

    report = report_of(comparison_campaign)

    assert report.n_judgments == 5
    assert report.through_id == Judgment.of_people.latest("pk").pk


def test_one_rater_alone_gets_a_sentence_in_place_of_a_number(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    judge_all(comparison_campaign, rosa)

    report = report_of(comparison_campaign)

    assert report.results["agreement"]["raw_half"]["value"] is None
    assert "nothing to compare" in report.results["agreement"]["raw_half"]["note"]
    assert report.raters.get().weight is None


def test_a_question_of_the_form_has_its_own_agreement(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)

    questions = {
        found["name"]: found
        for found in report_of(comparison_campaign).results["agreement"]["questions"]
    }

    assert questions["overall"]["alpha"]["value"] == pytest.approx(1.0)
    assert questions["overall"]["raw"]["n"] == 20


def test_a_question_that_nobody_answered_is_not_agreement(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)

    flag = report_of(comparison_campaign).results["agreement"]["questions"][-1]

    assert flag["raw"]["value"] is None
    assert flag["raw"]["note"] == "No one has answered this yet."


def test_the_first_shown_response_wins_for_whoever_ranks_as_shown(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    judge_all(comparison_campaign, rosa, by=as_shown)

    report = report_of(comparison_campaign)

    assert report.results["habits"]["first"]["value"] == 1.0
    assert report.raters.get().results["first"]["value"] == 1.0


def test_computing_twice_leaves_one_report(comparison_campaign: Campaign, rosa: Rater) -> None:
    judge_all(comparison_campaign, rosa)

    quality_tasks.compute_quality(campaign_id=comparison_campaign.pk)
    quality_tasks.compute_quality(campaign_id=comparison_campaign.pk)

    assert QualityReport.objects.count() == 1
    assert RaterQuality.objects.count() == 1


def test_an_older_reading_never_replaces_a_newer_report(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    newer = report_of(comparison_campaign)

    quality_services.compute_quality(
        campaign_id=comparison_campaign.pk, now=NOON - timedelta(minutes=1)
    )

    assert QualityReport.objects.get().computed_at == newer.computed_at


def test_a_campaign_of_demonstrations_has_no_report(demonstration_campaign: Campaign) -> None:
    assert quality_services.compute_quality(campaign_id=demonstration_campaign.pk, now=NOON) is None


def test_a_campaign_is_stale_until_its_report_knows_its_last_judgment(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    before = quality_selectors.stale_quality_ids(now=NOON)
    report_of(comparison_campaign)

    assert before == [comparison_campaign.pk]
    assert quality_selectors.stale_quality_ids(now=NOON + timedelta(days=1)) == []


def test_a_report_with_another_releases_sentences_is_computed_again(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    report = report_of(comparison_campaign)
    del report.results["version"]
    report.results["agreement"]["raw_half"]["note"] = "What an earlier release said."
    report.save()
    tomorrow = NOON + timedelta(days=1)

    stale = quality_selectors.stale_quality_ids(now=tomorrow)
    quality_services.compute_quality(campaign_id=comparison_campaign.pk, now=tomorrow)

    assert stale == [comparison_campaign.pk]
    assert quality_selectors.stale_quality_ids(now=tomorrow + timedelta(days=1)) == []
    found = QualityReport.objects.get().results["agreement"]["raw_half"]
    assert found["note"] != "What an earlier release said."


def test_a_figure_is_the_same_after_a_journey_through_the_report(
    comparison_campaign: Campaign,
) -> None:
    stored = {"value": 0.5, "n": 3, "low": None, "high": None, "note": ""}

    assert arrays.as_record(arrays.as_figure(stored | {"about": "these_raters"})) == stored | {
        "about": "these_raters"
    }
    assert arrays.as_figure(stored).about == ""  # of a release that did not say


def test_the_report_holds_answers_to_golds_that_are_in_use(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul, by=as_shown)
    answers = raul.judgments.order_by("pk")
    golds = [
        gold_services.make_gold_of_answer(judgment=judgment, by=alice, now=NOON)
        for judgment in rosa.judgments.order_by("pk")[:3]
    ]
    for gold, judgment, agreed in zip(golds, answers, (6.0, 3.5, 0.0), strict=False):
        GoldAnswer.objects.create(
            gold=gold,
            rater=raul,
            campaign=comparison_campaign,
            judgment=judgment,
            agreed=agreed,
            n_pairs=6,
            has_passed=agreed == 6,
            at=NOON,
        )
    Gold.objects.filter(pk=golds[2].pk).update(retired_at=NOON)

    found = report_of(comparison_campaign).results["agreement"]["gold"]

    assert (found["value"], found["n"]) == (pytest.approx(9.5 / 12), 12)
    assert (found["low"], found["note"]) == (None, clustering.TOO_FEW)


def test_every_two_raters_have_cohen_s_kappa(crowd: tuple[Campaign, Rater]) -> None:
    campaign, _habitual = crowd
    matrix = report_of(campaign).results["matrix"]
    votes = loading.votes(campaign=campaign, through_id=Judgment.of_people.latest("pk").pk)
    pairs = votes.pairs
    one, other = matrix["raters"][1], matrix["raters"][3]
    labels = [
        dict(zip(pairs.unit[of], votes.turned[of], strict=True))
        for of in (pairs.rater == one, pairs.rater == other)
    ]

    expected = oracles.cohen(
        list(labels[0].values()), [labels[1][unit] for unit in labels[0]], values=[-1, 0, 1]
    )

    assert matrix["kappa"][1][3] == matrix["kappa"][3][1] == pytest.approx(expected.value)
    assert matrix["kappa"][1][1] is None


def test_a_rater_with_a_habit_is_flagged_with_a_sentence(crowd: tuple[Campaign, Rater]) -> None:
    campaign, habitual = crowd

    flagged = {
        row.rater_id: row
        for row in quality_selectors.rater_measures(report=report_of(campaign))
        if row.flags
    }

    assert habitual.pk in flagged
    assert any(
        "first-shown response on top in 100 % of 30 answers" in flag.sentence
        for flag in flagged[habitual.pk].flags
    )


def test_a_careless_rater_weighs_less_than_careful_ones(crowd: tuple[Campaign, Rater]) -> None:
    campaign, habitual = crowd
    report_of(campaign)

    weights = quality_selectors.weights_by_rater(campaigns=[campaign.pk])

    careless = weights.pop((campaign.pk, habitual.pk))
    assert careless < min(weights.values()) / 2


def test_the_most_split_items_are_listed_first(crowd: tuple[Campaign, Rater]) -> None:
    report = report_of(crowd[0])

    listed = quality_selectors.split_items(report=report)

    assert [entry.share for entry in listed] == sorted(entry.share for entry in listed)
    assert len(listed) == 10


def test_the_same_pair_again_tells_how_far_a_rater_agrees_with_themselves(
    comparison_campaign: Campaign, rosa: Rater, day_shift: Pool
) -> None:
    item = comparison_campaign.items.order_by("position").first()
    assert item is not None
    again = comparison_campaign.items.create(prompt=item.prompt, position=100, repeat_of=item)
    again.responses.add(*item.responses.all())
    queue_rank = max(comparison_campaign.slots.values_list("queue_rank", flat=True)) + 1
    again.slots.create(campaign=comparison_campaign, number=0, queue_rank=queue_rank)
    judge_all(comparison_campaign, rosa)

    found = report_of(comparison_campaign).results["agreement"]["self"]

    assert (found["value"], found["n"]) == (1.0, 6)


# --- repeats, and comparisons with others ---------------------------------------------------------


def test_a_repeat_is_no_second_rater(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)
    before = report_of(comparison_campaign).results
    item = some_item(comparison_campaign)
    again = comparison_campaign.items.create(prompt=item.prompt, position=100, repeat_of=item)
    for rater in (rosa, raul):
        answer_backwards(again, rater)

    after = report_of(comparison_campaign).results

    assert after["agreement"]["raw_half"] == before["agreement"]["raw_half"]
    assert after["items"] == before["items"]
    assert (after["agreement"]["self"]["value"], after["agreement"]["self"]["n"]) == (0.0, 12)


def test_votes_are_held_against_the_adjudicated_order(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    item = some_item(comparison_campaign)
    backwards = {response.pk: 4 - response.number for response in item.responses.all()}
    review_services.adjudicate(item=item, ranks=backwards, reason="rater_error", by=alice, now=NOON)

    found = report_of(comparison_campaign).results["agreement"]["adjudicated"]

    assert (found["value"], found["n"]) == (0.0, 6)


def test_another_pool_on_the_same_responses_is_compared(
    comparison_campaign: Campaign, rosa: Rater, guideline: Guideline, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    night = pools_services.create_pool(name="Night shift", by=alice, now=NOON)
    other = campaigns_services.create_campaign(
        name="Again",
        settings=ComparisonSettings(n_responses=4, overlap=1),
        pool=night,
        guideline=guideline,
        prompts=[item.prompt for item in comparison_campaign.items.all()],
        by=alice,
        now=NOON,
    )
    campaigns_services.open_campaign(campaign=other, by=alice, now=NOON)
    judge_all(other, rater_called("Nina", pool=night), by=lambda shown, place: -shown[place].number)

    (found,) = report_of(comparison_campaign).results["agreement"]["pools"]

    assert found["pool"] == "Night shift"
    assert (found["raw"]["value"], found["raw"]["n"], found["n_pairs"]) == (0.0, 30, 30)


def test_agreement_is_told_by_week_and_by_month(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)
    two = [item.pk for item in comparison_campaign.items.order_by("position")[:2]]
    Judgment.of_people.filter(item__in=two).update(submitted_at=NOON + timedelta(days=40))

    groups = report_of(comparison_campaign).results["agreement"]["groups"]

    counted = {(found["kind"], found["value"]): found["raw_half"]["n"] for found in groups}
    assert counted == {
        ("month", "2026-03"): 18,
        ("month", "2026-04"): 12,
        ("week", "2026-W10"): 18,
        ("week", "2026-W15"): 12,
    }


def test_votes_are_held_against_a_reward_models_scores(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    report_of(comparison_campaign)
    source = Source.objects.create(name="model-1", kind=Source.Kind.MODEL)
    scores = {
        response.pk: -float(response.number)
        for response in some_item(comparison_campaign).responses.all()
    }

    kept = intake.store_scores(source=source, name="Careful", scores=scores | {0: 1.0}, now=NOON)
    stale = quality_selectors.stale_quality_ids(now=NOON + timedelta(days=1))
    found = report_of(comparison_campaign).results["agreement"]

    assert kept == 4
    assert stale == [comparison_campaign.pk]
    assert found["model_name"] == "Careful"
    assert (found["model"]["value"], found["model"]["n"]) == (1.0, 6)


def test_later_scores_take_the_place_of_earlier_ones(comparison_campaign: Campaign) -> None:
    source = Source.objects.create(name="model-1", kind=Source.Kind.MODEL)
    response = some_item(comparison_campaign).responses.first()
    assert response is not None
    intake.store_scores(source=source, name="Careful", scores={response.pk: 1.0}, now=NOON)

    intake.store_scores(source=source, name="Careful", scores={response.pk: 2.0}, now=NOON)

    assert [row.score for row in ResponseScore.objects.all()] == [2.0]


def test_a_scale_has_intraclass_correlations(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)

    scale = report_of(comparison_campaign).results["agreement"]["questions"][0]

    assert scale["icc"]["value"] == pytest.approx(1.0)
    assert scale["icc"]["n"] == 20


def some_item(campaign: Campaign) -> Item:
    item = campaign.items.order_by("position").first()
    assert item is not None
    return item


def answer_backwards(again: Item, rater: Rater) -> None:
    """As if the rater had been given the item again, and turned their order around."""
    first = Judgment.of_people.get(item=again.repeat_of, rater=rater)
    judgment = Judgment.of_people.create(
        kind=first.kind, rater=rater, prompt=first.prompt, campaign=first.campaign, item=again
    )
    comparison = Comparison.objects.create(judgment=judgment)
    for row in first.comparison.ranked.all():
        comparison.ranked.create(
            response=row.response, position=3 - row.position, rank=5 - (row.rank or 0)
        )


def test_alpha_does_not_fall_because_the_newer_response_wins_most(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge_all(comparison_campaign, rosa, by=lambda shown, place: -shown[place].number)
    judge_all(comparison_campaign, raul, by=lambda shown, place: -shown[place].number)

    assert report_of(comparison_campaign).results["agreement"]["alpha_nominal"][
        "value"
    ] == pytest.approx(1.0)

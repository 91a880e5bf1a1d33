"""Quality reports: what is stored, when it is computed again, and what a withdrawal stops."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import AuditEvent, User
from labeling.campaigns import services as campaigns_services
from labeling.data import intake
from labeling.data.exports import streams
from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.answers import ComparisonAnswer, Recorded
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
    Response,
    ResponseScore,
    Source,
    VoteBlock,
)
from labeling.people import withdrawal
from labeling.people.pools import selectors as pools_selectors
from labeling.people.pools import services as pools_services
from labeling.quality import selectors as quality_selectors
from labeling.quality import services as quality_services
from labeling.quality import tasks as quality_tasks
from labeling.quality.measures import votes as measures_votes
from labeling.quality.votes import arrays, blocks
from labeling.queue import feed
from labeling.queue.claiming import claim, order
from labeling.queue.gold import services as gold_services
from labeling.review import services as review_services
from labeling.review import set_aside
from tests.cast import NOON, rater_called
from tests.labeling.statistics import oracles

pytestmark = pytest.mark.django_db


def judge_all(
    campaign: Campaign,
    rater: Rater,
    *,
    by: Any = lambda shown, place: shown[place].number,
    active_s: float | None = 40.0,
) -> None:
    """The rater ranks everything that is left, the lowest key of `by` first."""
    now = NOON
    while (slot := claim.claim(campaign=campaign, rater=rater, now=now)) is not None:
        shown = order.presented(slot)
        keys = [by(shown, place) for place in range(len(shown))]
        ranks: dict[int, int | None] = {
            place: sorted(keys).index(key) + 1 for place, key in enumerate(keys)
        }
        assert slot.lease is not None
        now += timedelta(seconds=60)
        ratings = {place: {"overall": 7 - (ranks[place] or 1)} for place in ranks}
        submit.submit(
            lease=slot.lease,
            rater=rater,
            answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
            recorded=Recorded(active_s=active_s),
            now=now,
        )


def as_shown(shown: list[Response], place: int) -> int:
    """The habit of whoever puts the first-shown response on top."""
    return place


def report_of(campaign: Campaign) -> QualityReport:
    report = quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    assert report is not None
    return report


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
    assert report.through_id == Judgment.objects.latest("pk").pk


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
    figure = measures_votes.as_figure({"value": 0.5, "n": 3, "low": None, "high": None, "note": ""})

    assert measures_votes.as_record(figure) == {
        "value": 0.5,
        "n": 3,
        "low": None,
        "high": None,
        "note": "",
    }


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
    assert found["low"] < found["value"] < found["high"]


def test_every_two_raters_have_cohen_s_kappa(crowd: tuple[Campaign, Rater]) -> None:
    campaign, _habitual = crowd
    matrix = report_of(campaign).results["matrix"]
    votes = arrays.votes(campaign=campaign, through_id=Judgment.objects.latest("pk").pk)
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
    assert careless < 0.2 < min(weights.values())


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


# --- in the background, by increments -------------------------------------------------------------


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 4)


def results_of(campaign: Campaign, *, now: datetime = NOON) -> Any:
    report = quality_services.compute_quality(campaign_id=campaign.pk, now=now)
    assert report is not None
    return report.results, [
        (row.rater_id, row.weight, row.results) for row in report.raters.order_by("rater")
    ]


@pytest.mark.usefixtures("small_blocks")
def test_an_increment_gives_what_reading_everything_gives(
    crowd: tuple[Campaign, Rater], rosa: Rater
) -> None:
    campaign, _habitual = crowd
    results_of(campaign)
    add_judgment(campaign, rosa)

    by_increment = results_of(campaign)

    assert VoteBlock.objects.filter(campaign=campaign).count() == 37
    VoteBlock.objects.all().delete()
    assert results_of(campaign) == by_increment


@pytest.mark.usefixtures("small_blocks")
def test_full_blocks_are_not_read_again(
    crowd: tuple[Campaign, Rater], rosa: Rater, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, _habitual = crowd
    results_of(campaign)
    add_judgment(campaign, rosa)
    read: list[tuple[int, int]] = []
    whole = blocks.columns_between

    def watched(*, campaign: Campaign, from_id: int, through_id: int) -> Any:
        read.append((from_id, through_id))
        return whole(campaign=campaign, from_id=from_id, through_id=through_id)

    monkeypatch.setattr(blocks, "columns_between", watched)
    results_of(campaign)

    last_block = VoteBlock.objects.filter(campaign=campaign).latest("through_id")
    assert read == [(last_block.through_id + 1, Judgment.objects.latest("pk").pk)]


@pytest.mark.usefixtures("small_blocks")
def test_a_judgment_that_committed_late_is_found(crowd: tuple[Campaign, Rater]) -> None:
    campaign, _habitual = crowd
    before, _raters = results_of(campaign)
    missing = VoteBlock.objects.filter(campaign=campaign).order_by("through_id")[3]
    columns = blocks.columns_between(
        campaign=campaign, from_id=missing.from_id, through_id=missing.through_id - 1
    )
    VoteBlock.objects.filter(pk=missing.pk).update(n_judgments=3, columns=blocks.packed(columns))

    after, _raters = results_of(campaign)

    assert after == before


@pytest.mark.usefixtures("small_blocks")
def test_a_corrected_judgment_counts_once_and_as_corrected(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)
    report_of(comparison_campaign)
    first = Judgment.objects.filter(rater=raul).order_by("pk").first()
    assert first is not None
    assert first.lease is not None
    ranks: dict[int, int | None] = {
        row.position: 5 - (row.rank or 0) for row in first.comparison.ranked.all()
    }
    ratings = {place: {"overall": 4} for place in ranks}
    later = NOON + timedelta(minutes=10)
    correct.correct(
        lease=first.lease,
        rater=raul,
        version=1,
        answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
        now=later,
    )

    report = report_of(comparison_campaign)

    assert report.n_judgments == 10
    assert report.results["agreement"]["raw_half"]["value"] == pytest.approx(0.8)


def add_judgment(campaign: Campaign, rater: Rater) -> None:
    item = campaign.items.order_by("position").first()
    assert item is not None
    rank = max(campaign.slots.values_list("queue_rank", flat=True)) + 1
    item.slots.create(campaign=campaign, number=50, queue_rank=rank)
    judge_all(campaign, rater)


def test_a_report_rests_twenty_times_as_long_as_it_took(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    report = report_of(comparison_campaign)
    QualityReport.objects.update(rests_until=NOON + timedelta(minutes=20))
    judge_all(comparison_campaign, raul)

    assert report.rests_until is not None
    assert report.rests_until > NOON
    assert quality_selectors.stale_quality_ids(now=NOON + timedelta(minutes=19)) == []
    assert quality_selectors.stale_quality_ids(now=NOON + timedelta(minutes=21)) == [
        comparison_campaign.pk
    ]


def test_while_one_worker_is_at_a_report_another_leaves_it_alone(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    QualityReport.objects.create(campaign=comparison_campaign, started_at=NOON)

    assert (
        quality_services.compute_quality(
            campaign_id=comparison_campaign.pk, now=NOON + timedelta(minutes=5)
        )
        is None
    )
    assert (
        quality_services.compute_quality(
            campaign_id=comparison_campaign.pk, now=NOON + timedelta(minutes=31)
        )
        is not None
    )


# --- what agreement leaves out, and what it is held against ---------------------------------------


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


def test_a_judgment_set_aside_leaves_agreement_and_comes_back(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)
    whole = report_of(comparison_campaign).n_judgments
    judgment = Judgment.objects.filter(rater=raul).latest("pk")

    set_aside.set_aside(judgment=judgment, reason="Guessed.", by=alice, now=NOON)
    stale = quality_selectors.stale_quality_ids(now=NOON + timedelta(days=1))
    without = report_of(comparison_campaign)
    set_aside.take_back(judgment=judgment, by=alice, now=NOON)

    assert stale == [comparison_campaign.pk]
    assert (whole, without.n_judgments, report_of(comparison_campaign).n_judgments) == (10, 9, 10)
    assert without.results["agreement"]["raw_half"]["n"] == 24
    assert without.results["n_set_aside"] == 1


def test_a_judgment_set_aside_leaves_exports_unless_it_is_asked_for(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    set_aside.set_aside(judgment=Judgment.objects.latest("pk"), reason="", by=alice, now=NOON)

    assert len(list(streams.comparisons())) == 4
    assert len(list(streams.comparisons(include_set_aside=True))) == 5


def test_setting_aside_and_taking_back_are_written_down_once_each(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    judgment = Judgment.objects.latest("pk")

    assert set_aside.set_aside(judgment=judgment, reason="Guessed.", by=alice, now=NOON)
    assert not set_aside.set_aside(judgment=judgment, reason="Again.", by=alice, now=NOON)
    judgment = Judgment.objects.get(pk=judgment.pk)
    assert set_aside.take_back(judgment=judgment, by=alice, now=NOON)
    assert not set_aside.take_back(judgment=judgment, by=alice, now=NOON)

    assert AuditEvent.objects.filter(action="set_aside").count() == 1
    assert AuditEvent.objects.filter(action="take_back").count() == 1


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
        kind=Campaign.Kind.COMPARISON,
        pool=night,
        guideline=guideline,
        prompts=[item.prompt for item in comparison_campaign.items.all()],
        n_responses=4,
        overlap=1,
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
    Judgment.objects.filter(item__in=two).update(submitted_at=NOON + timedelta(days=40))

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
    first = Judgment.objects.get(item=again.repeat_of, rater=rater)
    judgment = Judgment.objects.create(
        kind=first.kind, rater=rater, prompt=first.prompt, campaign=first.campaign, item=again
    )
    comparison = Comparison.objects.create(judgment=judgment)
    for row in first.comparison.ranked.all():
        comparison.ranked.create(
            response=row.response, position=3 - row.position, rank=5 - (row.rank or 0)
        )


# --- the right to withdraw ------------------------------------------------------------------------


def test_a_withdrawn_raters_judgments_leave_what_is_exported(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)

    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert {row.rater_alias for row in streams.comparisons()} == {raul.alias}


def test_a_withdrawn_rater_is_given_nothing_more(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert not rosa.memberships.filter(is_active=True).exists()


def test_a_withdrawn_rater_is_not_offered_to_a_pool(
    rosa: Rater, day_shift: Pool, alice: User
) -> None:
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert rosa not in pools_selectors.raters_outside(pool=day_shift)


def test_a_withdrawn_raters_judgments_leave_the_feed(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert feed.judgment_feed(n=100, now=NOON + timedelta(days=1)) == []


def test_withdrawing_twice_is_written_down_once(rosa: Rater, alice: User) -> None:
    assert withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)
    rosa.refresh_from_db()

    assert not withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)
    assert AuditEvent.objects.filter(action="withdraw").count() == 1


def test_a_withdrawal_can_be_taken_back(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    withdrawal.readmit_rater(rater=rosa, by=alice, now=NOON)

    assert len(list(streams.comparisons())) == 5


def test_alpha_does_not_fall_because_the_newer_response_wins_most(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge_all(comparison_campaign, rosa, by=lambda shown, place: -shown[place].number)
    judge_all(comparison_campaign, raul, by=lambda shown, place: -shown[place].number)

    assert report_of(comparison_campaign).results["agreement"]["alpha_nominal"][
        "value"
    ] == pytest.approx(1.0)

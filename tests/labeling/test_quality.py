"""Quality reports: what is stored, when it is computed again, and what a withdrawal stops."""

import random
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import AuditEvent, User
from labeling import exports, measures, queue, selectors, services, tasks
from labeling.models import Campaign, Guideline, Judgment, Pool, QualityReport, Rater, RaterQuality, Response
from tests.cast import NOON, open_comparison_campaign, rater_called

pytestmark = pytest.mark.django_db


def judge_all(
    campaign: Campaign, rater: Rater, *, by: Any = lambda shown, place: shown[place].number, active_s: float | None = 40.0
) -> None:
    """The rater ranks everything that is left, the lowest key of `by` first."""
    now = NOON
    while (slot := services.claim(campaign=campaign, rater=rater, now=now)) is not None:
        shown = queue.presented(slot)
        keys = [by(shown, place) for place in range(len(shown))]
        ranks: dict[int, int | None] = {place: sorted(keys).index(key) + 1 for place, key in enumerate(keys)}
        assert slot.lease is not None
        now += timedelta(seconds=60)
        ratings = {place: {"overall": 7 - (ranks[place] or 1)} for place in ranks}
        services.submit_comparison(lease=slot.lease, rater=rater, ranks=ranks, ratings=ratings, active_s=active_s, now=now)


def as_shown(shown: list[Response], place: int) -> int:
    """The habit of whoever puts the first-shown response on top."""
    return place


def report_of(campaign: Campaign) -> QualityReport:
    report = services.compute_quality(campaign_id=campaign.pk, now=NOON)
    assert report is not None
    return report


def test_raters_who_rank_alike_agree_fully(comparison_campaign: Campaign, rosa: Rater, raul: Rater) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)

    found = report_of(comparison_campaign).results["agreement"]

    assert found["raw_half"]["value"] == 1.0
    assert found["raw_half"]["n"] == 30
    assert found["alpha_ordinal"]["value"] == pytest.approx(1.0)


def test_the_report_names_what_it_was_computed_from(comparison_campaign: Campaign, rosa: Rater) -> None:
    judge_all(comparison_campaign, rosa)

    report = report_of(comparison_campaign)

    assert report.n_judgments == 5
    assert report.through_id == Judgment.objects.latest("pk").pk


def test_one_rater_alone_gets_a_sentence_in_place_of_a_number(comparison_campaign: Campaign, rosa: Rater) -> None:
    judge_all(comparison_campaign, rosa)

    report = report_of(comparison_campaign)

    assert report.results["agreement"]["raw_half"]["value"] is None
    assert "nothing to compare" in report.results["agreement"]["raw_half"]["note"]
    assert report.raters.get().weight is None


def test_a_question_of_the_form_has_its_own_agreement(comparison_campaign: Campaign, rosa: Rater, raul: Rater) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)

    questions = {found["name"]: found for found in report_of(comparison_campaign).results["agreement"]["questions"]}

    assert questions["overall"]["alpha"]["value"] == pytest.approx(1.0)
    assert questions["overall"]["raw"]["n"] == 20


def test_a_question_that_nobody_answered_is_not_agreement(comparison_campaign: Campaign, rosa: Rater, raul: Rater) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)

    flag = report_of(comparison_campaign).results["agreement"]["questions"][-1]

    assert flag["raw"]["value"] is None
    assert flag["raw"]["note"] == "Nobody has answered this yet."


def test_the_first_shown_response_wins_for_whoever_ranks_as_shown(comparison_campaign: Campaign, rosa: Rater) -> None:
    judge_all(comparison_campaign, rosa, by=as_shown)

    report = report_of(comparison_campaign)

    assert report.results["habits"]["first"]["value"] == 1.0
    assert report.raters.get().results["first"]["value"] == 1.0


def test_computing_twice_leaves_one_report(comparison_campaign: Campaign, rosa: Rater) -> None:
    judge_all(comparison_campaign, rosa)

    tasks.compute_quality(campaign_id=comparison_campaign.pk)
    tasks.compute_quality(campaign_id=comparison_campaign.pk)

    assert QualityReport.objects.count() == 1
    assert RaterQuality.objects.count() == 1


def test_an_older_reading_never_replaces_a_newer_report(comparison_campaign: Campaign, rosa: Rater) -> None:
    judge_all(comparison_campaign, rosa)
    newer = report_of(comparison_campaign)

    services.compute_quality(campaign_id=comparison_campaign.pk, now=NOON - timedelta(minutes=1))

    assert QualityReport.objects.get().computed_at == newer.computed_at


def test_a_campaign_of_demonstrations_has_no_report(demonstration_campaign: Campaign) -> None:
    assert services.compute_quality(campaign_id=demonstration_campaign.pk, now=NOON) is None


def test_a_campaign_is_stale_until_its_report_knows_its_last_judgment(comparison_campaign: Campaign, rosa: Rater) -> None:
    judge_all(comparison_campaign, rosa)
    before = selectors.stale_quality_ids()
    report_of(comparison_campaign)

    assert before == [comparison_campaign.pk]
    assert selectors.stale_quality_ids() == []


def test_only_the_latest_judgments_are_read(comparison_campaign: Campaign, rosa: Rater) -> None:
    judge_all(comparison_campaign, rosa)
    last = Judgment.objects.latest("pk").pk

    votes = selectors.votes(campaign=comparison_campaign, most=2, through_id=last)

    assert len(set(votes.judgment.tolist())) == 2
    assert last in votes.judgment


def test_a_figure_is_the_same_after_a_journey_through_the_report(comparison_campaign: Campaign) -> None:
    figure = measures.as_figure({"value": 0.5, "n": 3, "low": None, "high": None, "note": ""})

    assert measures.as_record(figure) == {"value": 0.5, "n": 3, "low": None, "high": None, "note": ""}


@pytest.fixture
def crowd(day_shift: Pool, guideline: Guideline) -> tuple[Campaign, Rater]:
    """Thirty items by five: four mostly see the responses alike, the fifth puts the first-shown one on top."""
    chance = random.Random(3)
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=30, overlap=5)
    for number in range(4):
        rater = rater_called(f"Honest {number}", pool=day_shift)
        judge_all(campaign, rater, by=lambda shown, place: shown[place].number + chance.gauss(0, 0.8))
    habitual = rater_called("Habit", pool=day_shift)
    judge_all(campaign, habitual, by=as_shown)
    return campaign, habitual


def test_a_rater_with_a_habit_is_flagged_with_a_sentence(crowd: tuple[Campaign, Rater]) -> None:
    campaign, habitual = crowd

    flagged = {row.rater_id: row for row in selectors.rater_measures(report=report_of(campaign)) if row.flags}

    assert habitual.pk in flagged
    assert any("first-shown response on top in 100 % of 30 judgments" in flag.sentence for flag in flagged[habitual.pk].flags)


def test_a_careless_rater_weighs_less_than_careful_ones(crowd: tuple[Campaign, Rater]) -> None:
    campaign, habitual = crowd
    report_of(campaign)

    weights = selectors.weights_by_rater(campaigns=[campaign.pk])

    careless = weights.pop((campaign.pk, habitual.pk))
    assert careless < 0.2 < min(weights.values())


def test_the_most_split_items_are_listed_first(crowd: tuple[Campaign, Rater]) -> None:
    report = report_of(crowd[0])

    listed = selectors.split_items(report=report)

    assert [entry.share for entry in listed] == sorted(entry.share for entry in listed)
    assert len(listed) == 10


def test_the_same_pair_again_tells_how_far_a_rater_agrees_with_themselves(
    comparison_campaign: Campaign, rosa: Rater, day_shift: Pool
) -> None:
    item = comparison_campaign.items.order_by("position").first()
    assert item is not None
    again = comparison_campaign.items.create(prompt=item.prompt, position=100)
    again.responses.add(*item.responses.all())
    queue_rank = max(comparison_campaign.slots.values_list("queue_rank", flat=True)) + 1
    again.slots.create(campaign=comparison_campaign, number=0, queue_rank=queue_rank)
    judge_all(comparison_campaign, rosa)

    found = report_of(comparison_campaign).results["agreement"]["self"]

    assert (found["value"], found["n"]) == (1.0, 6)


# --- the right to withdraw -----------------------------------------------------------------------------------------


def test_a_withdrawn_raters_judgments_leave_what_is_exported(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)

    services.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert {row.rater_alias for row in exports.comparisons()} == {raul.alias}


def test_a_withdrawn_rater_is_given_nothing_more(comparison_campaign: Campaign, rosa: Rater, alice: User) -> None:
    services.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert not rosa.memberships.filter(is_active=True).exists()


def test_a_withdrawn_rater_is_not_offered_to_a_pool(rosa: Rater, day_shift: Pool, alice: User) -> None:
    services.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert rosa not in selectors.raters_outside(pool=day_shift)


def test_a_withdrawn_raters_judgments_leave_the_feed(comparison_campaign: Campaign, rosa: Rater, alice: User) -> None:
    judge_all(comparison_campaign, rosa)
    services.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert selectors.judgment_feed(n=100, now=NOON + timedelta(days=1)) == []


def test_withdrawing_twice_is_written_down_once(rosa: Rater, alice: User) -> None:
    assert services.withdraw_rater(rater=rosa, by=alice, now=NOON)
    rosa.refresh_from_db()

    assert not services.withdraw_rater(rater=rosa, by=alice, now=NOON)
    assert AuditEvent.objects.filter(action="withdraw").count() == 1


def test_a_withdrawal_can_be_taken_back(comparison_campaign: Campaign, rosa: Rater, alice: User) -> None:
    judge_all(comparison_campaign, rosa)
    services.withdraw_rater(rater=rosa, by=alice, now=NOON)

    services.readmit_rater(rater=rosa, by=alice, now=NOON)

    assert len(list(exports.comparisons())) == 5


def test_alpha_does_not_fall_because_the_newer_response_wins_most(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    judge_all(comparison_campaign, rosa, by=lambda shown, place: -shown[place].number)
    judge_all(comparison_campaign, raul, by=lambda shown, place: -shown[place].number)

    assert report_of(comparison_campaign).results["agreement"]["alpha_nominal"]["value"] == pytest.approx(1.0)

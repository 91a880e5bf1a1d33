"""How a ranking is scored against a gold, and that its answers are not data."""

import itertools
import math
from collections.abc import Mapping
from datetime import timedelta

import pytest

from arithmetic import clustering
from arithmetic.agreement import orders
from labeling.campaigns import board as campaigns_board
from labeling.data.exports import streams
from labeling.desk.judgments import correct, undo
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.models import (
    Campaign,
    Gold,
    GoldAnswer,
    Judgment,
    QualityReport,
    Rater,
    RaterStanding,
    Slot,
)
from labeling.quality import services as quality_services
from labeling.queue.gold import selectors as gold_selectors
from labeling.queue.gold import services as gold_services
from tests.cast import NOON
from tests.labeling.queue.gold.scene import RIGHT, WRONG, next_gold, rank_by, work_through

Ranks = Mapping[int, int | None]


# --- the formulas ---------------------------------------------------------------------------------


def slow_match(right: Ranks, given: Ranks) -> tuple[float, int]:
    """agreement.match from its definition: every ordered pair by itself."""
    agreed, n = 0.0, 0
    for better in right:
        for worse in right:
            high, low = right[better], right[worse]
            if high is None or low is None or high >= low:
                continue
            n += 1
            mine, other = given.get(better), given.get(worse)
            if mine is not None and other is not None:
                agreed += 1.0 if mine < other else 0.5 if mine == other else 0.0
    return agreed, n


@pytest.mark.parametrize(
    ("right", "given", "agreed", "n"),
    [
        pytest.param((1, 2, 3, 4), (1, 2, 3, 4), 6, 6, id="the same order"),
        pytest.param((1, 2, 3, 4), (1, 2, 4, 3), 5, 6, id="the last two swapped"),
        pytest.param((1, 2, 3, 4), (4, 3, 2, 1), 0, 6, id="turned around"),
        pytest.param((1, 1, 2, 2), (1, 2, 3, 4), 4, 4, id="what gold ties asks nothing"),
        pytest.param((1, 2, 3, 4), (1, 1, 1, 1), 3, 6, id="a tie everywhere is half"),
        pytest.param(
            (1, 2, None, None), (1, 2, None, 3), 1, 1, id="what gold leaves open asks nothing"
        ),
        pytest.param(
            (1, 2, 3, 4), (1, None, None, None), 0, 6, id="what is not ranked is not agreed"
        ),
        pytest.param((1, 1, 1, 1), (1, 2, 3, 4), 0, 0, id="a gold that decides nothing"),
    ],
)
def test_a_ranking_matches_a_gold_by_its_decided_pairs(
    right: tuple[int | None, ...], given: tuple[int | None, ...], agreed: float, n: int
) -> None:
    found = orders.match(dict(enumerate(right)), dict(enumerate(given)))

    assert (found.agreed, found.n) == (agreed, n)


def test_matching_equals_its_slow_twin_on_every_ranking_of_three() -> None:
    ranks = (None, 1, 2, 3)
    for right in itertools.product(ranks, repeat=3):
        for given in itertools.product(ranks, repeat=3):
            found = orders.match(dict(enumerate(right)), dict(enumerate(given)))

            assert (found.agreed, found.n) == slow_match(
                dict(enumerate(right)), dict(enumerate(given))
            )


def test_the_tolerance_lets_one_swap_of_six_pairs_pass_and_not_two() -> None:
    assert orders.Match(5, 6).reaches(75)
    assert not orders.Match(4, 6).reaches(75)


def test_without_a_decided_pair_nothing_passes() -> None:
    assert not orders.Match(0, 0).reaches(51)


def slow_wilson(passed: int, n: int) -> tuple[float, float]:
    """The two shares p at which the score test (p̂ − p)² = z² p(1 − p)/n turns, by bisection."""
    z2, share = 1.959963984540054**2, passed / n

    def turns(low: float, high: float) -> float:
        for _step in range(200):
            middle = (low + high) / 2
            inside = (share - middle) ** 2 <= z2 * middle * (1 - middle) / n
            if inside == (low < share):
                high = middle
            else:
                low = middle
        return (low + high) / 2

    return turns(0.0, share) if passed else 0.0, turns(share + 1e-15, 1.0) if passed < n else 1.0


@pytest.mark.parametrize(("passed", "n"), [(8, 10), (0, 5), (5, 5), (1, 8), (37, 40)])
def test_the_interval_of_a_score_is_where_the_score_test_turns(passed: int, n: int) -> None:
    found = clustering.independent(passed, n)

    low, high = slow_wilson(passed, n)
    assert math.isclose(found.low or 0.0, low, abs_tol=1e-9)
    assert math.isclose(found.high or 0.0, high, abs_tol=1e-9)


def test_eight_of_ten_is_the_worked_example() -> None:
    """Centre (0.8 + 1.9208/10) / 1.38415 = 0.71674, reach 1.41600 · √(0.016 + 0.0096036) =
    0.22658.
    """
    found = clustering.independent(8, 10)

    assert (round(found.low or 0, 4), round(found.high or 0, 4)) == (0.4902, 0.9433)


# --- scoring --------------------------------------------------------------------------------------


def test_the_first_version_counts_and_a_correction_does_not(
    campaign: Campaign, rosa: Rater
) -> None:
    judgment = rank_by(next_gold(campaign, rosa), WRONG, rater=rosa)
    assert judgment.lease is not None
    shown = [
        row.response
        for row in judgment.comparison.ranked.select_related("response").order_by("position")
    ]

    corrected = correct.correct(
        lease=judgment.lease,
        rater=rosa,
        version=1,
        answer=ComparisonAnswer(
            ranks={place: response.number + 1 for place, response in enumerate(shown)},
            ratings={place: {"overall": 4} for place in range(4)},
        ),
        now=NOON,
    )

    answer = GoldAnswer.objects.get(rater=rosa)
    assert not answer.has_passed
    assert answer.judgment_id == judgment.pk
    assert corrected.is_gold


def test_a_score_that_is_undone_is_gone(campaign: Campaign, rosa: Rater) -> None:
    slot = next_gold(campaign, rosa)
    judgment = rank_by(slot, WRONG, rater=rosa)
    assert judgment.lease is not None

    undo.undo(lease=judgment.lease, rater=rosa, draft={}, now=NOON)

    assert not GoldAnswer.objects.exists()
    assert Slot.objects.get(pk=slot.pk).state == Slot.State.LEASED


def test_a_ranking_may_match_in_part(campaign: Campaign, rosa: Rater) -> None:
    rank_by(next_gold(campaign, rosa), [0, 1, 3, 2], rater=rosa)

    answer = GoldAnswer.objects.get(rater=rosa)
    assert (answer.agreed, answer.n_pairs, answer.has_passed) == (5, 6, True)


def test_scores_come_with_an_interval(campaign: Campaign, rosa: Rater) -> None:
    work_through(campaign, rosa, n=10, on_gold=RIGHT)

    (score,) = gold_selectors.gold_scores(campaign=campaign)

    assert (score.rater, score.passed.value, score.passed.n) == (rosa, 1.0, 5)
    assert score.passed.low == pytest.approx(0.5655, abs=1e-4)
    assert (score.pairs.value, score.pairs.n) == (1.0, 30)
    assert score.pairs.low is not None


def test_four_golds_are_too_few_for_an_interval(campaign: Campaign, rosa: Rater) -> None:
    work_through(campaign, rosa, n=8, on_gold=RIGHT)

    (score,) = gold_selectors.gold_scores(campaign=campaign)

    assert (score.passed.value, score.passed.n, score.passed.low) == (1.0, 4, None)
    assert (score.pairs.value, score.pairs.n, score.pairs.low) == (1.0, 24, None)


def test_nobody_is_paused_on_fewer_than_five_golds(campaign: Campaign, rosa: Rater) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(gold_min=3, gold_pause_below=90)
    campaign.refresh_from_db()

    while not RaterStanding.objects.filter(paused_at__isnull=False).exists():
        work_through(campaign, rosa, n=1, on_gold=WRONG)

    assert GoldAnswer.objects.filter(rater=rosa).count() == 5


def test_an_answer_to_a_retired_gold_counts_no_more(campaign: Campaign, rosa: Rater) -> None:
    judgment = rank_by(next_gold(campaign, rosa), WRONG, rater=rosa)

    gold_services.retire_gold(gold=Gold.objects.get(uses__item=judgment.item), by=None, now=NOON)

    assert gold_selectors.gold_scores(campaign=campaign) == []


def test_the_quality_report_is_computed_again_when_a_gold_is_retired_and_restored(
    campaign: Campaign,
) -> None:
    report = QualityReport.objects.create(campaign=campaign)
    gold = Gold.objects.filter(uses__campaign=campaign).latest("pk")

    for act in (gold_services.retire_gold, gold_services.bring_back_gold):
        QualityReport.objects.update(is_outdated=False)
        assert act(gold=gold, by=None, now=NOON)
        report.refresh_from_db()
        assert report.is_outdated

    QualityReport.objects.update(is_outdated=False)
    assert not gold_services.bring_back_gold(gold=gold, by=None, now=NOON)
    report.refresh_from_db()
    assert not report.is_outdated


# --- golds are no data ----------------------------------------------------------------------------


def test_answers_to_golds_leave_only_for_who_asks(campaign: Campaign, rosa: Rater) -> None:
    given = work_through(campaign, rosa, n=8, on_gold=RIGHT)
    ordinary = {judgment.pk for judgment in given if not judgment.is_gold}

    plain = {row.judgment_id for row in streams.comparisons(campaigns=[campaign.pk])}
    asked = {
        row.judgment_id for row in streams.comparisons(campaigns=[campaign.pk], include_gold=True)
    }

    assert plain == ordinary
    assert asked == {judgment.pk for judgment in given}


def test_answers_to_golds_enter_no_report(campaign: Campaign, rosa: Rater, raul: Rater) -> None:
    ordinary = [
        judgment
        for rater in (rosa, raul)
        for judgment in work_through(campaign, rater, n=8, on_gold=RIGHT)
        if not judgment.is_gold
    ]

    report = quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)

    assert report is not None
    assert report.n_judgments == len(ordinary) == 8


def test_golds_are_no_part_of_a_campaigns_progress(campaign: Campaign, rosa: Rater) -> None:
    before = campaigns_board.campaign_board(campaign=campaign, now=NOON).progress.n_slots

    given = work_through(campaign, rosa, n=8, on_gold=RIGHT)

    board = campaigns_board.campaign_board(campaign=campaign, now=NOON + timedelta(hours=1))
    assert board.progress.n_slots == before
    assert board.progress.n_submitted == sum(not judgment.is_gold for judgment in given) == 4
    assert campaigns_board.campaign_items(campaign=campaign).count() == 20


def test_a_gold_is_work_and_costs_the_budget_until_it_is_undone(
    campaign: Campaign, rosa: Rater
) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(budget_unit="judgments", budget=100)
    judgment = rank_by(next_gold(campaign, rosa), WRONG, rater=rosa)
    campaign.refresh_from_db()
    spent = campaign.spent_judgments
    assert spent == Judgment.of_people.filter(campaign=campaign).count()
    assert judgment.lease is not None

    undo.undo(lease=judgment.lease, rater=rosa, draft={}, now=NOON)

    campaign.refresh_from_db()
    assert campaign.spent_judgments == spent - 1

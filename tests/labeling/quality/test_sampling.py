"""Which judgments a large campaign's report uses, and that updates give what a new report gives."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from accounts.models import User
from labeling.desk.judgments import correct
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.models import Campaign, Judgment, QualityReport, Rater, VoteBlock
from labeling.people.withdrawals import withdrawal
from labeling.quality import services as quality_services
from labeling.review import set_aside
from labeling.votes import blocks, sampling
from tests.cast import NOON
from tests.labeling.quality.judging import judge_all


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The crowd's 150 judgments are more than a report uses."""
    monkeypatch.setattr(blocks, "BLOCK", 20)
    monkeypatch.setattr(blocks, "ROW_GROUP", 16)
    monkeypatch.setattr(sampling, "MOST", 80)
    monkeypatch.setattr(sampling, "FEWEST_OF_RATER", 5)


def judgments_of(*counts: int) -> dict[str, Any]:
    """Each rater has this many, on a prompt each, in turns."""
    raters = sorted((place, rater) for rater, count in enumerate(counts) for place in range(count))
    rater = np.array([rater for _place, rater in raters])
    return {
        "judgments": np.arange(len(rater)) + 1_000,
        "prompts": np.arange(len(rater)),
        "raters": rater,
    }


def test_a_campaign_of_few_judgments_is_used_whole() -> None:
    sample = sampling.sample_of(**judgments_of(50, 50))

    assert sample.is_whole
    assert sample.is_drawn(np.arange(1_000)).all()
    assert sample.n_judgments == {0: 50, 1: 50}


@pytest.mark.usefixtures("small")
def test_about_as_many_prompts_are_drawn_however_many_there_are() -> None:
    drawn = [
        int(sampling.sample_of(**judgments_of(n // 2, n // 2)).is_drawn(np.arange(n)).sum())
        for n in (160, 1_600, 16_000)
    ]

    assert all(25 <= n <= 95 for n in drawn)


@pytest.mark.usefixtures("small")
def test_a_drawn_prompt_of_a_larger_campaign_was_drawn_before() -> None:
    before = sampling.sample_of(**judgments_of(100, 100)).is_drawn(np.arange(200))
    after = sampling.sample_of(**judgments_of(300, 300)).is_drawn(np.arange(200))

    assert 0 < after.sum() < before.sum()
    assert not (after & ~before).any()


@pytest.mark.usefixtures("small")
def test_each_rater_is_measured_by_the_latest_judgments() -> None:
    given = judgments_of(1_000, 1_000, 10)

    sample = sampling.sample_of(**given)

    is_recent = sample.is_recent(given["prompts"])
    assert sample.of_rater == 35
    assert np.bincount(given["raters"][is_recent]).tolist() == [35, 35, 10]
    assert is_recent[given["raters"] == 0].nonzero()[0].tolist() == list(range(965, 1_000))


@pytest.mark.usefixtures("small")
def test_many_raters_still_have_the_fewest_judgments_each() -> None:
    assert sampling.sample_of(**judgments_of(*[30] * 40)).of_rater == 5


def test_the_draw_has_no_pattern_in_the_ids() -> None:
    drawn = np.flatnonzero(sampling.places(np.arange(160_000)) < 1 / 16)

    assert len(drawn) == pytest.approx(10_000, rel=0.05)
    assert np.bincount(drawn % 4) == pytest.approx([2_500] * 4, rel=0.1)


# --- updates --------------------------------------------------------------------------------------


def results_of(campaign: Campaign) -> Any:
    report = quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    assert report is not None
    return (
        report.n_judgments,
        report.results,
        [
            (row.rater_id, row.n_judgments, row.weight, row.results)
            for row in report.raters.order_by("rater")
        ],
    )


def from_nothing(campaign: Campaign) -> Any:
    VoteBlock.objects.all().delete()
    QualityReport.objects.all().delete()
    return results_of(campaign)


def correct_one(rater: Rater) -> None:
    judgment = Judgment.of_people.filter(rater=rater).order_by("pk")[3]
    assert judgment.lease is not None
    ranks: dict[int, int | None] = {
        row.position: 5 - (row.rank or 0) for row in judgment.comparison.ranked.all()
    }
    correct.correct(
        lease=judgment.lease,
        rater=rater,
        version=1,
        answer=ComparisonAnswer(ranks=ranks, ratings={place: {"overall": 2} for place in ranks}),
        now=NOON + timedelta(hours=2),
    )


def add_one(campaign: Campaign, rater: Rater) -> None:
    item = campaign.items.order_by("position").first()
    assert item is not None
    rank = max(campaign.slots.values_list("queue_rank", flat=True)) + 1
    item.slots.create(campaign=campaign, number=50, queue_rank=rank)
    judge_all(campaign, rater)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_updates_give_what_a_report_from_nothing_gives(
    crowd: tuple[Campaign, Rater], rosa: Rater, alice: User
) -> None:
    campaign, habitual = crowd
    others = [rater for rater in Rater.everyone.order_by("pk") if rater not in (habitual, rosa)]
    of_whom: dict[str, Callable[[], object]] = {
        "added": lambda: add_one(campaign, rosa),
        "corrected": lambda: correct_one(others[0]),
        "set aside": lambda: set_aside.set_aside(
            judgment=Judgment.of_people.filter(rater=others[1])[2], reason="", by=alice, now=NOON
        ),
        "withdrawn": lambda: withdrawal.withdraw_rater(rater=others[2], by=alice, now=NOON),
    }
    results_of(campaign)
    updated = []
    for change in of_whom.values():
        change()
        updated.append((results_of(campaign), from_nothing(campaign)))

    for by_update, whole in updated:
        assert by_update == whole
    assert [found[0] for found, _whole in updated] == [151, 151, 150, 120]
    assert updated[0][0][1]["sample"]["of_rater"] == 15
    # About 80: prompts are drawn by their IDs, which depend on the tests before this one.
    assert 0 < updated[0][0][1]["sample"]["n_drawn"] < 150


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_a_rater_s_number_of_answers_is_that_of_all(crowd: tuple[Campaign, Rater]) -> None:
    campaign, _habitual = crowd

    _n, _results, raters = results_of(campaign)

    assert {n for _rater, n, _weight, _results in raters} == {30}

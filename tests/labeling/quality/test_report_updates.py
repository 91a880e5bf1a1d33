"""When a report is computed again, and by increments of new judgments."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from labeling.desk.judgments import correct
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.models import Campaign, Judgment, QualityReport, Rater, VoteBlock
from labeling.quality import selectors as quality_selectors
from labeling.quality import services as quality_services
from labeling.votes import blocks
from tests.cast import NOON
from tests.labeling.quality.judging import judge_all, report_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 4)


def results_of(campaign: Campaign, *, now: datetime = NOON) -> Any:
    report = quality_services.compute_quality(campaign_id=campaign.pk, now=now)
    assert report is not None
    return report.results, [
        (row.rater_id, row.weight, row.results) for row in report.raters.order_by("rater")
    ]


@pytest.mark.slow
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
    assert read == [(last_block.through_id + 1, Judgment.of_people.latest("pk").pk)]


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
    first = Judgment.of_people.filter(rater=raul).order_by("pk").first()
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


def test_a_report_from_the_future_rests_no_longer_and_is_replaced(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    """A clock jumped a day ahead, and back."""
    judge_all(comparison_campaign, rosa)
    tomorrow = NOON + timedelta(days=1)
    quality_services.compute_quality(campaign_id=comparison_campaign.pk, now=tomorrow)
    QualityReport.objects.update(rests_until=tomorrow + timedelta(minutes=20))
    judge_all(comparison_campaign, raul)

    assert quality_selectors.stale_quality_ids(now=NOON) == [comparison_campaign.pk]

    report = report_of(comparison_campaign)
    assert (report.computed_at, report.n_judgments) == (NOON, 10)
    assert quality_selectors.stale_quality_ids(now=NOON) == []


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


def test_a_report_that_was_begun_before_the_clock_was_set_back_is_computed_again(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    judge_all(comparison_campaign, rosa)
    QualityReport.objects.create(campaign=comparison_campaign, started_at=NOON + timedelta(days=2))

    assert quality_services.compute_quality(campaign_id=comparison_campaign.pk, now=NOON)

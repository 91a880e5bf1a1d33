"""Raters who judge a whole campaign, and its report, for tests."""

from datetime import timedelta
from typing import Any

from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Recorded
from labeling.models import Campaign, QualityReport, Rater, Response
from labeling.quality import services as quality_services
from labeling.queue.claiming import claim, order
from tests.cast import NOON
from tests.tooling.recordings import recorded


def as_written(shown: list[Response], place: int) -> int:
    """The order of the responses' numbers."""
    return shown[place].number


def as_shown(shown: list[Response], place: int) -> int:
    """The habit of a rater who puts the first-shown response on top."""
    return place


def overall(rank: int) -> dict[str, int]:
    return {"overall": 7 - rank}


@recorded
def judge_all(
    campaign: Campaign,
    rater: Rater,
    *,
    by: Any = as_written,
    active_s: float | None = 40.0,
    rated: Any = overall,
) -> None:
    """The rater ranks everything that is left, the lowest key of `by` first. `rated` gives the
    ratings of each response by its rank.
    """
    now = NOON
    while (slot := claim.claim(campaign=campaign, rater=rater, now=now)) is not None:
        shown = order.presented(slot)
        keys = [by(shown, place) for place in range(len(shown))]
        ranks: dict[int, int | None] = {
            place: sorted(keys).index(key) + 1 for place, key in enumerate(keys)
        }
        assert slot.lease is not None
        now += timedelta(seconds=60)
        ratings = {place: rated(ranks[place] or 1) for place in ranks}
        submit.submit(
            lease=slot.lease,
            rater=rater,
            answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
            recorded=Recorded(active_s=active_s),
            now=now,
        )


def report_of(campaign: Campaign) -> QualityReport:
    report = quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    assert report is not None
    return report

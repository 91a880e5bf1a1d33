"""A campaign's rankings as arrays for labeling.measures, the latest ones first, so that a huge campaign is read in seconds."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from labeling import agreement, bias, consensus
from labeling.measures import Votes
from labeling.models import Campaign, Item, Judgment, Prompt, RankedResponse, RaterQuality, Response

CHUNK = 5_000
CAUTIOUS_PAIRS = 20
"""Pairs at the usual accuracy that every rater starts with, so that a lucky start makes nobody infallible."""
_COLUMNS = (
    "comparison__judgment_id",
    "comparison__judgment__item_id",
    "comparison__judgment__prompt_id",
    "comparison__judgment__rater_id",
    "response_id",
    "rank",
    "position",
    "comparison__judgment__submitted_at",
    "comparison__judgment__active_s",
    "ratings",
)


def votes(*, campaign: Campaign, most: int, through_id: int) -> Votes:
    """Rankings of the `most` latest judgments up to `through_id`; texts are looked at one by one and not kept."""
    judgments = Judgment.objects.filter(
        campaign=campaign, kind=Judgment.Kind.COMPARISON, item__isnull=False, is_gold=False, pk__lte=through_id
    )
    latest = judgments.order_by("-pk").values_list("pk", flat=True)[most - 1 : most]
    oldest = next(iter(latest), 0)
    rows = RankedResponse.objects.filter(
        comparison__judgment__campaign=campaign,
        comparison__judgment__kind=Judgment.Kind.COMPARISON,
        comparison__judgment__is_current=True,
        comparison__judgment__is_gold=False,
        comparison__judgment__item__isnull=False,
        comparison__judgment__pk__range=(oldest, through_id),
    ).order_by("comparison_id", "position")
    columns: list[list[Any]] = [[] for _ in _COLUMNS]
    for row in rows.values_list(*_COLUMNS).iterator(chunk_size=CHUNK):
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    judgment, item, prompt, rater, response, rank, position, at, active_s, ratings = columns
    return Votes(
        judgment=np.array(judgment, dtype=np.int64),
        item=np.array(item, dtype=np.int64),
        prompt=np.array(prompt, dtype=np.int64),
        rater=np.array(rater, dtype=np.int64),
        response=np.array(response, dtype=np.int64),
        rank=np.array(rank, dtype=float),  # None becomes NaN
        position=np.array(position, dtype=np.int64),
        at_s=np.array([moment.timestamp() for moment in at], dtype=float),
        active_s=np.array(active_s, dtype=float),
        ratings=ratings,
        looks=_looks(set(response)),
        groups=_groups(set(prompt)),
    )


def _looks(responses: Iterable[int]) -> dict[int, bias.Features]:
    found: dict[int, bias.Features] = {}
    for ids in _chunks(responses):
        texts = Response.objects.filter(pk__in=ids).values_list("pk", "text")
        found |= {pk: bias.features(text) for pk, text in texts.iterator(chunk_size=CHUNK)}
    return found


def _groups(prompts: Iterable[int]) -> dict[str, dict[int, str]]:
    categories: dict[int, str] = {}
    languages: dict[int, str] = {}
    for ids in _chunks(prompts):
        for pk, category, language in Prompt.objects.filter(pk__in=ids).values_list("pk", "category", "language"):
            categories[pk], languages[pk] = category, language
    return {"category": categories, "language": languages}


def _chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    ordered = sorted(ids)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))


def certainty_of(*, item: Item) -> float:
    """How sure the item's judgments are about its pairs (labeling.consensus.certainty), given what is known of its raters.

    Reads the rankings of this one item. A rater who says that all are bad ties all pairs. What is known of a rater is their
    reliability in the campaign's last report, drawn towards the usual by CAUTIOUS_PAIRS pairs.
    """
    rows = RankedResponse.objects.filter(
        comparison__judgment__item=item, comparison__judgment__is_current=True, comparison__judgment__is_extra=False
    ).values_list("comparison__judgment__rater_id", "response_id", "rank", "comparison__is_all_bad")
    found = [(rater, response, 1 if is_all_bad else rank) for rater, response, rank, is_all_bad in rows]
    if not found:
        return 0.0
    raters, responses, ranks = zip(*found, strict=True)
    pairs = agreement.expand(items=[item.pk] * len(found), raters=raters, responses=responses, ranks=np.array(ranks, dtype=float))
    known = RaterQuality.objects.filter(report__campaign=item.campaign_id, rater__in=set(raters)).values_list(
        "rater_id", "results"
    )
    accuracy = {rater: _accuracy(results["reliability"]) for rater, results in known}
    return consensus.certainty(units=pairs.unit, raters=pairs.rater, labels=pairs.label, accuracy=accuracy)


def _accuracy(reliability: dict[str, Any]) -> float:
    if reliability["value"] is None:
        return consensus.USUAL_ACCURACY
    n_pairs = reliability["n"]
    drawn = reliability["value"] * n_pairs + consensus.USUAL_ACCURACY * CAUTIOUS_PAIRS
    return float(drawn / (n_pairs + CAUTIOUS_PAIRS))

"""The consensus of one item's judgments, weighted by the raters' reliability from the campaign's
last report.

One item is read row by row, or comes with the page; nothing about the campaign is recomputed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.consensus import certainty
from labeling.models import Campaign, Item, Judgment, RankedResponse, RaterQuality
from labeling.votes import consensus, counting
from labeling.votes.consensus import PairConsensus, Place
from labeling.votes.item_answers import ItemAnswer

CAUTIOUS_PAIRS = 20
"""Every rater starts with this many pairs at the usual accuracy, so that a lucky start makes nobody
infallible.
"""

RankRow = tuple[int, int, int, int | None, bool]
"""item, rater, response, rank, and whether the rater marked all as bad, which ties them all"""


@dataclass(frozen=True)
class ItemConsensus:
    """`pairs` of responses that somebody ranked, and the `places` that follow, best first; both
    empty until somebody ranks.
    """

    n_judgments: int
    """judgments that count: see labeling.votes.counting"""
    n_known: int
    """number of their raters whose reliability the report has"""
    pairs: list[PairConsensus]
    places: list[Place]


def consensus_of(*, campaign: Campaign, answers: Iterable[ItemAnswer]) -> ItemConsensus:
    """The consensus of the item with these answers. Apart from them, reads only the reliabilities
    of their raters.
    """
    judgments = [
        answer.judgment
        for answer in answers
        if _counts(answer.judgment) and not answer.judgment.is_on_withdrawn  # type: ignore[attr-defined]  # by item_answers
    ]
    rows: list[RankRow] = [
        (
            judgment.item_id or 0,
            judgment.rater_id,
            row.response_id,
            row.rank,
            judgment.comparison.is_all_bad,
        )
        for judgment in judgments
        for row in judgment.comparison.ranked.all()
        if not row.is_by_withdrawn  # type: ignore[attr-defined]  # by item_answers
    ]
    known = accuracy_by_rater(
        campaign=campaign, raters={judgment.rater_id for judgment in judgments}
    )
    pairs = consensus.consensus_by_pair(votes_on_pairs(rows), known)
    return ItemConsensus(len(judgments), len(known), pairs, consensus.places(pairs))


def consensus_of_items(*, campaign: Campaign, items: Collection[Item]) -> dict[int, ItemConsensus]:
    """The consensus of each of these items of the campaign, in three queries."""
    raters_of: dict[int, list[int]] = {item.pk: [] for item in items}
    judged = Judgment.of_people.filter(
        counting.counts(with_repeats=True), item__in=items, kind=Judgment.Kind.COMPARISON
    )
    for item_id, rater in judged.values_list("item_id", "rater_id"):
        raters_of[item_id or 0].append(rater)
    rows: dict[int, list[RankRow]] = {item.pk: [] for item in items}
    ranked = RankedResponse.objects.filter(comparison__judgment__in=judged).exclude(
        counting.by_withdrawn("response__")
    )
    of_judgment = ("item_id", "rater_id")
    for row in ranked.values_list(
        *(f"comparison__judgment__{name}" for name in of_judgment),
        *("response_id", "rank", "comparison__is_all_bad"),
    ):
        rows[row[0]].append(row)
    known = accuracy_by_rater(campaign=campaign, raters=set().union(*raters_of.values()))
    by_item = {}
    for item_id, raters in raters_of.items():
        pairs = consensus.consensus_by_pair(votes_on_pairs(rows[item_id]), known)
        n_known = len(known.keys() & set(raters))
        by_item[item_id] = ItemConsensus(len(raters), n_known, pairs, consensus.places(pairs))
    return by_item


def _counts(judgment: Judgment) -> bool:
    return judgment.kind == Judgment.Kind.COMPARISON and counting.does_count(judgment)


def certainty_of(*, item: Item) -> float:
    """How certain the item's judgments are about its pairs (consensus.certainty), given
    the reliability of its raters.
    """
    rows = RankedResponse.objects.filter(
        counting.counts("comparison__judgment__", with_repeats=True),
        comparison__judgment__item=item,
    ).values_list("comparison__judgment__rater_id", "response_id", "rank", "comparison__is_all_bad")
    pairs = votes_on_pairs((item.pk, *row) for row in rows)
    if not pairs.unit.size:
        return 0.0
    accuracy = accuracy_by_rater(campaign=item.campaign_id, raters=set(pairs.rater.tolist()))
    return certainty.certainty(
        units=pairs.unit, raters=pairs.rater, labels=pairs.label, accuracy=accuracy
    )


def votes_on_pairs(rows: Iterable[RankRow]) -> agreement_pairs.PairVotes:
    """A rater who marks all as bad ties all pairs."""
    flat = [
        (item, rater, response, 1 if is_all_bad else rank)
        for item, rater, response, rank, is_all_bad in rows
    ]
    items, raters, responses, ranks = zip(*flat, strict=True) if flat else ((), (), (), ())
    return agreement_pairs.expand(
        items=items, raters=raters, responses=responses, ranks=np.array(ranks, dtype=float)
    )


def accuracy_by_rater(
    *, campaign: Campaign | int, raters: Collection[int] | None = None
) -> dict[int, float]:
    """How often each rater is right on a pair, if the campaign's last report has it, shrunk towards
    the usual by CAUTIOUS_PAIRS.
    """
    known = RaterQuality.objects.filter(report__campaign=campaign)
    known = known if raters is None else known.filter(rater__in=raters)
    rows = known.values_list("rater_id", "results__reliability")
    return {rater: _cautious(figure) for rater, figure in rows if figure["value"] is not None}


def _cautious(reliability: Mapping[str, Any]) -> float:
    n_pairs = reliability["n"]
    drawn = reliability["value"] * n_pairs + certainty.USUAL_ACCURACY * CAUTIOUS_PAIRS
    return float(drawn / (n_pairs + CAUTIOUS_PAIRS))

"""The review queue, one item with every answer to it, and appeals. rater_reviews has what raters
see of their reviews.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import numpy as np
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum, TextChoices
from django.db.models.functions import Length
from django.utils.translation import gettext_lazy as _

from arithmetic.agreement import pairs as agreement_pairs
from labeling.kinds.choices import Answer
from labeling.models import (
    Adjudication,
    Campaign,
    Gold,
    Item,
    ItemResponse,
    Judgment,
    JudgmentReview,
    RankedResponse,
    Rater,
    ReviewRequest,
    SetAside,
)
from labeling.quality.measures import agreeing
from labeling.votes import counting
from labeling.votes.demonstrations import count_of, pasted_share_of
from labeling.votes.item_answers import ItemAnswer, LetteredResponse, item_answers

WINDOW = 2_000
"""The queue reads only this many of the latest waiting judgments, so a page costs the same in a
campaign with a million.
"""


NEWCOMER = 20
"""A rater with fewer judgments than this, over all campaigns, counts as new."""


class QueueOrder(TextChoices):
    """Orders of the queue. All but the first two also filter it."""

    DISAGREEMENT = "disagreement", _("Most disagreement")
    FAST = "fast", _("Fastest answers")
    NEW = "new", _("New raters")
    RANDOM = "random", _("Random sample")
    PAUSED = "paused", _("Paused raters")
    PASTED = "pasted", _("Most pasted")


ORDERS: dict[str, tuple[QueueOrder, ...]] = {
    Answer.COMPARISON: (
        QueueOrder.DISAGREEMENT,
        QueueOrder.FAST,
        QueueOrder.NEW,
        QueueOrder.RANDOM,
        QueueOrder.PAUSED,
    ),
    Answer.DEMONSTRATION: (
        QueueOrder.FAST,
        QueueOrder.NEW,
        QueueOrder.RANDOM,
        QueueOrder.PASTED,
        QueueOrder.PAUSED,
    ),
}


def orders_of(campaign: Campaign) -> tuple[QueueOrder, ...]:
    """The orders of its queue; it opens on the first. One rater judges a turn of a conversation, so
    there is no disagreement to sort by.
    """
    offered = ORDERS[campaign.about.answer]
    apart = (QueueOrder.DISAGREEMENT,) if not campaign.about.shares_items else ()
    return tuple(order for order in offered if order not in apart)


@dataclass(frozen=True)
class ReviewRow:
    """An item with judgments that wait for review."""

    item_id: int
    n_judgments: int
    agreement: float | None = None
    """mean over its pairs, ties as half; None if fewer than two raters judged it"""
    pace: float | None = None
    """characters per second of the fastest judgment"""
    seconds: float | None = None
    """seconds of the fastest judgment"""
    n_new: int = 0
    is_drawn: bool = False
    is_requested: bool = False
    pasted: float | None = None
    """largest share of pasted text"""
    latest_at: datetime | None = None


@dataclass(frozen=True)
class ReviewedAnswer:
    """One answer as a reviewer sees it. `who` is a number if names are hidden."""

    answer: ItemAnswer
    who: str
    pace: float | None
    is_new: bool
    typed: int | None
    pasted: int | None
    """characters, if the rater's browser recorded them"""
    n_bursts: int | None
    """stretches of typing without a pause of two seconds"""
    typing_ms: int | None
    """time within these stretches"""
    review: JudgmentReview | None
    ranks: dict[int, int | None]

    @property
    def typing_pace(self) -> float | None:
        """Characters per minute while typing; None when nothing was recorded."""
        return self.typed * 60_000 / self.typing_ms if self.typed and self.typing_ms else None

    @property
    def pasted_share(self) -> float | None:
        """Share of pasted characters; None when nothing was recorded."""
        total = (self.typed or 0) + (self.pasted or 0)
        return (self.pasted or 0) / total if total else None


@dataclass(frozen=True)
class ReviewItem:
    item: Item
    responses: list[LetteredResponse]
    """with the letters of the page"""
    answers: list[ReviewedAnswer]
    adjudication: Adjudication | None
    decided: dict[int, int | None]
    """response → rank"""
    gold: Gold | None


@dataclass
class _WaitingJudgment:
    """What the queue knows about one judgment."""

    pk: int
    item_id: int
    rater_id: int
    active_s: float | None
    submitted_at: datetime
    presentation: Mapping[str, object]


def review_queue(*, campaign: Campaign, order: str) -> list[ReviewRow]:
    """Waiting items, most urgent first; see QueueOrder. Reads the latest WINDOW judgments without a
    review.
    """
    waiting = _waiting(campaign)
    requested = set(
        ReviewRequest.objects.filter(judgment__campaign=campaign, done_at=None).values_list(
            "judgment_id", flat=True
        )
    )
    if order == QueueOrder.PAUSED:
        waiting = waiting.filter(pk__in=requested)
    fields = ("pk", "item_id", "rater_id", "active_s", "submitted_at", "presentation")
    unreviewed = [
        _WaitingJudgment(*row)
        for row in waiting.order_by("-submitted_at", "-pk").values_list(*fields)[:WINDOW]
    ]
    return _sorted(_rows(campaign, unreviewed, requested), order)


def n_waiting(*, campaign: Campaign) -> int:
    """Judgments without a review, counted up to WINDOW."""
    return _waiting(campaign).values("pk")[: WINDOW + 1].count()


def items_of(*, rows: Iterable[ReviewRow]) -> list[tuple[ReviewRow, Item]]:
    shown = list(rows)
    items = (
        Item.objects.filter(pk__in=[row.item_id for row in shown])
        .select_related("prompt")
        .in_bulk()
    )
    return [(row, items[row.item_id]) for row in shown]


def review_item(*, item: Item, is_blind: bool) -> ReviewItem:
    work = item_answers(item=item)
    judgments = [answer.judgment for answer in work.answers]
    reviews = {
        review.judgment_id: review
        for review in JudgmentReview.objects.filter(judgment__in=judgments)
    }
    n_chars = _n_chars([item.pk], item.campaign.about.answer)
    new = _newcomers({(judgment.rater_id, judgment.submitted_at) for judgment in judgments})
    answers = []
    for number, answer in enumerate(work.answers, start=1):
        judgment = answer.judgment
        typing = judgment.presentation.get("typing") or {}
        answers.append(
            ReviewedAnswer(
                answer=answer,
                who=str(number) if is_blind else answer.alias,
                pace=_pace(judgment.active_s, _chars_of(answer, n_chars.get(item.pk, 0))),
                is_new=(judgment.rater_id, judgment.submitted_at) in new,
                typed=count_of(typing, "typed"),
                pasted=count_of(typing, "pasted"),
                n_bursts=count_of(typing, "n_bursts"),
                typing_ms=count_of(typing, "typing_ms"),
                review=reviews.get(judgment.pk),
                ranks=(
                    {}
                    if answer.text is not None
                    else {row.response_id: row.rank for row in judgment.comparison.ranked.all()}
                ),
            )
        )
    adjudication = Adjudication.objects.filter(item=item).select_related("by").first()
    decided = dict(adjudication.ranks.values_list("response_id", "rank")) if adjudication else {}
    gold = Gold.objects.filter(made_from=item, retired_at=None).first()
    return ReviewItem(item, list(work.responses), answers, adjudication, decided, gold)


def next_to_review(*, campaign: Campaign, order: str, after: Item) -> int | None:
    """The first item in the queue now, other than `after`."""
    return next(
        (
            row.item_id
            for row in review_queue(campaign=campaign, order=order)
            if row.item_id != after.pk
        ),
        None,
    )


def appeals(*, is_answered: bool) -> QuerySet[JudgmentReview]:
    """Open appeals oldest first, answered ones newest first."""
    reviews = JudgmentReview.objects.filter(
        appealed_at__isnull=False, answered_at__isnull=not is_answered
    )
    order = ("-answered_at", "-pk") if is_answered else ("appealed_at", "pk")
    of_judgment = ("rater", "item__adjudication__by", "campaign", "prompt", "set_aside__by")
    parts = (*(f"judgment__{part}" for part in of_judgment), "by", "answered_by")
    return reviews.select_related(*parts).order_by(*order)


def _waiting(campaign: Campaign) -> QuerySet[Judgment]:
    # With “not exists”: for a left join to null, PostgreSQL expects few rows, and sorts a million
    # to find the latest few.
    is_set_aside = Exists(SetAside.objects.filter(judgment=OuterRef("pk")))
    waiting = Judgment.of_people.filter(
        ~is_set_aside, campaign=campaign, item__isnull=False, is_gold=False
    ).exclude(rater__in=counting.withdrawn_raters())
    if campaign.compares:
        return waiting.exclude(Exists(Adjudication.objects.filter(item=OuterRef("item"))))
    reviewed = JudgmentReview.objects.filter(
        Q(score__isnull=False) | ~Q(feedback=""), judgment=OuterRef("pk")
    )
    return waiting.exclude(Exists(reviewed))


def _rows(
    campaign: Campaign, waiting: list[_WaitingJudgment], requested: set[int]
) -> list[ReviewRow]:
    by_item: dict[int, list[_WaitingJudgment]] = defaultdict(list)
    for judgment in waiting:
        by_item[judgment.item_id].append(judgment)
    new = _newcomers({(judgment.rater_id, judgment.submitted_at) for judgment in waiting})
    n_chars = _n_chars(by_item, campaign.about.answer)
    shares = _agreement(list(by_item)) if campaign.compares else {}
    rows = []
    for item_id, judgments in by_item.items():
        paces = [
            (pace, own.active_s)
            for own in judgments
            if (pace := _pace(own.active_s, n_chars.get(item_id, 0))) is not None
        ]
        pace, seconds = max(paces, key=lambda pair: pair[0], default=(None, None))
        pasted = [
            share for own in judgments if (share := pasted_share_of(own.presentation)) is not None
        ]
        share, n_votes = shares.get(item_id, (None, len(judgments)))
        rows.append(
            ReviewRow(
                item_id=item_id,
                n_judgments=max(n_votes, len(judgments)),
                agreement=share,
                pace=pace,
                seconds=seconds,
                n_new=sum((own.rater_id, own.submitted_at) in new for own in judgments),
                is_drawn=any(_sampling_number(own.pk) < campaign.review_share for own in judgments),
                is_requested=any(own.pk in requested for own in judgments),
                pasted=max(pasted, default=None),
                latest_at=max(own.submitted_at for own in judgments),
            )
        )
    return rows


def _sorted(rows: list[ReviewRow], order: str) -> list[ReviewRow]:
    if order == QueueOrder.FAST:
        return sorted(
            (row for row in rows if row.pace is not None),
            key=lambda row: (-(row.pace or 0), row.item_id),
        )
    if order == QueueOrder.NEW:
        return [row for row in rows if row.n_new]  # latest first, as they were read
    if order == QueueOrder.RANDOM:
        return sorted(
            (row for row in rows if row.is_drawn), key=lambda row: _sampling_number(row.item_id)
        )
    if order == QueueOrder.PASTED:
        return sorted(
            (row for row in rows if row.pasted), key=lambda row: (-(row.pasted or 0), row.item_id)
        )
    if order == QueueOrder.PAUSED:
        return rows
    compared = [row for row in rows if row.agreement is not None]
    return sorted(compared, key=lambda row: (row.agreement or 0.0, -row.n_judgments, row.item_id))


def _agreement(item_ids: list[int]) -> dict[int, tuple[float | None, int]]:
    """item → (mean agreement over its pairs, judgments), for items with at least two judgments"""
    rows = RankedResponse.objects.filter(
        counting.counts("comparison__judgment__", with_extra=True),
        comparison__judgment__item__in=item_ids,
        rank__isnull=False,
    ).values_list(
        "comparison__judgment__item_id", "comparison__judgment__rater_id", "response_id", "rank"
    )
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]
    if not columns:
        return {}
    item, rater, response, rank = columns
    pairs = agreement_pairs.expand(
        items=item, raters=rater, responses=response, ranks=rank.astype(float)
    )
    items, share, n_votes = agreeing.by_item(pairs)
    return {int(pk): (float(share[at]), int(n_votes[at])) for at, pk in enumerate(items)}


def _newcomers(submissions: set[tuple[int, datetime]]) -> set[tuple[int, datetime]]:
    """Those of (rater, time of a judgment) that are among the rater's first NEWCOMER."""
    theirs = Judgment.of_everyone.filter(rater=OuterRef("pk"), import_batch=None).order_by(
        "submitted_at"
    )
    last = Subquery(theirs.values("submitted_at")[NEWCOMER - 1 : NEWCOMER])
    raters = Rater.people.filter(pk__in={rater for rater, _at in submissions}).annotate(
        settled_at=last
    )
    settled = dict(raters.values_list("pk", "settled_at"))
    return {
        (rater, at)
        for rater, at in submissions
        if settled.get(rater) is None or at <= settled[rater]
    }


def _n_chars(item_ids: Iterable[int], kind: str) -> dict[int, int]:
    """Characters to read for a judgment of each item; for demonstrations, the length of the latest
    answer.
    """
    if kind == Answer.COMPARISON:
        rows = (
            ItemResponse.objects.filter(item__in=list(item_ids))
            .values_list("item")
            .annotate(n=Sum(Length("response__text")))
        )
        return dict(rows.order_by())
    written = Judgment.of_people.filter(
        item__in=list(item_ids), demonstration__isnull=False
    ).values_list("item")
    return {
        item: n
        for item, n in written.annotate(n=Sum(Length("demonstration__text"))).order_by()
        if item is not None
    }


def _chars_of(answer: ItemAnswer, n_chars: int) -> int:
    return n_chars if answer.text is None else len(answer.text)


def _pace(active_s: float | None, n_chars: int) -> float | None:
    return n_chars / active_s if active_s and n_chars else None


def _sampling_number(pk: int) -> float:
    """A pseudo-random number from 0 to 100, the same each time for the same judgment."""
    return int.from_bytes(sha256(f"review:{pk}".encode()).digest()[:4]) / 2**32 * 100

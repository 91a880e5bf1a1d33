"""Loads a campaign's rankings as arrays for the measures, and what they are compared with."""

from datetime import UTC, datetime

import numpy as np
from django.db.models import Exists, OuterRef

from arithmetic.bias import looks
from labeling.models import (
    AdjudicatedRank,
    Campaign,
    Item,
    ItemResponse,
    Prompt,
    RankedResponse,
    ResponseScore,
    Scorer,
)
from labeling.votes import counting, sampling
from labeling.votes.arrays import Grouping, OtherVotes, Votes
from labeling.votes.blocks import StoredRankings, Wanted

CHUNK = 5_000
_COLUMNS = (
    "judgment",
    "item",
    "prompt",
    "rater",
    "response",
    "source",
    "rank",
    "position",
    "at_s",
    "active_s",
)


def votes(*, campaign: Campaign, through_id: int) -> Votes:
    """Every ranking up to `through_id` that counts, extras and repeats included."""
    return votes_of(StoredRankings.of(campaign=campaign, through_id=through_id))


def sample_of(stored: StoredRankings) -> sampling.Sample:
    """Which of the rankings a report uses."""
    columns = stored.judgments()
    return sampling.sample_of(
        judgments=columns["judgment"], prompts=columns["prompt"], raters=columns["rater"]
    )


def votes_of(stored: StoredRankings, *, wanted: Wanted | None = None) -> Votes:
    """The rankings that count; with `wanted`, those on these prompts."""
    columns, campaign = stored.columns(wanted=wanted), stored.campaign
    has = {name: columns[f"has:{name}"] for name in looks.SIGHTS}
    repeats = Item.objects.filter(campaign=campaign, repeat_of__isnull=False).values_list(
        "pk", flat=True
    )
    return Votes(
        **{name: columns[name] for name in _COLUMNS},
        looks=looks.Looks(columns["n_chars"], has),
        answers={
            name.removeprefix("answer:"): column
            for name, column in columns.items()
            if name.startswith("answer:")
        },
        groups=_groups(columns["prompt"]) | _periods(columns["at_s"]),
        is_as_in_file=campaign.import_batch_id is not None,
        is_repeat=np.isin(columns["item"], np.array(list(repeats), dtype=np.int64)),
    )


def _groups(prompt: np.ndarray) -> dict[str, Grouping]:
    known, place = np.unique(prompt, return_inverse=True)
    values: dict[int, tuple[str, str]] = {}
    for start in range(0, len(known), CHUNK):
        rows = Prompt.objects.filter(pk__in=known[start : start + CHUNK].tolist()).values_list(
            "pk", "category", "language"
        )
        values |= {pk: (category, language) for pk, category, language in rows}
    named = [values[pk] for pk in known.tolist()]
    return {
        kind: _grouping(np.array([of[at] for of in named], dtype=str), place.reshape(-1))
        for at, kind in enumerate(("category", "language"))
    }


def _grouping(values: np.ndarray, place: np.ndarray) -> Grouping:
    names, code = np.unique(values, return_inverse=True)
    return Grouping(tuple(names.tolist()), code.reshape(-1)[place] if len(values) else place)


def _periods(at_s: np.ndarray) -> dict[str, Grouping]:
    """By month and by ISO week, in UTC, so that votes of one period are compared with each
    other.
    """
    days, place = np.unique((at_s // 86_400).astype(np.int64), return_inverse=True)
    dates = [datetime.fromtimestamp(day * 86_400, UTC).date() for day in days.tolist()]
    months = np.array([f"{day:%Y-%m}" for day in dates], dtype=str)
    weeks = np.array([f"{day:%G-W%V}" for day in dates], dtype=str)
    return {
        "month": _grouping(months, place.reshape(-1)),
        "week": _grouping(weeks, place.reshape(-1)),
    }


def votes_of_other_pools(*, campaign: Campaign) -> tuple[OtherVotes, dict[int, str]]:
    """Rankings by other pools, in their own campaigns, of responses that this campaign has too, and
    the names of those pools.
    """
    mine = ItemResponse.objects.filter(item__campaign=campaign).values("response")
    shared = ItemResponse.objects.filter(response__in=mine).exclude(
        item__campaign__pool=campaign.pool_id
    )
    campaigns = list(shared.values_list("item__campaign", flat=True).distinct().order_by())
    rows = RankedResponse.objects.filter(
        counting.counts("comparison__judgment__", with_extra=True),
        comparison__judgment__campaign__in=campaigns,
        response__in=mine,
        rank__isnull=False,
    ).values_list(
        "comparison__judgment__campaign__pool_id",
        "comparison__judgment__item_id",
        "comparison__judgment__rater_id",
        "response_id",
        "rank",
        "position",
        "comparison__judgment__campaign__pool__name",
    )
    listed: list[list[object]] = [[], [], [], [], [], []]
    names: dict[int, str] = {}
    for row in rows.iterator(chunk_size=CHUNK) if campaigns else []:
        names[row[0]] = row[6]
        for column, value in zip(listed, row[:6], strict=True):
            column.append(value)
    pool, item, rater, response, rank, position = (
        np.array(column, dtype=np.int64) for column in listed
    )
    return OtherVotes(pool, item, rater, response, rank.astype(float), position), names


def adjudicated_order(*, campaign: Campaign, votes: Votes) -> np.ndarray:
    """By row of `votes`, the rank that a reviewer decided for the response in that item; NaN for
    none.
    """
    decided = AdjudicatedRank.objects.filter(
        adjudication__item__campaign=campaign, rank__isnull=False
    )
    rows = list(decided.values_list("adjudication__item_id", "response_id", "rank"))
    item, response, rank = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    size = 1 + max(int(votes.response.max(initial=0)), int(response.max(initial=0)))
    return _looked_up(
        item * size + response, rank.astype(float), votes.item * size + votes.response
    )


def adjudicated_prompts(*, campaign: Campaign) -> np.ndarray:
    """The prompts of items that a reviewer decided, sorted."""
    decided = Item.objects.filter(campaign=campaign, adjudication__isnull=False)
    return np.unique(np.array(list(decided.values_list("prompt_id", flat=True)), dtype=np.int64))


def scorer_of(*, campaign: Campaign) -> Scorer | None:
    """The reward model that last scored responses of this campaign."""
    shown = ItemResponse.objects.filter(item__campaign=campaign, response=OuterRef("response"))
    theirs = ResponseScore.objects.filter(Exists(shown), scorer=OuterRef("pk"))
    return Scorer.objects.filter(Exists(theirs)).order_by("-scored_at", "-pk").first()


def scored_order(*, scorer: Scorer, votes: Votes) -> np.ndarray:
    """By row of `votes`, the negated score of the reward model (lower is better, as for ranks); NaN
    for none.
    """
    rows = np.array(list(scorer.scores.values_list("response_id", "score")), dtype=float)
    response, score = rows.reshape(-1, 2).T  # ids below 2^53 are exact as floats
    return _looked_up(response.astype(np.int64), -score, votes.response)


def _looked_up(keys: np.ndarray, values: np.ndarray, values_to_find: np.ndarray) -> np.ndarray:
    order = np.argsort(keys)
    keys, values = keys[order], values[order]
    if not keys.size:
        return np.full(len(values_to_find), np.nan)
    place = np.minimum(np.searchsorted(keys, values_to_find), len(keys) - 1)
    return np.where(keys[place] == values_to_find, values[place], np.nan)

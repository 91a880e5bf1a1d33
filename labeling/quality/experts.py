"""Raters' rankings of items whose order an expert decided: adjudicated items and golds."""

from typing import Any

import numpy as np
from django.db.models import Q

from arithmetic.bias import wording
from arithmetic.figures import Floats
from labeling.models import Campaign, GoldRank, Judgment, RankedResponse, Response
from labeling.quality.measures.wording import ExpertVotes
from labeling.votes.arrays import Votes

CHUNK = 5_000
_IS_ENGLISH = Q(prompt__language="en") | Q(prompt__language__startswith="en-")


def expert_votes(*, campaign: Campaign, votes: Votes, adjudicated: Floats) -> ExpertVotes:
    """`adjudicated` is the decided rank of each row of `votes`. For a gold the first version
    counts, because the rater may get feedback after it.
    """
    here = ~np.isnan(adjudicated)
    golds = _on_golds(campaign)
    columns = {
        name: np.concatenate([getattr(votes, name)[here], golds[name]])
        for name in ("judgment", "item", "prompt", "rater", "response", "rank")
    }
    return ExpertVotes(
        **columns,
        expert_rank=np.concatenate([adjudicated[here], golds["expert_rank"]]),
        confidence=_confidence(columns["response"]),
    )


def _on_golds(campaign: Campaign) -> dict[str, np.ndarray]:
    """First answers to golds in use, as columns."""
    answered = RankedResponse.objects.filter(
        Judgment.versions_of_people.condition("comparison__judgment__"),
        comparison__judgment__gold_answer__campaign=campaign,
        comparison__judgment__gold_answer__gold__retired_at=None,
        comparison__judgment__rater__withdrawn_at=None,
    )
    fields = {
        "judgment": "comparison__judgment_id",
        "item": "comparison__judgment__item_id",
        "prompt": "comparison__judgment__prompt_id",
        "rater": "comparison__judgment__rater_id",
        "response": "response_id",
        "rank": "rank",
        "gold": "comparison__judgment__gold_answer__gold_id",
    }
    listed: dict[str, list[Any]] = {name: [] for name in fields}
    for row in answered.values_list(*fields.values()).iterator(chunk_size=CHUNK):
        for column, value in zip(listed.values(), row, strict=True):
            column.append(value)
    decided = GoldRank.objects.filter(gold__uses__campaign=campaign, gold__retired_at=None)
    ranks = {
        (gold, response): rank
        for gold, response, rank in decided.values_list("gold_id", "response_id", "rank")
    }
    right = [ranks.get(key) for key in zip(listed.pop("gold"), listed["response"], strict=True)]
    columns = {
        name: np.array(column, dtype=float if name == "rank" else np.int64)
        for name, column in listed.items()
    }
    return columns | {"expert_rank": np.array(right, dtype=float)}


def _confidence(response: np.ndarray) -> Floats:
    """By row; NaN if the prompt is not known to be in English."""
    known, place = np.unique(response, return_inverse=True)
    measured: dict[int, float] = {}
    for start in range(0, len(known), CHUNK):
        texts = Response.objects.filter(_IS_ENGLISH, pk__in=known[start : start + CHUNK].tolist())
        measured |= {pk: wording.confidence(text) for pk, text in texts.values_list("pk", "text")}
    by_response = np.array([measured.get(pk, np.nan) for pk in known.tolist()], dtype=float)
    return by_response[place.reshape(-1)]

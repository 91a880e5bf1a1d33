"""The consensus of an item's raters: one row per pair of its responses, by majority and weighted by
reliability; or one row per response and question of the form, with the mean of the answers; or one
row per item, the response that they prefer.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa
from django.db.models import QuerySet

from arithmetic import chats
from labeling.access import visible
from labeling.data.exports.columns import tools_of
from labeling.data.exports.rows import VotedRow, licence_expression
from labeling.kinds import registry
from labeling.kinds.choices import Answer
from labeling.models import Campaign, Item, Judgment, Prompt, RankedResponse, Response
from labeling.votes import best_responses, consensus, counting, rating_consensus
from labeling.votes.item_consensus import accuracy_by_rater, votes_on_pairs

ITEMS = 1_000
"""How many items are read at a time."""

_NAMES = {-1: "a", 0: "tie", 1: "b"}


@dataclass(frozen=True)
class ConsensusRow:
    """Two responses of an item; `a` is the older one, regardless of positions on a rater's page."""

    item: Item
    """with its prompt"""
    a: Response
    b: Response
    """with their sources"""
    found: consensus.PairConsensus


@dataclass(frozen=True)
class RatingRow:
    """One question about one response of an item."""

    item: Item
    """with its prompt"""
    response: Response
    """with its source"""
    found: rating_consensus.RatingConsensus


RATINGS = (
    ("question", pa.string()),
    ("question_label", pa.string()),
    ("n_answers", pa.int64()),
    ("answer", pa.string()),
    ("weighted_answer", pa.string()),
    ("mean", pa.float64()),
    ("mean_low", pa.float64()),
    ("mean_high", pa.float64()),
    ("median", pa.float64()),
    ("spread", pa.float64()),
    ("weighted_mean", pa.float64()),
    ("item", pa.int64()),
    ("prompt_id", pa.int64()),
    ("response_id", pa.int64()),
    ("split", pa.string()),
    ("category", pa.string()),
    ("language", pa.string()),
    ("licence", pa.string()),
    ("prompt_licence", pa.string()),
    ("prompt_source", pa.string()),
    ("response_licence", pa.string()),
    ("response_source", pa.string()),
)
"""The columns of ratings besides `prompt` and `completion`, which are lists of messages."""
SCHEMA = (
    ("majority", pa.string()),
    ("consensus", pa.string()),
    ("p", pa.float64()),
    ("p_a", pa.float64()),
    ("p_tie", pa.float64()),
    ("p_b", pa.float64()),
    ("n_votes", pa.int64()),
    ("n_a", pa.int64()),
    ("n_tie", pa.int64()),
    ("n_b", pa.int64()),
    ("item", pa.int64()),
    ("prompt_id", pa.int64()),
    ("response_a", pa.int64()),
    ("response_b", pa.int64()),
    ("source_a", pa.string()),
    ("source_b", pa.string()),
    ("split", pa.string()),
    ("category", pa.string()),
    ("language", pa.string()),
    ("licence", pa.string()),
    ("prompt_licence", pa.string()),
    ("prompt_source", pa.string()),
    ("licence_a", pa.string()),
    ("licence_b", pa.string()),
)
"""The columns besides `prompt`, `a` and `b`, which are lists of messages."""


def consensus_rows(*, campaigns: Collection[int] | None = None) -> Iterator[ConsensusRow]:
    """Every pair of responses ranked by somebody in one of `campaigns` (None: in any), item by
    item.

    Only judgments that count (labeling.votes.counting), on texts that may be used. Raters are
    weighted by their campaign's latest report; without one all count equally.
    """
    for campaign in _compared(campaigns):
        accuracy = accuracy_by_rater(campaign=campaign)
        for chunk in _chunks(campaign):
            yield from _of_items(chunk, accuracy)


def rating_rows(*, campaigns: Collection[int] | None = None) -> Iterator[RatingRow]:
    """Every response and question that somebody answered, item by item; what counts is the same."""
    for campaign in _compared(campaigns):
        weights = rating_consensus.weights_of(campaign=campaign)
        for chunk in _chunks(campaign):
            by_item = rating_consensus.ratings_of_items(
                campaign=campaign, items=chunk, weights=weights
            )
            ids = {rating.response for several in by_item.values() for rating in several}
            responses = Response.objects.select_related("source").in_bulk(ids)
            for item in chunk:
                for rating in by_item[item.pk]:
                    yield RatingRow(item, responses[rating.response], rating)


def best_voted(*, campaigns: Collection[int]) -> Iterator[VotedRow]:
    """Of each item of these campaigns that somebody ranked, on a published prompt that is not
    retired, the response that its judgments prefer (labeling.votes.best_responses).
    """
    for campaign in _compared(campaigns).select_related("pool"):
        accuracy = accuracy_by_rater(campaign=campaign)
        for chunk in _chunks(campaign):
            yield from _best_of_items(chunk, accuracy, is_held_out=campaign.pool.is_held_out)


def _best_of_items(
    items: Sequence[Item], accuracy: Mapping[int, float], *, is_held_out: bool
) -> Iterator[VotedRow]:
    prompts = visible(Prompt.objects.filter(retired_at=None, items__in=items))
    usable = set(prompts.values_list("pk", flat=True))
    standings = {
        item: best_responses.best(pairs)
        for item, pairs in groupby(_pairs_of(items, accuracy), key=lambda pair: pair.item)
    }
    responses = Response.objects.select_related("source").in_bulk(
        {standing.response for standing in standings.values() if standing}
    )
    judgments: dict[int, list[int]] = {item: [] for item in standings}
    counted = Judgment.of_people.filter(counting.counts(), item__in=standings).order_by("pk")
    for item_id, pk in counted.values_list("item_id", "pk"):
        judgments[item_id or 0].append(pk)
    for item in items:
        standing, prompt = standings.get(item.pk), item.prompt
        if standing is None or prompt.pk not in usable:
            continue
        response = responses[standing.response]
        yield VotedRow(
            response_id=response.pk,
            prompt_id=prompt.pk,
            messages=prompt.messages,
            tools=prompt.tools,
            text=response.text,
            reasoning_content=response.reasoning_content,
            tool_calls=response.tool_calls,
            score=standing.score,
            is_ended=response.is_ended is not False,
            split=prompt.split,
            cluster=prompt.cluster,
            source_name=response.source.name,
            licence=prompt.licence,
            category=prompt.category,
            response_licence=response.own_licence,
            is_clear=standing.is_clear,
            is_held_out=is_held_out,
            judgment_ids=tuple(judgments[item.pk]),
        )


def _compared(campaigns: Collection[int] | None) -> QuerySet[Campaign]:
    queryset = Campaign.objects.filter(kind__in=registry.with_answer(Answer.COMPARISON))
    queryset = queryset.select_related("guideline_version").order_by("pk")
    return queryset if campaigns is None else queryset.filter(pk__in=campaigns)


def _chunks(campaign: Campaign) -> Iterator[list[Item]]:
    """Page by primary key: an offset would get slower with every chunk."""
    items = Item.objects.filter(campaign=campaign, repeat_of=None)
    items = items.select_related("prompt__source").order_by("pk")
    after = 0
    while chunk := list(items.filter(pk__gt=after)[:ITEMS]):
        yield chunk
        after = chunk[-1].pk


def _of_items(items: Sequence[Item], accuracy: Mapping[int, float]) -> Iterator[ConsensusRow]:
    pairs = _pairs_of(items, accuracy)
    known = {item.pk: item for item in items}
    ids = {response for pair in pairs for response in (pair.left, pair.right)}
    responses = Response.objects.select_related("source").in_bulk(ids)
    for pair in pairs:
        yield ConsensusRow(known[pair.item], responses[pair.left], responses[pair.right], pair)


def _pairs_of(
    items: Sequence[Item], accuracy: Mapping[int, float]
) -> list[consensus.PairConsensus]:
    """Item by item, and by the ids of their responses."""
    rows = (
        RankedResponse.objects.filter(
            counting.counts("comparison__judgment__"), comparison__judgment__item__in=items
        )
        .exclude(counting.by_withdrawn("response__"))
        .values_list(
            "comparison__judgment__item_id",
            "comparison__judgment__rater_id",
            "response_id",
            "rank",
            "comparison__is_all_bad",
        )
    )
    pairs = consensus.consensus_by_pair(
        votes_on_pairs(row for row in rows if row[0] is not None), accuracy
    )
    return sorted(pairs, key=lambda pair: (pair.item, pair.left, pair.right))


def as_consensus(row: ConsensusRow) -> dict[str, object]:
    """`majority` and `consensus` are a, b or tie, and null if two of these share the lead."""
    agreed, prompt = row.found, row.item.prompt
    return tools_of(prompt.tools) | {
        "prompt": prompt.messages,
        "a": [chats.answer(row.a.text, **row.a.parts)],
        "b": [chats.answer(row.b.text, **row.b.parts)],
        "majority": _name(agreed.majority),
        "consensus": _name(agreed.weighted),
        "p": agreed.p,
        "p_a": agreed.p_left,
        "p_tie": agreed.p_tie,
        "p_b": agreed.p_right,
        "n_votes": agreed.n_votes,
        "n_a": agreed.n_left,
        "n_tie": agreed.n_tie,
        "n_b": agreed.n_right,
        "item": row.item.pk,
        "prompt_id": prompt.pk,
        "response_a": row.a.pk,
        "response_b": row.b.pk,
        "source_a": row.a.source.name,
        "source_b": row.b.source.name,
        "split": prompt.split,
        "category": prompt.category,
        "language": prompt.language,
        "licence": licence_expression([prompt.licence, row.a.own_licence, row.b.own_licence]),
        "prompt_licence": prompt.licence,
        "prompt_source": prompt.source.name,
        "licence_a": row.a.own_licence,
        "licence_b": row.b.own_licence,
    }


def as_rating_consensus(row: RatingRow) -> dict[str, object]:
    """Numbers are null for categories without an order, and words for numbers."""
    agreed, prompt, response = row.found, row.item.prompt, row.response
    numbers = agreed.numbers
    return tools_of(prompt.tools) | {
        "prompt": prompt.messages,
        "completion": [chats.answer(response.text, **response.parts)],
        "question": agreed.question.name,
        "question_label": agreed.question.label,
        "n_answers": agreed.n,
        "answer": agreed.answer or None,
        "weighted_answer": agreed.weighted_answer or None,
        "mean": numbers.mean if numbers else None,
        "mean_low": numbers.low if numbers else None,
        "mean_high": numbers.high if numbers else None,
        "median": numbers.median if numbers else None,
        "spread": numbers.spread if numbers else None,
        "weighted_mean": numbers.weighted if numbers else None,
        "item": row.item.pk,
        "prompt_id": prompt.pk,
        "response_id": response.pk,
        "split": prompt.split,
        "category": prompt.category,
        "language": prompt.language,
        "licence": licence_expression([prompt.licence, response.own_licence]),
        "prompt_licence": prompt.licence,
        "prompt_source": prompt.source.name,
        "response_licence": response.own_licence,
        "response_source": response.source.name,
    }


def _name(label: int | None) -> str | None:
    return None if label is None else _NAMES[label]

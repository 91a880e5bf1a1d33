"""The consensus of an item's raters, one row per pair of its responses: by majority, and weighted
by reliability.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from labeling.data.exports.rows import as_turn, licence_expression
from labeling.models import Campaign, Item, RankedResponse, Response
from labeling.quality import counting
from labeling.quality.measures import consensus
from labeling.quality.votes.item_consensus import accuracy_by_rater, votes_on_pairs

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

    Only judgments that count (labeling.quality.counting), on texts that may be used. Raters are
    weighted by their campaign's latest report; without one all count equally.
    """
    compared = Campaign.objects.filter(kind__in=Campaign.COMPARING).order_by("pk")
    compared = compared if campaigns is None else compared.filter(pk__in=campaigns)
    for campaign in compared:
        accuracy = accuracy_by_rater(campaign=campaign)
        items = (
            Item.objects.filter(campaign=campaign, repeat_of=None)
            .select_related("prompt__source")
            .order_by("pk")
        )
        after = 0
        # Page by primary key: an offset would get slower with every chunk.
        while chunk := list(items.filter(pk__gt=after)[:ITEMS]):
            yield from _of_items(chunk, accuracy)
            after = chunk[-1].pk


def _of_items(items: Sequence[Item], accuracy: Mapping[int, float]) -> Iterator[ConsensusRow]:
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
    known = {item.pk: item for item in items}
    ids = {response for pair in pairs for response in (pair.left, pair.right)}
    responses = Response.objects.select_related("source").in_bulk(ids)
    for pair in sorted(pairs, key=lambda pair: (pair.item, pair.left, pair.right)):
        yield ConsensusRow(known[pair.item], responses[pair.left], responses[pair.right], pair)


def as_consensus(row: ConsensusRow) -> dict[str, Any]:
    """`majority` and `consensus` are a, b or tie, and null if two of these share the lead."""
    found, prompt = row.found, row.item.prompt
    return {
        "prompt": prompt.messages,
        "a": as_turn(row.a.text),
        "b": as_turn(row.b.text),
        "majority": _name(found.majority),
        "consensus": _name(found.weighted),
        "p": found.p,
        "p_a": found.p_left,
        "p_tie": found.p_tie,
        "p_b": found.p_right,
        "n_votes": found.n_votes,
        "n_a": found.n_left,
        "n_tie": found.n_tie,
        "n_b": found.n_right,
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


def _name(label: int | None) -> str | None:
    return None if label is None else _NAMES[label]

"""A campaign's rankings as columns, read row by row from the database, or from stored blocks.

A block is a Parquet file in a database row: a million judgments of four responses take about 100
MB, and load in seconds. Its columns are the unchanging ones of
labeling.quality.measures.votes.Votes, every question of the form as `answer:NAME`, and every
feature of a text as `has:NAME`.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.db.models import Max, QuerySet

from labeling.models import Campaign, Judgment, RankedResponse, Response, SetAside, VoteBlock
from labeling.quality import counting
from labeling.statistics.bias import looks as bias_looks

BLOCK = 20_000
"""Judgments per block. Those after the last full block are read row by row each time."""
CHUNK = 5_000

Columns = dict[str, np.ndarray]
Block = tuple[int, int, int]
"""ids of its first and last judgment, and their number"""

_FIELDS = {
    "judgment": "comparison__judgment_id",
    "item": "comparison__judgment__item_id",
    "prompt": "comparison__judgment__prompt_id",
    "rater": "comparison__judgment__rater_id",
    "response": "response_id",
    "source": "response__source_id",
    "position": "position",
    "rank": "rank",
    "at_s": "comparison__judgment__submitted_at",
    "active_s": "comparison__judgment__active_s",
    "ratings": "ratings",
}
_INTEGERS = ("judgment", "item", "prompt", "rater", "response", "source", "position")


def rankings_of(campaign: Campaign) -> QuerySet[Judgment]:
    """Every version of every comparison that is used as data, without golds."""
    return Judgment.versions.filter(
        campaign=campaign, kind=Judgment.Kind.COMPARISON, item__isnull=False, is_gold=False
    )


def blocks_of(*, campaign: Campaign) -> list[Block]:
    """The stored blocks, without their columns, in the order of judgments."""
    stored = VoteBlock.objects.filter(campaign=campaign).order_by("through_id")
    return list(stored.values_list("from_id", "through_id", "n_judgments"))


def stale_blocks(*, campaign: Campaign) -> list[Block]:
    """Stored blocks whose range now has another number of judgments, after a late commit or a
    cleared import.
    """
    within = rankings_of(campaign)
    return [
        block
        for block in blocks_of(campaign=campaign)
        if within.filter(pk__range=block[:2]).count() != block[2]
    ]


def next_block(*, campaign: Campaign, after_id: int, through_id: int) -> tuple[int, int] | None:
    """Ids of the first and last of the next BLOCK judgments; None when there are fewer."""
    later = (
        rankings_of(campaign)
        .filter(pk__gt=after_id, pk__lte=through_id)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    first, last = next(iter(later[:1]), None), next(iter(later[BLOCK - 1 : BLOCK]), None)
    return None if first is None or last is None else (first, last)


def columns_between(*, campaign: Campaign, from_id: int, through_id: int) -> Columns:
    """Read row by row; texts are measured and not kept."""
    rows = RankedResponse.objects.filter(
        comparison__judgment__in=rankings_of(campaign).filter(pk__range=(from_id, through_id))
    ).order_by("comparison_id", "position")
    listed: dict[str, list[Any]] = {name: [] for name in _FIELDS}
    for row in rows.values_list(*_FIELDS.values()).iterator(chunk_size=CHUNK):
        for column, value in zip(listed.values(), row, strict=True):
            column.append(value)
    looks = _looks(listed["response"])
    columns: Columns = {name: np.array(listed[name], dtype=np.int64) for name in _INTEGERS}
    return columns | {
        "rank": np.array(listed["rank"], dtype=float),  # None becomes NaN
        "at_s": np.array([moment.timestamp() for moment in listed["at_s"]], dtype=float),
        "active_s": np.array(listed["active_s"], dtype=float),
        "n_chars": looks.n_chars,
        **{f"has:{name}": column for name, column in looks.has.items()},
        **{f"answer:{name}": column for name, column in _answers(listed["ratings"]).items()},
    }


def packed(columns: Mapping[str, np.ndarray]) -> bytes:
    out = io.BytesIO()
    pq.write_table(
        pa.table({name: pa.array(column) for name, column in columns.items()}),
        out,
        compression="zstd",
    )
    return out.getvalue()


def columns_through(*, campaign: Campaign, through_id: int) -> Columns:
    """All rankings of the campaign up to a judgment that still count: from blocks, and the rest row
    by row.
    """
    stored = VoteBlock.objects.filter(campaign=campaign, through_id__lte=through_id).order_by(
        "through_id"
    )
    files = [io.BytesIO(columns) for columns in stored.values_list("columns", flat=True)]
    known = stored.aggregate(last=Max("through_id"))["last"] or 0
    rest = columns_between(campaign=campaign, from_id=known + 1, through_id=through_id)
    held = [set(pq.read_schema(file).names) for file in files]
    names = [*rest, *sorted(set().union(*held) - set(rest))] if held else list(rest)
    counts = _counts(
        campaign,
        *(_joined(name, files, held, rest) for name in ("judgment", "rater", "source", "response")),
    )
    return {
        name: _joined(name, files, held, rest)[counts] for name in names
    }  # at most one column at a time is in memory twice


def _joined(
    name: str, files: Sequence[io.BytesIO], held: Sequence[set[str]], rest: Columns
) -> np.ndarray:
    """One column of all blocks and of the rest. A block without that question has no answers to
    it.
    """
    parts = []
    for file, names in zip(files, held, strict=True):
        file.seek(0)
        column_name = name if name in names else "judgment"
        column = pq.read_table(file, columns=[column_name], use_threads=False)[
            column_name
        ].to_numpy()
        parts.append(column if name in names else np.full(len(column), np.nan))
    parts.append(rest[name] if name in rest else np.full(len(rest["judgment"]), np.nan))
    return np.concatenate(parts)


def _counts(
    campaign: Campaign,
    judgment: np.ndarray,
    rater: np.ndarray,
    source: np.ndarray,
    response: np.ndarray,
) -> np.ndarray:
    """By row: whether it is of a judgment that counts, on a text that may be used. The same as
    labeling.quality.counting for rows that are stored already, with repeats and extras.
    """
    superseded = Judgment.versions.filter(campaign=campaign, is_current=False).values_list(
        "pk", flat=True
    )
    aside = SetAside.objects.filter(judgment__campaign=campaign).values_list(
        "judgment_id", flat=True
    )
    withdrawn = Response.objects.filter(
        author__withdrawn_at__isnull=False, item_responses__item__campaign=campaign
    )
    left_out = (
        (judgment, [*superseded, *aside]),
        (rater, counting.withdrawn_raters()),
        (source, counting.withdrawn_sources()),
        (response, withdrawn.values_list("pk", flat=True)),
    )
    counts = np.ones(len(judgment), dtype=bool)
    for column, ids in left_out:
        if ids:
            counts &= np.isin(column, np.array(list(ids), dtype=np.int64), invert=True)
    return counts


def _answers(ratings: Sequence[Mapping[str, Any]]) -> Columns:
    """Every question that somebody answered, NaN if this response has no answer. Answers that are
    not numbers are ignored.
    """
    names = sorted({name for given in ratings for name in given})
    return {
        name: np.array([_number(given.get(name)) for given in ratings], dtype=float)
        for name in names
    }


def _number(answer: object) -> float:
    return float(answer) if isinstance(answer, int | float) else float("nan")


def _looks(responses: Sequence[int]) -> bias_looks.Looks:
    ids = np.array(responses, dtype=np.int64)
    distinct, place = np.unique(ids, return_inverse=True)
    found: list[bias_looks.Features] = []
    for chunk in _chunks(distinct.tolist()):
        texts = dict(Response.objects.filter(pk__in=chunk).values_list("pk", "text"))
        found += [bias_looks.features(texts[pk]) for pk in chunk]
    return bias_looks.looks(found).at(place.reshape(-1))


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))

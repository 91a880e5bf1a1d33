"""A campaign's rankings as columns, read row by row from the database, or from stored blocks.

A block is a Parquet file in a database row: a million judgments of four responses take about 100
MB, and those of drawn prompts load in seconds. Its columns are the unchanging ones of
labeling.votes.arrays.Votes, every question of the form as `answer:NAME`, and every
feature of a text as `has:NAME`.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.db.models import Max, QuerySet

from arithmetic.bias import looks as bias_looks
from arithmetic.figures import Ints
from labeling.access import withdrawn_prompts
from labeling.guidelines import rating_form
from labeling.models import Campaign, Judgment, RankedResponse, Response, SetAside, VoteBlock
from labeling.votes import counting, sampling
from labeling.votes.arrays import Truths

BLOCK = 20_000
"""Judgments per block. Those after the last full block are read row by row each time."""
CHUNK = 5_000
ROW_GROUP = 5_000
"""Rows of a block that are read together."""

Columns = dict[str, np.ndarray]
Wanted = Callable[[Ints], Truths]
"""prompts → which of them"""
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
    return Judgment.versions_of_people.filter(
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
    looks, answers = _looks(listed["response"]), _answers(listed["ratings"], _codes(campaign))
    columns: Columns = {name: np.array(listed[name], dtype=np.int64) for name in _INTEGERS}
    return columns | {
        "rank": np.array(listed["rank"], dtype=float),  # None becomes NaN
        "at_s": np.array([moment.timestamp() for moment in listed["at_s"]], dtype=float),
        "active_s": np.array(listed["active_s"], dtype=float),
        "n_chars": looks.n_chars,
        **{f"has:{name}": column for name, column in looks.has.items()},
        **{f"answer:{name}": column for name, column in answers.items()},
    }


def packed(columns: Mapping[str, np.ndarray]) -> bytes:
    """As Parquet, in the order of the prompts' places: the rows of drawn prompts are together."""
    order = np.argsort(sampling.places(columns["prompt"]), kind="stable")
    out = io.BytesIO()
    pq.write_table(
        pa.table({name: pa.array(column[order]) for name, column in columns.items()}),
        out,
        compression="zstd",
        row_group_size=ROW_GROUP,
    )
    return out.getvalue()


@dataclass(frozen=True)
class StoredRankings:
    """All rankings of a campaign up to a judgment: from blocks, and the rest row by row."""

    campaign: Campaign
    through_id: int
    rest: Columns
    left_out: Mapping[str, np.ndarray]
    """ids of what does not count, by column"""

    @classmethod
    def of(cls, *, campaign: Campaign, through_id: int) -> "StoredRankings":
        last = _blocks(campaign, through_id).aggregate(last=Max("through_id"))["last"] or 0
        rest = columns_between(campaign=campaign, from_id=last + 1, through_id=through_id)
        return cls(campaign, through_id, rest, _left_out(campaign))

    def columns(self, *, wanted: Wanted | None = None) -> Columns:
        """Rows that still count, in order of judgment and position: all, or those whose prompts are
        `wanted`.
        """
        found_parts = [self._counted(read, wanted) for read in self._parts()]
        parts = [part for part in found_parts if part is not None]
        joined = _joined(parts or [{name: column[:0] for name, column in self.rest.items()}])
        order = np.lexsort((joined["position"], joined["judgment"]))
        for name in joined:
            joined[name] = joined[name][order]
        return joined

    def judgments(self) -> Columns:
        """The `judgment`, `prompt` and `rater` of each judgment that counts, in order."""
        parts = []
        for read in self._parts():
            columns = read([*{*_OF_JUDGMENT, *self.left_out}])
            counts = self._counts(columns)
            parts.append(_first_rows({name: columns[name][counts] for name in _OF_JUDGMENT}))
        return _first_rows(_joined(parts))

    def _parts(self) -> Iterator["_Read"]:
        """One block in memory at a time."""
        stored = _blocks(self.campaign, self.through_id).values_list("columns", flat=True)
        for packed in stored.iterator(chunk_size=1):
            file = pq.ParquetFile(io.BytesIO(packed))
            for number in range(file.num_row_groups):
                yield _RowGroup(file, number).read
        yield (
            lambda names: self.rest if names is None else {name: self.rest[name] for name in names}
        )

    def _counted(self, read: "_Read", wanted: Wanted | None) -> Columns | None:
        is_wanted = None if wanted is None else wanted(read(["prompt"])["prompt"])
        if is_wanted is not None and not is_wanted.any():
            return None
        columns = read(None)
        counts = self._counts(columns)
        kept = counts if is_wanted is None else counts & is_wanted
        return {name: column[kept] for name, column in columns.items()}

    def _counts(self, columns: Columns) -> Truths:
        counts = np.ones(len(columns["judgment"]), dtype=bool)
        for name, ids in self.left_out.items():
            counts &= np.isin(columns[name], ids, invert=True)
        return counts


_OF_JUDGMENT = ("judgment", "prompt", "rater")
_Read = Callable[[Sequence[str] | None], Columns]


@dataclass(frozen=True)
class _RowGroup:
    file: pq.ParquetFile
    number: int

    def read(self, names: Sequence[str] | None) -> Columns:
        table = self.file.read_row_group(
            self.number, columns=None if names is None else list(names), use_threads=False
        )
        return {name: table[name].to_numpy() for name in table.column_names}


def _blocks(campaign: Campaign, through_id: int) -> QuerySet[VoteBlock]:
    stored = VoteBlock.objects.filter(campaign=campaign, through_id__lte=through_id)
    return stored.order_by("through_id")


def _joined(parts: Sequence[Columns]) -> Columns:
    """A part without a question has no answers to it. At most one column is in memory twice."""
    sizes = [len(part["judgment"]) for part in parts]
    names = dict.fromkeys(name for part in reversed(parts) for name in part)
    return {
        name: np.concatenate(
            [
                part.pop(name) if name in part else np.full(size, np.nan)
                for part, size in zip(parts, sizes, strict=True)
            ]
        )
        for name in names
    }


def _first_rows(columns: Columns) -> Columns:
    """One row of each judgment, in order."""
    _judgments, first = np.unique(columns["judgment"], return_index=True)
    return {name: column[first] for name, column in columns.items()}


def _left_out(campaign: Campaign) -> dict[str, np.ndarray]:
    """Ids, by column, of judgments that do not count and of texts that may not be used. The same as
    labeling.votes.counting for rows that are stored already, with repeats and extras.
    """
    superseded = Judgment.versions_of_everyone.filter(
        campaign=campaign, is_current=False
    ).values_list("pk", flat=True)
    aside = SetAside.objects.filter(judgment__campaign=campaign).values_list(
        "judgment_id", flat=True
    )
    withdrawn_texts = Response.objects.filter(
        author__withdrawn_at__isnull=False, item_responses__item__campaign=campaign
    )
    left_out = {
        "judgment": [*superseded, *aside],
        "rater": counting.withdrawn_raters(),
        "source": counting.withdrawn_sources(),
        "response": list(withdrawn_texts.values_list("pk", flat=True)),
        "prompt": list(
            withdrawn_prompts().filter(items__campaign=campaign).values_list("pk", flat=True)
        ),
    }
    return {name: np.array(ids, dtype=np.int64) for name, ids in left_out.items() if ids}


def _codes(campaign: Campaign) -> dict[str, dict[str, float]]:
    """Question → the numbers of its words."""
    questions = rating_form.parse(campaign.guideline_version.form).questions
    return {question.name: rating_form.codes(question) for question in questions}


def _answers(
    ratings: Sequence[Mapping[str, object]], codes: Mapping[str, Mapping[str, float]]
) -> Columns:
    """Every question that somebody answered, NaN if this response has no answer. Answers that are
    neither numbers nor words of the question are ignored.
    """
    names = sorted({name for rating in ratings for name in rating})
    return {
        name: np.array(
            [_number(rating.get(name), codes.get(name, {})) for rating in ratings], dtype=float
        )
        for name in names
    }


def _number(answer: object, codes: Mapping[str, float]) -> float:
    if isinstance(answer, str):
        return codes.get(answer, float("nan"))
    return float(answer) if isinstance(answer, int | float) else float("nan")


def _looks(responses: Sequence[int]) -> bias_looks.Looks:
    ids = np.array(responses, dtype=np.int64)
    distinct, place = np.unique(ids, return_inverse=True)
    features: list[bias_looks.Features] = []
    for chunk in _chunks(distinct.tolist()):
        texts = dict(Response.objects.filter(pk__in=chunk).values_list("pk", "text"))
        features += [bias_looks.features(texts[pk]) for pk in chunk]
    return bias_looks.looks(features).at(place.reshape(-1))


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))

"""The door out: judgments and prompts as frozen rows, streamed in the order of their ids, and files made of them.

Nothing of an import that is not published leaves, nor anything of a rater who has withdrawn, the texts of theirs that others
compared among it; a rater leaves as an alias.
Answers to golds score raters and are no data: they leave only for who asks for them by `include_gold`, and what a reviewer set
aside only by `include_set_aside`.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations, islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from django.db.models import F, Prefetch, Q, QuerySet

from labeling.exports.consensus import BY_WITHDRAWN, as_consensus, consensus_rows
from labeling.exports.consensus import SCHEMA as CONSENSUS
from labeling.models import AdjudicatedRank, Adjudication, Demonstration, Judgment, Prompt, RankedResponse, ResponseScore
from labeling.selectors.prompts import visible
from labeling.selectors.quality import weights_by_rater

CHUNK = 1_000
"""Rows in memory at a time, and in a row group of a Parquet file."""

EDITED = -1

Message = dict[str, str]
Record = dict[str, Any]


@dataclass(frozen=True)
class DemonstrationRow:
    judgment_id: int
    prompt_id: int
    messages: list[Message]
    response: str
    split: str
    cluster: str
    source_name: str
    """the import it came by, the model whose answer was kept, or "raters" """
    licence: str
    category: str
    language: str
    rater_alias: str
    campaign_id: int | None
    submitted_at: datetime
    guideline: str | None = None
    is_extra: bool = False
    is_held_out: bool = False
    """by a pool whose judgments evaluate and never train"""
    is_edit: bool = False
    """made from a response that the rater had compared with others"""
    turn: int = 0
    """which answer of a dialogue that a rater wrote; `messages` holds what they wrote before it"""
    is_last: bool = True
    """no answer of the same dialogue comes after it"""
    response_licence: str = ""
    """of the import it came by; empty where it was written here"""

    @property
    def licences(self) -> set[str]:
        return _borne(self.licence, self.response_licence)


@dataclass(frozen=True)
class RankedText:
    response_id: int
    text: str
    rank: int | None
    """1 = best, equal numbers tie, None = left unranked"""
    source_name: str
    position: int
    """0 = shown first; EDITED = written by the rater, and shown to nobody"""
    ratings: dict[str, Any]
    is_ended: bool | None = None
    """whether the model ended its turn, or was cut off at its longest response; None for a person"""
    licence: str = ""
    """of its source"""


@dataclass(frozen=True)
class ComparisonRow:
    judgment_id: int
    prompt_id: int
    messages: list[Message]
    responses: tuple[RankedText, ...]
    """by response id, whatever the order on the page was"""
    rater_alias: str
    split: str
    cluster: str
    licence: str
    category: str
    strength: int | None
    reason: str | None
    submitted_at: datetime
    is_extra: bool
    is_held_out: bool
    language: str = ""
    campaign_id: int | None = None
    guideline: str | None = None
    reliability: float | None = None
    """of the rater in this campaign, as a weight: 0 no better than chance, 1 always right; None where no report can tell"""
    is_edit: bool = False
    """the rater's edit before the response it was made from; what was ranked is the row before"""
    is_repeat: bool = False
    """the same item again to the same rater, the responses in reversed order"""
    pool: str = ""
    """the name of the pool that the rater judged in; empty for an imported judgment"""

    @property
    def licences(self) -> set[str]:
        return _borne(self.licence, *(response.licence for response in self.responses))


@dataclass(frozen=True)
class DecidedText:
    response_id: int
    text: str
    rank: int | None
    """1 = best, equal numbers tie, None = not decided"""
    source_name: str


@dataclass(frozen=True)
class AdjudicatedRow:
    item_id: int
    prompt_id: int
    messages: list[Message]
    responses: tuple[DecidedText, ...]
    reason: str
    """a value of Adjudication.Reason: why raters came apart"""
    note: str
    split: str
    licence: str
    category: str
    language: str
    at: datetime


@dataclass(frozen=True)
class ScoredRow:
    """A response that a model wrote, as a reward model scored it."""

    response_id: int
    prompt_id: int
    messages: list[Message]
    text: str
    score: float
    is_ended: bool
    split: str
    cluster: str
    source_name: str
    licence: str
    category: str
    response_licence: str = ""

    @property
    def licences(self) -> set[str]:
        return _borne(self.licence, self.response_licence)


@dataclass(frozen=True)
class PromptRow:
    prompt_id: int
    messages: list[Message]
    split: str
    cluster: str
    category: str
    licence: str
    language: str = ""
    source_name: str = ""

    @property
    def licences(self) -> set[str]:
        return {self.licence}


def _borne(of_prompt: str, *of_responses: str) -> set[str]:
    """What a row is under: its prompt's licence, named or not, and those that its responses' sources name."""
    return {of_prompt, *filter(None, of_responses)}


def demonstrations(
    *,
    campaigns: Collection[int] | None = None,
    include_imports: bool = True,
    include_extra: bool = False,
    include_gold: bool = False,
    include_set_aside: bool = False,
) -> Iterator[DemonstrationRow]:
    """Every demonstration of `campaigns` (None: of all), with the imported ones unless they are not wanted.

    Among them what raters made of a response while they compared. A dialogue gives a row for each of its answers.
    """
    written = Judgment.objects.filter(demonstration__isnull=False)
    judgments = _judgments(written, campaigns, include_imports, include_extra, include_gold, include_set_aside)
    for judgment in judgments.select_related("demonstration").iterator(chunk_size=CHUNK):
        yield from _by_turns(_demonstration(judgment), judgment.demonstration.further)


def _by_turns(first: DemonstrationRow, further: list[Message]) -> Iterator[DemonstrationRow]:
    """`first`, and after it a row for each answer among the turns that follow it: user, assistant, user, assistant."""
    yield replace(first, is_last=not further)
    said = [*first.messages, *_as_turn(first.response), *further]
    for place in range(1, len(further), 2):
        before = said[: len(first.messages) + 1 + place]
        is_last = place == len(further) - 1
        yield replace(first, messages=before, response=further[place]["content"], turn=(place + 1) // 2, is_last=is_last)


def _demonstration(judgment: Judgment) -> DemonstrationRow:
    prompt = judgment.prompt
    return DemonstrationRow(
        judgment_id=judgment.pk,
        prompt_id=prompt.pk,
        messages=prompt.messages,
        response=judgment.demonstration.text,
        split=prompt.split,
        cluster=prompt.cluster,
        source_name=_came_from(judgment),
        licence=prompt.licence,
        category=prompt.category,
        language=prompt.language,
        rater_alias=judgment.rater.alias,
        campaign_id=judgment.campaign_id,
        submitted_at=judgment.submitted_at,
        guideline=_guideline(judgment),
        is_extra=judgment.is_extra,
        is_held_out=_is_held_out(judgment),
        is_edit=judgment.demonstration.edit_of_id is not None,
        response_licence=judgment.import_batch.source.licence if judgment.import_batch else "",
    )


def comparisons(
    *,
    campaigns: Collection[int] | None = None,
    include_imports: bool = True,
    include_extra: bool = False,
    include_gold: bool = False,
    include_repeats: bool = False,
    include_set_aside: bool = False,
) -> Iterator[ComparisonRow]:
    """Every comparison of `campaigns` (None: of all), with the imported ones unless they are not wanted.

    A judgment in which a response was edited gives a second row, `is_edit`: the edit, and behind it what it was made from.
    A repeat would count its rater's opinion twice, so it leaves only for who asks for repeats.
    """
    ranked = RankedResponse.objects.exclude(BY_WITHDRAWN).select_related("response__source").order_by("response_id")
    compared = Judgment.objects.filter(kind=Judgment.Kind.COMPARISON)
    judgments = _judgments(compared, campaigns, include_imports, include_extra, include_gold, include_set_aside)
    judgments = judgments.select_related("comparison", "demonstration__response__source", "item")
    if not include_repeats:
        judgments = judgments.filter(item__repeat_of=None)
    weights = weights_by_rater(campaigns=campaigns)
    for judgment in judgments.prefetch_related(Prefetch("comparison__ranked", ranked)).iterator(chunk_size=CHUNK):
        row = _comparison(judgment, weights)
        if len(row.responses) > 1:
            yield row
        edited = _edited_pair(judgment, row)
        if edited is not None:
            yield edited


def adjudications(*, campaigns: Collection[int] | None = None) -> Iterator[AdjudicatedRow]:
    """The order that a reviewer decided, a row an item; an adjudicated item without an order gives none."""
    ranked = AdjudicatedRank.objects.exclude(BY_WITHDRAWN).select_related("response__source").order_by("response_id")
    found = Adjudication.objects.filter(ranks__isnull=False).distinct().select_related("item__prompt").order_by("pk")
    if campaigns is not None:
        found = found.filter(item__campaign__in=campaigns)
    for decision in found.prefetch_related(Prefetch("ranks", ranked)).iterator(chunk_size=CHUNK):
        prompt = decision.item.prompt
        yield AdjudicatedRow(
            item_id=decision.item_id,
            prompt_id=prompt.pk,
            messages=prompt.messages,
            responses=tuple(
                DecidedText(row.response_id, row.response.text, row.rank, row.response.source.name)
                for row in decision.ranks.all()
            ),
            reason=decision.reason,
            note=decision.note,
            split=prompt.split,
            licence=prompt.licence,
            category=prompt.category,
            language=prompt.language,
            at=decision.at,
        )


def prompts() -> Iterator[PromptRow]:
    """Every published prompt that is not retired."""
    rows = visible(Prompt.objects.filter(retired_at=None)).select_related("source").order_by("pk")
    for prompt in rows.iterator(chunk_size=CHUNK):
        yield PromptRow(
            prompt_id=prompt.pk,
            messages=prompt.messages,
            split=prompt.split,
            cluster=prompt.cluster,
            category=prompt.category,
            licence=prompt.licence,
            language=prompt.language,
            source_name=prompt.source.name,
        )


def best_scored(*, source: int, numbers: range, scorer: int) -> Iterator[ScoredRow]:
    """To each published prompt that is not retired, the response of `source` with one of these numbers that `scorer` likes best.

    What was cut off comes after all that ended by themselves: a reward model reads its score where a response ends.
    """
    answered = visible(Prompt.objects.filter(retired_at=None))
    scores = ResponseScore.objects.filter(
        scorer=scorer,
        response__source=source,
        response__number__gte=numbers.start,
        response__number__lt=numbers.stop,
        response__prompt__in=answered,
    )
    best: dict[int, int] = {}
    ranked = scores.order_by("response__prompt_id", F("response__is_ended").desc(nulls_last=True), "-score", "response__number")
    for prompt_id, pk in ranked.values_list("response__prompt_id", "pk").iterator(chunk_size=CHUNK):
        best.setdefault(prompt_id, pk)
    remaining = iter(best.values())
    while chunk := list(islice(remaining, CHUNK)):
        found = ResponseScore.objects.filter(pk__in=chunk).select_related("response__prompt", "response__source")
        yield from map(_scored, found.order_by("response__prompt_id"))


def _scored(found: ResponseScore) -> ScoredRow:
    response = found.response
    prompt = response.prompt
    return ScoredRow(
        response_id=response.pk,
        prompt_id=prompt.pk,
        messages=prompt.messages,
        text=response.text,
        score=found.score,
        is_ended=response.is_ended is not False,
        split=prompt.split,
        cluster=prompt.cluster,
        source_name=response.source.name,
        licence=prompt.licence,
        category=prompt.category,
        response_licence=response.source.licence,
    )


# --- the shapes of files -----------------------------------------------------------------------------------------


_ABOUT = (
    ("judgment", pa.int64()),
    ("prompt_id", pa.int64()),
    ("rater", pa.string()),
    ("split", pa.string()),
    ("category", pa.string()),
    ("language", pa.string()),
    ("licence", pa.string()),
    ("is_extra", pa.bool_()),
    ("is_edit", pa.bool_()),
    ("submitted_at", pa.string()),
)
_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_ANSWERS = (*_ABOUT, ("turn", pa.int64()))
_RESPONSES = pa.list_(
    pa.struct(
        [
            ("response", pa.int64()),
            ("text", pa.string()),
            ("rank", pa.int64()),
            ("source", pa.string()),
            ("position", pa.int64()),
            ("ratings", pa.string()),
        ]
    )
)
_DECIDED = pa.list_(pa.struct([("response", pa.int64()), ("text", pa.string()), ("rank", pa.int64()), ("source", pa.string())]))
SCHEMAS: dict[str, pa.Schema] = {
    "demonstrations": pa.schema([("prompt", _MESSAGES), ("completion", _MESSAGES), *_ANSWERS]),
    "dialogues": pa.schema([("messages", _MESSAGES), *_ABOUT]),
    "preferences": pa.schema([("prompt", _MESSAGES), ("chosen", _MESSAGES), ("rejected", _MESSAGES), *_ABOUT]),
    "rankings": pa.schema(
        [("prompt", _MESSAGES), ("responses", _RESPONSES), ("strength", pa.int64()), ("reason", pa.string()), *_ABOUT]
    ),
    "adjudicated": pa.schema(
        [
            ("prompt", _MESSAGES),
            ("responses", _DECIDED),
            ("reason", pa.string()),
            ("note", pa.string()),
            ("item", pa.int64()),
            ("prompt_id", pa.int64()),
            ("split", pa.string()),
            ("category", pa.string()),
            ("language", pa.string()),
            ("licence", pa.string()),
            ("adjudicated_at", pa.string()),
        ]
    ),
    "consensus": pa.schema([("prompt", _MESSAGES), ("a", _MESSAGES), ("b", _MESSAGES), *CONSENSUS]),
}
"""The shapes a file can have, and their columns. The first three are TRL's conversational prompt-completion, language
modelling and preference formats, with columns more that TRL ignores; `rankings` is everything a rater gave; `adjudicated` is
what a reviewer decided, a row an item; `consensus` is what raters say together, a row a pair."""


def records(
    shape: str,
    *,
    campaigns: Collection[int] | None = None,
    include_imports: bool = True,
    include_extra: bool = False,
    include_gold: bool = False,
    include_set_aside: bool = False,
) -> Iterator[Record]:
    """Rows of a file of that `shape` (a key of SCHEMAS), as JSON values."""
    wanted: Record = {
        "campaigns": campaigns,
        "include_imports": include_imports,
        "include_extra": include_extra,
        "include_gold": include_gold,
        "include_set_aside": include_set_aside,
    }
    if shape == "demonstrations":
        yield from map(as_prompt_completion, demonstrations(**wanted))
        return
    if shape == "dialogues":
        yield from (as_dialogue(row) for row in demonstrations(**wanted) if row.is_last)
        return
    if shape == "adjudicated":
        yield from map(as_adjudicated, adjudications(campaigns=campaigns))
        return
    if shape == "consensus":
        yield from map(as_consensus, consensus_rows(campaigns=campaigns))
        return
    compared = comparisons(**wanted)
    for row in compared:
        yield from as_preferences(row) if shape == "preferences" else [as_ranking(row)]


def as_prompt_completion(row: DemonstrationRow) -> Record:
    return {"prompt": row.messages, "completion": _as_turn(row.response)} | _about(row) | {"turn": row.turn}


def as_dialogue(row: DemonstrationRow) -> Record:
    return {"messages": [*row.messages, *_as_turn(row.response)]} | _about(row)


def as_preferences(row: ComparisonRow) -> Iterator[Record]:
    """A pair for every two ranked responses of which one came out ahead: ties and unranked responses give none."""
    ranked = [(response.rank, response) for response in row.responses if response.rank is not None]
    for (rank, one), (other_rank, other) in combinations(ranked, 2):
        if rank != other_rank:
            chosen, rejected = (one, other) if rank < other_rank else (other, one)
            yield {
                "prompt": row.messages,
                "chosen": _as_turn(chosen.text),
                "rejected": _as_turn(rejected.text),
            } | _about(row)


def as_ranking(row: ComparisonRow) -> Record:
    responses = [
        {
            "response": response.response_id,
            "text": response.text,
            "rank": response.rank,
            "source": response.source_name,
            "position": response.position,
            "ratings": response.ratings,
        }
        for response in row.responses
    ]
    judged = {"responses": responses, "strength": row.strength, "reason": row.reason}
    return {"prompt": row.messages} | judged | _about(row)


def as_adjudicated(row: AdjudicatedRow) -> Record:
    responses = [
        {"response": decided.response_id, "text": decided.text, "rank": decided.rank, "source": decided.source_name}
        for decided in row.responses
    ]
    return {
        "prompt": row.messages,
        "responses": responses,
        "reason": row.reason,
        "note": row.note,
        "item": row.item_id,
        "prompt_id": row.prompt_id,
        "split": row.split,
        "category": row.category,
        "language": row.language,
        "licence": row.licence,
        "adjudicated_at": row.at.isoformat(),
    }


def jsonl(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """One line of UTF-8 a row."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False).encode() + b"\n"


def parquet(rows: Iterable[Record], *, shape: str, to: BinaryIO) -> int:
    """Write a Parquet file of that shape, a row group at a time; how many rows it has. Ratings are JSON text in it."""
    schema = SCHEMAS[shape]
    remaining = iter(rows)
    n_rows = 0
    with pq.ParquetWriter(to, schema) as writer:
        while chunk := list(islice(remaining, CHUNK)):
            writer.write_table(pa.Table.from_pylist([_flat(row) for row in chunk], schema=schema))
            n_rows += len(chunk)
    return n_rows


def _flat(row: Record) -> Record:
    if "responses" not in row or "judgment" not in row:  # an adjudicated order has no ratings
        return row
    responses = [response | {"ratings": json.dumps(response["ratings"])} for response in row["responses"]]
    return row | {"responses": responses}


def _as_turn(text: str) -> list[Message]:
    return [{"role": "assistant", "content": text}]


def _about(row: DemonstrationRow | ComparisonRow) -> Record:
    return {
        "judgment": row.judgment_id,
        "prompt_id": row.prompt_id,
        "rater": row.rater_alias,
        "split": row.split,
        "category": row.category,
        "language": row.language,
        "licence": row.licence,
        "is_extra": row.is_extra,
        "is_edit": row.is_edit,
        "submitted_at": row.submitted_at.isoformat(),
    }


# --- reading -----------------------------------------------------------------------------------------------------


def _judgments(
    judgments: QuerySet[Judgment],
    campaigns: Collection[int] | None,
    include_imports: bool,
    include_extra: bool,
    include_gold: bool,
    include_set_aside: bool,
) -> QuerySet[Judgment]:
    judgments = visible(judgments).filter(rater__withdrawn_at=None)
    if campaigns is not None:
        wanted = Q(campaign__in=campaigns)
        judgments = judgments.filter(wanted | Q(import_batch__isnull=False) if include_imports else wanted)
    elif not include_imports:
        judgments = judgments.filter(import_batch=None)
    if not include_extra:
        judgments = judgments.filter(is_extra=False)
    if not include_gold:
        judgments = judgments.filter(is_gold=False)
    if not include_set_aside:
        judgments = judgments.filter(set_aside=None)
    return judgments.select_related(
        "prompt", "rater", "campaign__pool", "guideline_version__guideline", "import_batch__source"
    ).order_by("pk")


def _came_from(judgment: Judgment) -> str:
    if judgment.import_batch:
        return judgment.import_batch.source.name
    return str(judgment.presentation.get("source") or "raters") if judgment.campaign_id is None else "raters"


def _comparison(judgment: Judgment, weights: Mapping[tuple[int, int], float]) -> ComparisonRow:
    prompt = judgment.prompt
    return ComparisonRow(
        judgment_id=judgment.pk,
        prompt_id=prompt.pk,
        messages=prompt.messages,
        responses=tuple(_ranked_text(row) for row in judgment.comparison.ranked.all()),
        rater_alias=judgment.rater.alias,
        split=prompt.split,
        cluster=prompt.cluster,
        licence=prompt.licence,
        category=prompt.category,
        strength=judgment.comparison.strength,
        reason=judgment.comparison.reason,
        submitted_at=judgment.submitted_at,
        is_extra=judgment.is_extra,
        is_held_out=_is_held_out(judgment),
        language=prompt.language,
        campaign_id=judgment.campaign_id,
        guideline=_guideline(judgment),
        reliability=weights.get((judgment.campaign_id or 0, judgment.rater_id)),
        is_repeat=judgment.item is not None and judgment.item.repeat_of_id is not None,
        pool=judgment.campaign.pool.name if judgment.campaign else "",
    )


def _edited_pair(judgment: Judgment, row: ComparisonRow) -> ComparisonRow | None:
    """The rater's edit preferred to its original; None when they edited nothing."""
    written: Demonstration | None = getattr(judgment, "demonstration", None)  # a reverse one-to-one raises when there is none
    if written is None or written.response is None:
        return None
    original = next((text for text in row.responses if text.response_id == written.edit_of_id), None)
    if original is None:  # its writer has withdrawn
        return None
    edit = RankedText(
        written.response.pk, written.text, 1, written.response.source.name, EDITED, {}, licence=written.response.source.licence
    )
    pair = sorted((edit, replace(original, rank=2)), key=lambda text: text.response_id)
    return replace(row, responses=tuple(pair), strength=None, reason=None, is_edit=True)


def _ranked_text(row: RankedResponse) -> RankedText:
    return RankedText(
        response_id=row.response_id,
        text=row.response.text,
        rank=row.rank,
        source_name=row.response.source.name,
        position=row.position,
        ratings=row.ratings,
        is_ended=row.response.is_ended,
        licence=row.response.source.licence,
    )


def _is_held_out(judgment: Judgment) -> bool:
    return judgment.campaign is not None and judgment.campaign.pool.is_held_out


def _guideline(judgment: Judgment) -> str | None:
    return str(judgment.guideline_version) if judgment.guideline_version else None

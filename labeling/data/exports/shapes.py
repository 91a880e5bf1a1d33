"""The shapes of a file of judgments: rows as records, and records as JSON lines or Parquet."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations, islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from labeling.data.exports.consensus import SCHEMA as CONSENSUS
from labeling.data.exports.consensus import as_consensus, consensus_rows
from labeling.data.exports.rows import (
    CHUNK,
    AdjudicatedRow,
    ComparisonRow,
    DemonstrationRow,
    as_turn,
    licence_expression,
)
from labeling.data.exports.streams import adjudications, comparisons, demonstrations

Record = dict[str, Any]

_ABOUT = (
    ("judgment", pa.int64()),
    ("prompt_id", pa.int64()),
    ("rater", pa.string()),
    ("split", pa.string()),
    ("category", pa.string()),
    ("language", pa.string()),
    ("licence", pa.string()),
    ("prompt_licence", pa.string()),
    ("prompt_source", pa.string()),
    ("is_extra", pa.bool_()),
    ("is_edit", pa.bool_()),
    ("submitted_at", pa.string()),
    ("item", pa.int64()),
    ("campaign", pa.int64()),
    ("guideline", pa.string()),
    ("active_s", pa.float64()),
    ("warnings", pa.list_(pa.string())),
    ("is_repeat", pa.bool_()),
)
_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_WRITTEN = (("response_licence", pa.string()), ("response_source", pa.string()))
_PAIR = tuple(
    (f"{side}_{about}", pa.string())
    for side in ("chosen", "rejected")
    for about in ("licence", "source")
)
_ANSWERS = (*_ABOUT, *_WRITTEN, ("turn", pa.int64()))
_RESPONSES = pa.list_(
    pa.struct(
        [
            ("response", pa.int64()),
            ("text", pa.string()),
            ("rank", pa.int64()),
            ("source", pa.string()),
            ("licence", pa.string()),
            ("position", pa.int64()),
            ("ratings", pa.string()),
        ]
    )
)
_DECIDED = pa.list_(
    pa.struct(
        [
            ("response", pa.int64()),
            ("text", pa.string()),
            ("rank", pa.int64()),
            ("source", pa.string()),
            ("licence", pa.string()),
        ]
    )
)
SCHEMAS: dict[str, pa.Schema] = {
    "demonstrations": pa.schema([("prompt", _MESSAGES), ("completion", _MESSAGES), *_ANSWERS]),
    "dialogues": pa.schema([("messages", _MESSAGES), *_ABOUT, *_WRITTEN]),
    "preferences": pa.schema(
        [("prompt", _MESSAGES), ("chosen", _MESSAGES), ("rejected", _MESSAGES), *_ABOUT, *_PAIR]
    ),
    "rankings": pa.schema(
        [
            ("prompt", _MESSAGES),
            ("responses", _RESPONSES),
            ("strength", pa.int64()),
            ("reason", pa.string()),
            ("is_all_bad", pa.bool_()),
            *_ABOUT,
        ]
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
            ("prompt_licence", pa.string()),
            ("prompt_source", pa.string()),
            ("adjudicated_at", pa.string()),
        ]
    ),
    "consensus": pa.schema([("prompt", _MESSAGES), ("a", _MESSAGES), ("b", _MESSAGES), *CONSENSUS]),
}
"""The shapes and their columns. The first three are TRL's conversational prompt-completion,
language modelling and preference formats, with additional columns that TRL ignores; `rankings` is
everything a rater gave; `adjudicated` is what a reviewer decided, one row per item; `consensus` is
what raters say collectively, one row per pair.
"""


def records(
    shape: str,
    *,
    campaigns: Collection[int] | None = None,
    include_imports: bool = True,
    include_extra: bool = False,
    include_gold: bool = False,
    include_set_aside: bool = False,
    licences: Collection[str] | None = None,
) -> Iterator[Record]:
    """Rows of a file of this `shape` (a key of SCHEMAS), as JSON values. With `licences`, only rows
    whose texts are all under one of these.
    """
    rows = _records(
        shape,
        campaigns=campaigns,
        include_imports=include_imports,
        include_extra=include_extra,
        include_gold=include_gold,
        include_set_aside=include_set_aside,
    )
    if licences is None:
        return rows
    return (row for row in rows if licences_in(row) <= set(licences))


def licences_in(record: Record) -> set[str]:
    """The licences of a row's texts: the prompt's, which may be empty, and those that the other
    texts have. A text without one was written here.
    """
    names = ("response_licence", "chosen_licence", "rejected_licence", "licence_a", "licence_b")
    others = {record.get(name) or "" for name in names}
    others |= {response["licence"] for response in record.get("responses", ())}
    return {record["prompt_licence"]} | (others - {""})


def _records(
    shape: str,
    *,
    campaigns: Collection[int] | None,
    include_imports: bool,
    include_extra: bool,
    include_gold: bool,
    include_set_aside: bool,
) -> Iterator[Record]:
    filters: Record = {
        "campaigns": campaigns,
        "include_imports": include_imports,
        "include_extra": include_extra,
        "include_gold": include_gold,
        "include_set_aside": include_set_aside,
    }
    if shape == "demonstrations":
        yield from map(as_prompt_completion, demonstrations(**filters))
        return
    if shape == "dialogues":
        yield from (as_dialogue(row) for row in demonstrations(**filters) if row.is_last)
        return
    if shape == "adjudicated":
        yield from map(as_adjudicated, adjudications(campaigns=campaigns))
        return
    if shape == "consensus":
        yield from map(as_consensus, consensus_rows(campaigns=campaigns))
        return
    if shape == "preferences":
        for row in comparisons(**filters):
            yield from as_preferences(row)
        return
    yield from map(as_ranking, comparisons(**filters, include_single=True))


def as_prompt_completion(row: DemonstrationRow) -> Record:
    return (
        {"prompt": row.messages, "completion": as_turn(row.response)}
        | _about(row)
        | _written(row)
        | {"turn": row.turn}
    )


def as_dialogue(row: DemonstrationRow) -> Record:
    return {"messages": [*row.messages, *as_turn(row.response)]} | _about(row) | _written(row)


def _written(row: DemonstrationRow) -> Record:
    return {"response_licence": row.response_licence, "response_source": row.source_name}


def as_preferences(row: ComparisonRow) -> Iterator[Record]:
    """One pair for every two ranked responses with different ranks: ties and unranked responses
    give none.
    """
    ranked = [(response.rank, response) for response in row.responses if response.rank is not None]
    for (rank, one), (other_rank, other) in combinations(ranked, 2):
        if rank != other_rank:
            chosen, rejected = (one, other) if rank < other_rank else (other, one)
            yield (
                {
                    "prompt": row.messages,
                    "chosen": as_turn(chosen.text),
                    "rejected": as_turn(rejected.text),
                }
                | _about(replace(row, responses=(chosen, rejected)))
                | {
                    "chosen_licence": chosen.licence,
                    "chosen_source": chosen.source_name,
                    "rejected_licence": rejected.licence,
                    "rejected_source": rejected.source_name,
                }
            )


def as_ranking(row: ComparisonRow) -> Record:
    responses = [
        {
            "response": response.response_id,
            "text": response.text,
            "rank": response.rank,
            "source": response.source_name,
            "licence": response.licence,
            "position": response.position,
            "ratings": response.ratings,
        }
        for response in row.responses
    ]
    judged = {
        "responses": responses,
        "strength": row.strength,
        "reason": row.reason,
        "is_all_bad": row.is_all_bad,
    }
    return {"prompt": row.messages} | judged | _about(row)


def as_adjudicated(row: AdjudicatedRow) -> Record:
    responses = [
        {
            "response": decided.response_id,
            "text": decided.text,
            "rank": decided.rank,
            "source": decided.source_name,
            "licence": decided.licence,
        }
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
        "licence": licence_expression(row.licences),
        "prompt_licence": row.licence,
        "prompt_source": row.prompt_source,
        "adjudicated_at": row.at.isoformat(),
    }


def jsonl(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """One line of UTF-8 per row."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False).encode() + b"\n"


def parquet(rows: Iterable[Record], *, shape: str, to: BinaryIO) -> int:
    """Writes a Parquet file of this shape, one row group at a time; returns the number of rows.
    Ratings are stored as JSON text.
    """
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
    responses = [
        response | {"ratings": json.dumps(response["ratings"])} for response in row["responses"]
    ]
    return row | {"responses": responses}


def _about(row: DemonstrationRow | ComparisonRow) -> Record:
    return {
        "judgment": row.judgment_id,
        "prompt_id": row.prompt_id,
        "rater": row.rater_alias,
        "split": row.split,
        "category": row.category,
        "language": row.language,
        "licence": licence_expression(row.licences),
        "prompt_licence": row.licence,
        "prompt_source": row.prompt_source,
        "is_extra": row.is_extra,
        "is_edit": row.is_edit,
        "submitted_at": row.submitted_at.isoformat(),
        "item": row.item_id,
        "campaign": row.campaign_id,
        "guideline": row.guideline,
        "active_s": row.active_s,
        "warnings": list(row.warnings),
        "is_repeat": row.is_repeat,
    }

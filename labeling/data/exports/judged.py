"""Judgments as records: demonstrations, pairs, rankings, what reviewers decided, consensus."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import pyarrow as pa
from django.utils.translation import gettext_noop

from labeling.data.exports.columns import (
    ABOUT,
    ANSWERS,
    MESSAGES,
    PAIR,
    WRITTEN,
    Record,
    about,
    parts_of,
    tools_of,
    written,
)
from labeling.data.exports.consensus import RATINGS
from labeling.data.exports.consensus import SCHEMA as CONSENSUS
from labeling.data.exports.rows import (
    AdjudicatedRow,
    ComparisonRow,
    DemonstrationRow,
    licence_expression,
)

TIED_PAIRS = gettext_noop("pairs of responses with the same rank")
UNRANKED_PAIRS = gettext_noop("pairs with a response that was not ranked")
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
    "demonstrations": pa.schema([("prompt", MESSAGES), ("completion", MESSAGES), *ANSWERS]),
    "dialogues": pa.schema([("messages", MESSAGES), *ABOUT, *WRITTEN]),
    "preferences": pa.schema(
        [("prompt", MESSAGES), ("chosen", MESSAGES), ("rejected", MESSAGES), *ABOUT, *PAIR]
    ),
    "rankings": pa.schema(
        [
            ("prompt", MESSAGES),
            ("responses", _RESPONSES),
            ("strength", pa.int64()),
            ("reason", pa.string()),
            ("is_all_bad", pa.bool_()),
            *ABOUT,
        ]
    ),
    "adjudicated": pa.schema(
        [
            ("prompt", MESSAGES),
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
    "consensus": pa.schema([("prompt", MESSAGES), ("a", MESSAGES), ("b", MESSAGES), *CONSENSUS]),
    "rating_consensus": pa.schema([("prompt", MESSAGES), ("completion", MESSAGES), *RATINGS]),
}
"""Columns by shape. The first three are TRL's conversational prompt-completion, language modeling
and preference formats, with additional columns that TRL ignores; `rankings` is everything a rater
gave; `adjudicated` is what a reviewer decided, one row per item; `consensus` is what raters say
collectively, one row per pair; `rating_consensus` the same of ratings, one row per question.
"""


def as_prompt_completion(row: DemonstrationRow) -> Record:
    return (
        {"prompt": row.messages, "completion": row.turn_of(row.response)}
        | about(row)
        | written(row)
        | {"turn": row.turn}
    )


def as_dialogue(row: DemonstrationRow) -> Record:
    return {"messages": [*row.messages, *row.turn_of(row.response)]} | about(row) | written(row)


def as_preferences(row: ComparisonRow, left_out: Counter[str] | None = None) -> Iterator[Record]:
    """One pair for every two ranked responses with different ranks: ties and unranked responses
    give none, and are counted in `left_out`.
    """
    counter: Counter[str] = Counter() if left_out is None else left_out
    ranked = [(response.rank, response) for response in row.responses if response.rank is not None]
    n_pairs = len(row.responses) * (len(row.responses) - 1) // 2
    counter[UNRANKED_PAIRS] += n_pairs - len(ranked) * (len(ranked) - 1) // 2
    for (rank, first), (other_rank, second) in combinations(ranked, 2):
        if rank == other_rank:
            counter[TIED_PAIRS] += 1
        else:
            chosen, rejected = (first, second) if rank < other_rank else (second, first)
            yield (
                {
                    "prompt": row.messages,
                    "chosen": chosen.turn_of(chosen.text),
                    "rejected": rejected.turn_of(rejected.text),
                }
                | about(replace(row, responses=(chosen, rejected)))
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
        | parts_of(response)
        for response in row.responses
    ]
    judged = {
        "responses": responses,
        "strength": row.strength,
        "reason": row.reason,
        "is_all_bad": row.is_all_bad,
    }
    return {"prompt": row.messages} | judged | about(row)


def as_adjudicated(row: AdjudicatedRow) -> Record:
    responses = [
        {
            "response": decided.response_id,
            "text": decided.text,
            "rank": decided.rank,
            "source": decided.source_name,
            "licence": decided.licence,
        }
        | parts_of(decided)
        for decided in row.responses
    ]
    return tools_of(row.tools) | {
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

"""The door out: judgments and prompts as frozen rows, streamed in the order of their ids, and files
made of them.

Nothing of an import that is not published leaves, nor anything of a rater who has withdrawn, the
texts of theirs that others compared among it; a rater leaves as an alias.
Answers to golds score raters and are no data: they leave only for who asks for them by
`include_gold`, and what a reviewer set aside only by `include_set_aside`.
"""

from labeling.exports.rows import ComparisonRow, PromptRow, RankedText
from labeling.exports.shapes import SCHEMAS, jsonl, parquet, records
from labeling.exports.streams import best_scored, comparisons, demonstrations, prompts

__all__ = [
    "SCHEMAS",
    "ComparisonRow",
    "PromptRow",
    "RankedText",
    "best_scored",
    "comparisons",
    "demonstrations",
    "jsonl",
    "parquet",
    "prompts",
    "records",
]

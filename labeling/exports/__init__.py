"""The export interface: judgments and prompts as frozen rows, streamed in order of their ids, and
files made from them.

Nothing from an unpublished import is exported, nor anything by a rater who has withdrawn, including
texts of theirs that others compared. Raters appear under their alias. Answers to golds measure
raters and are not data: they are only exported with `include_gold`, and judgments that a reviewer
set aside only with `include_set_aside`.
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

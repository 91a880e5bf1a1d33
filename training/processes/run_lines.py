"""What a line has in each of a run folder's JSONL files (`run_dir` names the files).

Standard library only: both sides import it.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, Required, TypedDict


class SampleLine(TypedDict):
    """A response sampled during training."""

    prompt: str
    response: str
    scores: Mapping[str, Any]


class ProgressLine(TypedDict, total=False):
    """progress.jsonl: a point, which has `values`, or a sample, or a note."""

    attempt: Required[int]
    step: int
    n_steps: int
    at: str  # ISO 8601
    values: dict[str, float]
    left_out: list[str]
    """the values that were NaN or infinite"""
    sample: SampleLine
    note: str
    auto_dtype: str
    """with the note about precision: what `auto` is in this run, "" if nothing is `auto`"""


class ResponseLine(TypedDict):
    """responses.jsonl: what a sampling run wrote."""

    prompt_id: int
    text: str
    number: int
    is_ended: bool | None
    sampling: dict[str, float | None]
    score: NotRequired[float]


class AnswerLine(TypedDict):
    """answers.jsonl: what a benchmark's model answered to an item, or in an attempt of an attack
    on it.
    """

    item: int
    strategy: NotRequired[str]
    sample: NotRequired[int]
    asked: NotRequired[list[dict[str, str]] | None]
    text: str
    follow_ups: list[str]
    values: Mapping[str, Any]
    sampling: Mapping[str, object]
    is_ended: bool | None
    missing: str


class ScoreLine(TypedDict):
    """scores.jsonl: the reward of a held-out response."""

    response: int
    score: float

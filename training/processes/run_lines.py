"""What a line has in each of a run folder's JSONL files (`run_dir` names the files), and what is in
kept.json.

No Django and no torch: both sides import it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, Required, TypedDict

from arithmetic import answer_parts
from arithmetic.chats import ToolCall

KEPT = "kept.json"
SPOT = "spot"
"""Folder of the weights that are set aside for spot checks."""


@dataclass(frozen=True)
class Kept:
    """What raters have decided in spot checks: the step to keep, and the last step that they have
    decided about. The supervisor writes it.
    """

    step: int
    decided: int


def read_kept(folder: Path) -> Kept | None:
    """None as long as the supervisor has heard of no spot check."""
    try:
        return Kept(**json.loads((folder / KEPT).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def shown_prompt(messages: Sequence[Mapping[str, object]]) -> str:
    """A prompt as a sample has it: as text for the run's page."""
    if len(messages) == 1:
        return str(messages[0]["content"])
    return "\n\n".join(f"{turn['role']}: {answer_parts.whole(turn)}" for turn in messages)


class SampleLine(TypedDict):
    """A response sampled during training."""

    prompt: str
    response: str
    scores: Mapping[str, Any]


class ResponseLine(TypedDict):
    """responses.jsonl: what a sampling run wrote."""

    prompt_id: int
    text: str
    number: int
    is_ended: bool | None
    sampling: dict[str, Any]
    score: NotRequired[float]
    reasoning_content: NotRequired[str]
    tool_calls: NotRequired[list[ToolCall]]


class ProgressLine(TypedDict, total=False):
    """progress.jsonl: a point, which has `values`, or a sample, a spot check or a note."""

    attempt: Required[int]
    step: int
    n_steps: int
    at: str  # ISO 8601
    values: dict[str, float]
    left_out: list[str]
    """the values that were NaN or infinite"""
    sample: SampleLine
    check: list[ResponseLine]
    note: str
    auto_dtype: str
    """with the note about precision: what `auto` is in this run, "" if nothing is `auto`"""


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

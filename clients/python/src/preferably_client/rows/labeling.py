"""Prompts, pools, guidelines, campaigns and judgments."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True)
class Source:
    id: int
    name: str
    kind: str


@dataclass(frozen=True)
class Prompt:
    id: int
    messages: list[Message]
    category: str
    language: str
    split: str
    licence: str
    sensitive: list[str]
    constraints: list[str]
    source: Source
    origin: str
    created_at: datetime


@dataclass(frozen=True)
class Pool:
    id: int
    name: str
    description: str
    is_held_out: bool
    n_raters: int
    n_campaigns: int
    created_at: datetime


@dataclass(frozen=True)
class Guideline:
    id: int
    name: str
    n_versions: int
    n_campaigns: int
    last_at: datetime | None


@dataclass(frozen=True)
class Progress:
    n_slots: int
    n_submitted: int
    n_in_hand: int
    n_left: int
    n_extra: int
    is_done: bool


@dataclass(frozen=True)
class Campaign:
    id: int
    name: str
    kind: str
    state: str
    pool: int
    guideline: int
    overlap: int
    n_responses: int | None
    asks_dialogue: bool
    lease_minutes: int
    order: str
    priority: int
    created_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    progress: Progress
    last_at: datetime | None


@dataclass(frozen=True)
class RankedResponse:
    """`rank`: 1 is best, equal is a tie, None is unranked. `position`: 0 was shown first."""

    response: int
    source: str
    text: str
    position: int
    rank: int | None
    ratings: dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    strength: int | None
    reason: str | None
    is_all_bad: bool
    responses: list[RankedResponse]


@dataclass(frozen=True)
class Demonstration:
    text: str
    further: list[Message]
    sources: str
    edit_of: int | None


@dataclass(frozen=True)
class Judgment:
    """`rater` is a pseudonym. `supersedes` is the judgment that this one replaces. `is_repeat`: the
    rater judged the same before, so count it once.
    """

    id: int
    kind: str
    campaign: int | None
    prompt: int
    item: int | None
    rater: str
    guideline: str | None
    submitted_at: datetime
    active_s: float | None
    is_extra: bool
    is_repeat: bool
    is_held_out: bool
    version: int
    supersedes: int | None
    warnings: list[str]
    demonstration: Demonstration | None
    comparison: Comparison | None


@dataclass(frozen=True)
class JudgmentEvent:
    """`event` is `withdrawn` or `set_aside` (the judgment no longer counts) or `restored`."""

    id: int
    event: str
    judgment: int
    campaign: int | None
    rater: str
    at: datetime

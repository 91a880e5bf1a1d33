"""Models, their scorecards and publications."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Model:
    id: int
    name: str
    kind: str
    location: str
    licence: str
    notes: str
    stage: str
    is_elsewhere: bool
    parent: int | None
    run: int | None
    snapshot: int | None
    metrics: dict[str, Any]
    archive: str | None
    is_pinned: bool
    is_freed: bool
    created_at: datetime


@dataclass(frozen=True)
class Card:
    """`is_written`: true if a person wrote it, false if it is generated."""

    text: str
    is_written: bool


@dataclass(frozen=True)
class Scorecard:
    """What a model scored on suites, one dictionary a suite in `scores`. `baseline` is the model
    that it is compared with.
    """

    models: list[dict[str, Any]]
    baseline: dict[str, Any] | None
    scores: list[dict[str, Any]]


@dataclass(frozen=True)
class Publication:
    """A publication of a model to a hub. It is complete when `state` is "done"; `error` says why it
    is "failed".
    """

    id: int
    model: int
    repository: str
    is_private: bool
    state: str
    bytes_total: int
    bytes_sent: int
    address: str
    error: str
    created_at: datetime
    ended_at: datetime | None

"""Snapshots, suites and runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Snapshot:
    id: int
    name: str
    kind: str
    filters: dict[str, Any]
    fingerprint: str
    card: dict[str, Any]
    n_rows: int
    created_at: datetime


@dataclass(frozen=True)
class Suite:
    id: int
    slug: str
    version: str
    name: str
    kind: str
    area: str
    scorer: str
    about: str
    licence: str
    source: str
    options: dict[str, Any]
    items_hash: str
    n_items: int
    is_shipped: bool
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True)
class Run:
    """`outcome` and `model` are set once it has ended."""

    id: int
    name: str
    kind: str
    state: str
    outcome: str
    error: str
    config: dict[str, Any]
    snapshot: int
    ptx_snapshot: int | None
    base_model: int
    reward_model: int | None
    watchdog_model: int | None
    reference_model: int | None
    other_model: int | None
    made_from: int | None
    made_as: str
    is_dry: bool
    priority: int
    tags: list[str]
    remarks: str
    kept_step: int | None
    model: int | None
    attempt: int
    node: str
    n_gpus: int
    memory_gb: int
    launch: dict[str, Any]
    is_pinned: bool
    is_freed: bool
    step: int
    n_steps: int
    metrics: dict[str, Any]
    versions: dict[str, Any]
    notes: list[str]
    is_stop_requested: bool
    created_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    progress_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Point:
    attempt: int
    step: int
    at: datetime
    values: dict[str, float]


@dataclass(frozen=True)
class Sample:
    """A response sampled during training."""

    id: int
    attempt: int
    step: int
    prompt: str
    response: str
    scores: dict[str, Any]


@dataclass(frozen=True)
class LogLine:
    number: int
    text: str


@dataclass(frozen=True)
class Log:
    """Lines of a run's log, the parameters for the next request, and the incomplete last line."""

    state: str
    next_attempt: int
    next_since: int
    results: list[LogLine]
    unfinished: str


@dataclass(frozen=True)
class Pace:
    """How long a run would take on the devices of past runs of its kind."""

    device: str
    seconds: float
    n_runs: int
    n_processes: int
    """processes of each of those runs, on all machines"""
    is_as_wide: bool
    """whether they had as many processes and machines as this run requests"""


@dataclass(frozen=True)
class Estimate:
    """What a run would cost. None if the model's config is unknown."""

    n_steps: int
    n_tokens: int
    n_parameters: int | None
    n_trained: int | None
    memory_gb: float | None
    disk_gb: float | None
    times: list[Pace]

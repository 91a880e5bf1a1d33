"""The API's responses as frozen dataclasses. Unknown fields, from a newer site, are ignored."""

import dataclasses
import types
import typing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

Row = TypeVar("Row")


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
    """`rank`: 1 is best, equal is a tie, None is unranked. `position`: 0 was shown first.
    `licence` is empty for a text written on the site.
    """

    response: int
    source: str
    licence: str
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
    source: str
    licence: str


@dataclass(frozen=True)
class Judgment:
    """`rater` is a pseudonym. `supersedes` is the judgment that this one replaces. `is_repeat`: the
    rater judged the same before, so count it once.
    """

    id: int
    kind: str
    campaign: int | None
    prompt: int
    messages: list[Message]
    category: str
    language: str
    split: str
    prompt_source: str
    prompt_licence: str
    licence: str
    item: int | None
    rater: str
    guideline: str | None
    submitted_at: datetime
    corrected_at: datetime | None
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
class Schedule:
    id: int
    name: str
    trigger: str
    cron: str
    time_zone: str
    n_new: int
    accuracy_drop: float
    n_fresh_pairs: int
    judge: int | None
    skips_nothing_new: bool
    min_interval_h: int
    max_runs_a_week: int | None
    quiet_from: str | None
    quiet_until: str | None
    plan: dict[str, Any]
    paused_at: datetime | None
    due_at: datetime | None
    last_ran_at: datetime | None
    n_firings: int
    created_at: datetime


@dataclass(frozen=True)
class Link:
    """One step of a chain, and the id of what it produced."""

    step: str
    state: str
    needs_approval: bool
    approved_by: str | None
    approved_at: datetime | None
    snapshot: int | None
    run: int | None
    campaign: int | None
    model: int | None
    verdict: dict[str, Any]
    began_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Chain:
    """One pass through a schedule's plan. `state`: going, approval (a step needs approval), failed,
    stopped, finished.
    """

    id: int
    schedule: int
    number: int
    state: str
    error: str
    why: str
    base_model: int
    plan: dict[str, Any]
    started_at: datetime
    ended_at: datetime | None
    links: list[Link]


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


@dataclass(frozen=True)
class Webhook:
    id: int
    name: str
    url: str
    events: list[str]
    old_secret_until: datetime | None
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True)
class WebhookSecret:
    """Only returned once. Until `old_secret_until`, messages are also signed with the previous
    secret.
    """

    id: int
    secret: str
    old_secret_until: datetime


def read(row: type[Row], raw: dict[str, Any]) -> Row:
    """`raw` JSON as a `row`."""
    hints = typing.get_type_hints(row)
    names = [field.name for field in dataclasses.fields(row)]  # type: ignore[arg-type]  # every row is a dataclass
    return row(**{name: _value(hints[name], raw[name]) for name in names})


def _value(hint: Any, raw: Any) -> Any:
    if raw is None:
        return None
    if isinstance(hint, types.UnionType):
        return _value(next(part for part in typing.get_args(hint) if part is not type(None)), raw)
    if hint is datetime:
        return datetime.fromisoformat(raw)
    if typing.get_origin(hint) is list:
        return [_value(typing.get_args(hint)[0], one) for one in raw]
    return read(hint, raw) if dataclasses.is_dataclass(hint) and isinstance(hint, type) else raw

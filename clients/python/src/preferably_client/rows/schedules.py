"""Schedules and chains."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


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

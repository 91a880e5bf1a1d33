"""The Celery application, and the only two ways to declare a task."""

import os
from collections.abc import Callable
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
TASK_ROOMS = (
    "accounts",
    "labeling.campaigns",
    "labeling.conversations.red_teaming",
    "labeling.data.exports",
    "labeling.data.hub",
    "labeling.data.imports",
    "labeling.people",
    "labeling.quality",
    "labeling.queue",
    "training.benchmarks.scorecards",
    "training.playground.conversations",
    "training.nodes",
    "training.operations",
    "training.playground",
    "training.registry",
    "training.runs",
    "training.schedules",
    "training.snapshots.curation",
    "training.storage",
    "training.storage.backups",
)
"""Every package that has a tasks.py."""

app = Celery("preferably")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(TASK_ROOMS)


def short_task(*, time_limit_s: int) -> Callable[[Callable[..., None]], Any]:
    """A task for the queue `short`: acknowledged late and killed after `time_limit_s`. It must be
    safe to run twice.
    """
    limits = {"time_limit": time_limit_s, "soft_time_limit": max(1, time_limit_s - 5)}
    declare: Callable[[Callable[..., None]], Any] = app.task(
        acks_late=True, ignore_result=True, **limits
    )
    return declare


def run_task() -> Callable[[Callable[..., None]], Any]:
    """A task that supervises a run: acknowledged at once and without a limit, since the run's
    heartbeat shows whether it is alive.
    """
    declare: Callable[[Callable[..., None]], Any] = app.task(acks_late=False, ignore_result=True)
    return declare

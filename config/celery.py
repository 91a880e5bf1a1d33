"""The Celery application, and how a task of the beat is declared. Others are jobs.messages."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
ROOMS = ("jobs", "accounts", "labeling", "training")
ROOT = Path(__file__).resolve().parents[1]


def packages_with(module: str) -> list[str]:
    """Every package that has a module of this name."""
    files = (file for room in ROOMS for file in sorted((ROOT / room).rglob(f"{module}.py")))
    return [".".join(file.parent.relative_to(ROOT).parts) for file in files]


app = Celery("preferably")
app.config_from_object("django.conf:settings", namespace="CELERY")
for _name in ("tasks", "jobs"):
    app.autodiscover_tasks(partial(packages_with, _name), related_name=_name)


def short_task(*, time_limit_s: int) -> Callable[[Callable[..., None]], Any]:
    """A task for the queue `short`: acknowledged late and killed after `time_limit_s`. It must be
    safe to run twice.
    """
    limits = {"time_limit": time_limit_s, "soft_time_limit": max(1, time_limit_s - 5)}
    declare: Callable[[Callable[..., None]], object] = app.task(
        acks_late=True, ignore_result=True, **limits
    )
    return declare

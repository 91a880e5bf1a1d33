"""Hooks of Celery: workers and beat log as the site does, and a task's lines name the task and the
request that sent it.
"""

import logging.config
from typing import Any

from celery.signals import setup_logging, task_postrun, task_prerun
from django.conf import settings

from config.monitoring import context


def connect() -> None:
    setup_logging.connect(log_like_the_site)
    task_prerun.connect(begin_task)
    task_postrun.connect(end_task)


def log_like_the_site(**_signal: object) -> None:
    """In place of Celery's own format."""
    logging.config.dictConfig(settings.LOGGING)


def begin_task(sender: Any, task_id: str, **_signal: object) -> None:
    # A worker has the headers of a message beside the request's own; a task that is called here and
    # now has them as one.
    request = (sender.request.headers or {}) | vars(sender.request)
    context.begin(
        context.Work(
            **{name: request.get(name) or "" for name in context.SENT},
            task=sender.name,
            task_id=task_id,
        )
    )


def end_task(**_signal: object) -> None:
    context.end()

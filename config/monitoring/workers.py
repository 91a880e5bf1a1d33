"""Hooks of Celery: workers and beat log as the site does, and a task's lines name the task and the
request that sent it.
"""

import logging.config
import sys
from pathlib import Path
from typing import Any, TextIO

from celery.signals import setup_logging, task_postrun, task_prerun, worker_shutting_down
from django.conf import settings

from config.monitoring import context, logs

logger = logging.getLogger(__name__)


def connect(*, log_format: str) -> None:
    setup_logging.connect(log_like_the_site)
    worker_shutting_down.connect(say_that_it_ends)
    if log_format == "json" and Path(sys.argv[0]).name == "celery":
        for name in ("stdout", "__stdout__"):
            setattr(sys, name, JsonLines(sys.stderr))
    task_prerun.connect(begin_task)
    task_postrun.connect(end_task)


def log_like_the_site(**_signal: object) -> None:
    """In place of Celery's own format."""
    logging.config.dictConfig(settings.LOGGING)


def say_that_it_ends(sender: str, how: str, **_signal: object) -> None:
    """Celery says it to a terminal only."""
    logger.info("%s: %s shutdown", sender, how)


class JsonLines:
    """In place of the standard output of Celery's commands: their banners, each as one line."""

    def __init__(self, stream: TextIO) -> None:
        self._handler = logging.StreamHandler(stream)
        self._handler.setFormatter(logs.JsonFormatter())

    def write(self, text: str) -> int:
        if text.strip():
            record = {"name": "celery", "levelname": "INFO", "msg": text.strip("\n")}
            self._handler.emit(logging.makeLogRecord(record))
        return len(text)

    def flush(self) -> None:
        self._handler.flush()

    def isatty(self) -> bool:
        return False


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

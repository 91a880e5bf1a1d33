"""Messages to workers, each declared once: its task, its queue, and how long a worker may take.

Whoever sends a message declares it. What a worker does with it is added in the same room or in one
above, so that a room can wake another one that it must not know.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from django.db import transaction

from config import broker
from config.celery import app

SHORT, GPU, MODELS = "short", "gpu", "models"
"""Queues. Workers of GPU are nodes; those of MODELS keep models loaded, and publish to hubs."""

DECLARED: dict[str, "Message"] = {}
"""task → its message, of every module that is loaded"""


class Finds(Protocol):
    """The ids of rows that wait for a worker."""

    def __call__(self, *, now: datetime) -> Iterable[int]: ...


class Message:
    """A message, and a decorator of what a worker does with it."""

    def __init__(
        self,
        task: str,
        *,
        limit: timedelta | None,
        queue: str = SHORT,
        argument: str = "",
        otherwise: str = broker.SENT_AGAIN,
    ) -> None:
        """`task` is a name that two releases share. A task without a `limit` is acknowledged at
        once, since a heartbeat shows whether its worker is alive; any other one must be safe to run
        twice. `argument` is the id that `wake` sends. `otherwise` says in the log what happens when
        the broker is away.
        """
        self.task, self.limit, self.queue = task, limit, queue
        self.argument, self.otherwise = argument, otherwise
        self.every: timedelta | None = None
        self._find: Finds | None = None
        DECLARED[task] = self

    def send(self, **values: object) -> bool:
        """Call it after commit. False when the broker is away."""
        return broker.send(self.task, queue=self.queue, otherwise=self.otherwise, **values)

    def wake(self, pk: int) -> bool:
        """Sends the id of a row that waits; call it after commit. False when the broker is away."""
        return self.send(**{self.argument: pk})

    def wake_on_commit(self, pk: int) -> None:
        transaction.on_commit(partial(self.wake, pk))

    def wakes(self, find: Finds, *, every: timedelta) -> None:
        """The beat wakes workers for what `find` returns: its message may have been lost."""
        self._find, self.every = find, every

    def waiting(self, *, now: datetime) -> list[int]:
        return list(self._find(now=now)) if self._find else []

    def wake_waiting(self, *, now: datetime) -> int:
        """Wakes workers for all that waits; returns how many messages it sent. In a queue of long
        tasks, none while others wait: every worker is busy then, and more would pile up.
        """
        if self.queue != SHORT and broker.n_waiting(self.queue):
            return 0
        waiting = self.waiting(now=now)
        for pk in waiting:
            self.wake(pk)
        return len(waiting)

    def __call__(self, do: Callable[..., object]) -> Any:
        """The Celery task, which gets what was sent by keyword."""
        options: dict[str, object] = {"acks_late": self.limit is not None}
        if self.limit is not None:
            limit_s = int(self.limit.total_seconds())
            options |= {"time_limit": limit_s, "soft_time_limit": max(1, limit_s - 5)}
        return app.task(name=self.task, ignore_result=True, **options)(do)

"""The protocol of a job, for every kind of row.

A message only wakes a worker. One that is lost is sent again by the beat, and one that comes twice
finds nothing to do. A claim is one conditional update that raises the row's attempt, and every
later write names that attempt, so that of two workers only the latest can change the row. A worker
that sends no heartbeat is gone, and the next one takes over, until too many were lost on a row.
"""

import inspect
import logging
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from celery import current_task
from celery.worker import state
from django.conf import settings
from django.db import IntegrityError, connections, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone, translation
from django.utils.functional import Promise

from config.celery import app
from jobs.messages import SHORT, Message
from jobs.models import QUEUED, RUNNING, Job, Superseded

J = TypeVar("J", bound=Job)
Clock = Callable[[], datetime]
logger = logging.getLogger(__name__)


class Kind(Message, Generic[J]):
    """A kind of job, and a decorator of what a worker does with a claimed row."""

    def __init__(
        self,
        model: type[J],
        *,
        task: str,
        limit: timedelta | None,
        silent_after: timedelta,
        crashed: "str | Promise",
        argument: str = "",
        queue: str = SHORT,
        every: timedelta = timedelta(seconds=60),
        n_lost: str = "attempt",
        max_lost: int = 3,
        failed: str = "failed",
        refusals: tuple[type[Exception], ...] = (),
        os_error: "str | Promise" = "",
        fresh: Mapping[str, object] | None = None,
        stamps: tuple[str, ...] = ("heartbeat_at",),
        threads: int = 0,
        with_rows: tuple[str, ...] = (),
    ) -> None:
        """A job whose worker is silent for `silent_after` is claimed again, and after `max_lost`
        workers (counted in the column `n_lost`) is ended as `failed` with the sentence `crashed`.
        `fresh` resets columns at each claim, and `stamps` get its time. `refusals` end the job with
        their sentence, and an OSError with `os_error`, in which it is %(why)s or %(reason)s.
        `with_rows` are foreign keys that the work reads, fetched with the claimed row.

        Work that mostly waits for another server names `threads`: a worker does as many at once,
        beside its other tasks, and goes on with what `wakes` finds until nothing waits.
        """
        argument = argument or f"{model._meta.model_name}_id"
        super().__init__(task, limit=limit, queue=queue, argument=argument)
        self.wakes(self._without_worker, every=every)
        self.model, self.silent_after, self.failed = model, silent_after, failed
        self._crashed, self._n_lost, self._max_lost = crashed, n_lost, max_lost
        self._refusals, self._os_error, self._stamps = refusals, os_error, stamps
        self._fresh = {"error": "", **(fresh or {})}
        self._with_rows = ("created_by", *with_rows)
        self._work: Callable[[J, Clock], None] | None = None
        self._threads = ThreadPoolExecutor(threads, self.task) if threads else None

    def __call__(self, do: Callable[[J, Clock], None]) -> Callable[[J, Clock], None]:  # type: ignore[override]
        def take(**ids: int) -> None:
            if self._threads and current_task:
                self._threads.submit(self._work_off, ids[self.argument])
            else:
                self.run(ids[self.argument])

        keyword = inspect.Parameter(self.argument, inspect.Parameter.KEYWORD_ONLY)
        take.__signature__ = inspect.Signature([keyword])  # type: ignore[attr-defined]
        super().__call__(take)
        self._work = do
        return do

    def run(self, pk: int, clock: Clock = timezone.now) -> J | None:
        """Claims the row and works on it, in the language of the person who started it. None if it
        is not for this worker, or was taken from it. Safe to call twice.
        """
        if self._work is None:
            app.loader.import_default_modules()  # the module that does it is in a room above
        work, job = self._work, self.claim(pk, now=clock())
        if job is None:
            return None
        assert work is not None, f"No module says what {self.task} does."
        language = job.created_by.language if job.created_by else settings.LANGUAGE_CODE
        with translation.override(language), suppress(Superseded):
            try:
                work(job, clock)
            except self._refusals as refusal:
                job.end(self.failed, now=clock(), error=str(refusal))
            except OSError as problem:
                if not self._os_error:
                    raise
                why = problem.strerror or str(problem)
                sentence = str(self._os_error) % {"why": why, "reason": why}
                job.end(self.failed, now=clock(), error=sentence)
            return job
        return None

    def _work_off(self, pk: int) -> None:
        """The row, then others that wait, until one is put back without having been tried or the
        worker is told to stop. It stops when these threads have ended.
        """
        try:
            while True:
                job = self.run(pk)
                if job is not None and job.state == QUEUED and not job.error:
                    return
                waiting = self.waiting(now=timezone.now())
                if not waiting or state.should_stop is not None:
                    return
                pk = random.choice(waiting)  # noqa: S311  # two that look at once, seldom the same
        except Exception:
            logger.exception("%s of %s failed", self.task, pk)
        finally:
            connections.close_all()

    def claim(self, pk: int, *, now: datetime) -> J | None:
        """The row, if nobody works on it and it may start: a constraint can let one run alone."""
        mine = self._open(now).filter(pk=pk)
        is_hopeless = Q(**{"state": RUNNING, f"{self._n_lost}__gte": self._max_lost})
        if mine.filter(is_hopeless).update(
            state=self.failed, error=self._crashed, **{self.model.ENDED_AT: now}
        ):
            return None
        changes = {**self._fresh, **dict.fromkeys(self._stamps, now), "attempt": F("attempt") + 1}
        if self._n_lost != "attempt":
            is_lost = Case(When(state=RUNNING, then=Value(1)), default=Value(0))
            changes[self._n_lost] = F(self._n_lost) + is_lost
        try:
            with transaction.atomic():
                n_claimed = mine.update(state=RUNNING, **changes)
        except IntegrityError:
            return None
        if n_claimed != 1:
            return None
        return self.model._default_manager.select_related(*self._with_rows).get(pk=pk)

    def is_live(self, *, now: datetime) -> Q:
        return Q(recent("heartbeat_at", now=now, within=self.silent_after), state=RUNNING)

    def _without_worker(self, *, now: datetime) -> QuerySet[J, int]:
        """First those that lost their worker, then the oldest."""
        return self._open(now).order_by("-state", "pk").values_list("pk", flat=True)

    def _open(self, now: datetime) -> QuerySet[J]:
        is_open = Q(state__in=(QUEUED, RUNNING))
        return self.model._default_manager.filter(is_open & ~self.is_live(now=now))


def recent(field: str, *, now: datetime, within: timedelta) -> Q:
    """A time in the future is not recent either: a clock was set back, and everyone would wait
    until then.
    """
    return Q(**{f"{field}__range": (now - within, now + within)})

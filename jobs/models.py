"""The columns of a row that a worker works on, and the writes of the worker that has it."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from jobs import guard

QUEUED, RUNNING = "queued", "running"
"""Values of `state` that every job has, beside those in which it ends."""


class Superseded(Exception):
    """The row is no longer this worker's: another one has claimed it, or a person has ended it."""


class Job(models.Model):
    """Each subclass declares `state` again with its choices: QUEUED, RUNNING, and how it ends."""

    ENDED_AT: ClassVar[str] = "ended_at"

    state = models.CharField(max_length=16, default=QUEUED)
    attempt = models.PositiveSmallIntegerField(
        default=0, help_text="increased by each claim; writes name their attempt"
    )
    error = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    heartbeat_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def beat(self, *, now: datetime, **progress: object) -> None:
        """Shows that its worker is alive. Raises Superseded."""
        self.change(heartbeat_at=now, **progress)

    def end(self, state: str, *, now: datetime, **result: object) -> None:
        """Raises Superseded."""
        self.change(state=state, **{self.ENDED_AT: now}, **result)

    def change(self, **changes: object) -> None:
        """Writes to the row if it still belongs to this attempt. Raises Superseded."""
        mine = type(self)._default_manager.filter(pk=self.pk, attempt=self.attempt, state=RUNNING)
        if not guard.update_one(mine, **changes):
            raise Superseded
        for name, value in changes.items():
            setattr(self, name, value)

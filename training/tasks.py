"""The Celery tasks of the training half: one call each."""

import os
from typing import Any

from celery.signals import worker_shutdown, worker_shutting_down
from django.conf import settings
from django.utils import timezone

from config.celery import run_task, short_task
from training import doorbell, leaving, selectors, services, supervisor


@run_task()
def execute_run(*, run_id: int) -> None:
    """Answers the doorbell. A run that is not waiting is somebody else's, or done."""
    with leaving.noticed(has_worker=True) as is_leaving:
        supervisor.supervise(run_id=run_id, node=settings.NODE_NAME, is_leaving=is_leaving)


@short_task(time_limit_s=30)
def ring_queued_runs() -> None:
    """Rings for the runs that wait, unless rings wait too: then every worker is busy and more would only pile up."""
    if doorbell.n_waiting():
        return
    for run_id in selectors.queued_run_ids():
        doorbell.ring(run_id)


@short_task(time_limit_s=60)
def reap_runs() -> None:
    services.reap_runs(now=timezone.now())


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def tell_supervisors(**_signal: Any) -> None:
    """A worker that was asked to end waits for its task; its task has to know."""
    leaving.announce(os.getpid())


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def forget_worker(**_signal: Any) -> None:
    leaving.withdraw(os.getpid())

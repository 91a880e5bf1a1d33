"""Celery tasks of curations: run one, and queue those whose message was lost."""

from django.utils import timezone

from config.celery import short_task
from training.snapshots.curation import doorbell, selectors, worker


@short_task(time_limit_s=6 * 3600)
def run_curation(*, curation_id: int) -> None:
    """Runs a curation. One that is not waiting is being run by another worker, or done."""
    worker.run_curation(curation_id=curation_id, clock=timezone.now)


@short_task(time_limit_s=600)
def ring_curations() -> None:
    """Queues tasks for curations that wait or whose worker is gone, and deletes old previews."""
    now = timezone.now()
    for curation_id in selectors.waiting_curation_ids(now=now):
        doorbell.ring_curation(curation_id)
    worker.delete_old_previews(now=now)

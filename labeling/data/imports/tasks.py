"""Celery tasks of imports: run one, clear one, and queue those whose message was lost."""

from django.utils import timezone

from config.celery import short_task
from labeling.data.imports import doorbell, selectors, services, uploads


@short_task(time_limit_s=6 * 3600)
def run_import(*, import_id: int) -> None:
    """Runs an import. One that is not waiting is being run by another worker, or done."""
    services.run_import(import_id=import_id, clock=timezone.now)


@short_task(time_limit_s=3600)
def clear_import(*, import_id: int) -> None:
    services.clear_import(import_id=import_id)


@short_task(time_limit_s=30)
def ring_imports() -> None:
    """Queues tasks for imports that wait, whose worker is gone, or whose rows are still to be
    deleted.
    """
    for import_id in selectors.waiting_import_ids(now=timezone.now()):
        doorbell.ring_import(import_id)
    for import_id in selectors.uncleared_import_ids():
        doorbell.ring_clearing(import_id)


@short_task(time_limit_s=3600)
def delete_old_uploads() -> None:
    uploads.delete_old(now=timezone.now())

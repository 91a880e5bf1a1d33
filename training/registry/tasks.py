"""Celery tasks that publish models and exports to a hub."""

from django.utils import timezone

from config.celery import run_task, short_task
from training.registry import launch_remote, publish


@run_task()
def publish_model(*, publication_id: int) -> None:
    launch_remote.send(publication_id=publication_id)


@short_task(time_limit_s=30)
def ring_publications() -> None:
    publish.ring_publications(now=timezone.now())
